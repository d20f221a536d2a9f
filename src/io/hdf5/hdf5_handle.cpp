// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/hdf5_handle.hpp"

#include <charconv>
#include <cstring>

#include "io/file_errors.hpp"
#include "parconv/device/resource_limits.hpp"

namespace parconv::hdf5 {
namespace {

herr_t take_first(unsigned index, const H5E_error2_t* error, void* result) {
  auto& top = *static_cast<StackTop*>(result);
  if (index == 0 && error->desc != nullptr) top.message = error->desc;
  if (top.call.error == 0 && error->desc != nullptr) top.call = failed_call_in(error->desc);
  if (index == 0) top.is_from_memory = error->maj_num == H5E_RESOURCE && error->min_num == H5E_NOSPACE;
  if (error->maj_num == H5E_PLINE) top.is_from_filter = true;
  return 0;
}

std::string text_between(const std::string& text, std::string_view begin, std::string_view end) {
  const std::size_t at = text.find(begin);
  if (at == std::string::npos) return {};
  const std::size_t first = at + begin.size();
  return text.substr(first, text.find(end, first) - first);
}

Error error_of(const Attempt& attempt, const std::string& task, const FailedCall& call) {
  if (auto limit = limit_error(task, call.error)) return *limit;
  const bool is_opening = call.offset.empty();
  const bool keeps_code = attempt.code == ExitCode::CannotCreate && is_opening && !is_out_of_space(call.error);
  const bool is_named = call.path.empty() || attempt.object.find(call.path) != std::string_view::npos;
  return Error(keeps_code ? attempt.code : ExitCode::Io,
               concat(task, is_named ? "" : " in " + call.path, is_opening ? "" : " at byte " + call.offset, ": ",
                      words_of(call.error, call.path)),
               writing_hint(call.error));
}

ExitCode code_of(const StackTop& top, const Attempt& attempt) {
  if (top.is_from_memory) return ExitCode::OutOfMemory;
  return top.is_from_filter ? ExitCode::BadData : attempt.code;
}

std::string_view file_name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

void silence_errors() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

StackTop innermost_error() {
  StackTop top;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, &take_first, &top);
  return top;
}

FailedCall failed_call_in(const std::string& message) {
  FailedCall call;
  const std::string error = text_between(message, "errno = ", ",");
  std::from_chars(error.data(), error.data() + error.size(), call.error);
  call.path = text_between(message, "name = '", "'");  // also the end of "filename"
  call.offset = text_between(message, "offset = ", ",");
  return call;
}

void fail(const Attempt& attempt, std::source_location where) {
  const StackTop top = innermost_error();
  const std::string task = concat("cannot ", attempt.action, " ", attempt.object);
  if (top.call.error != 0) throw error_of(attempt, task, top.call);
  throw Error(code_of(top, attempt), concat(task, ": ", top.message.empty() ? "unknown error" : top.message, " (HDF5, ",
                                            file_name_of(where.file_name()), ":", where.line(), ")"));
}

void Handle::close(const Attempt& attempt) {
  if (id_ >= 0) check(close_(std::exchange(id_, -1)), attempt);
}

}  // namespace parconv::hdf5
