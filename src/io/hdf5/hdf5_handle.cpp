// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/hdf5_handle.hpp"

namespace parconv::hdf5 {
namespace {

herr_t take_first(unsigned index, const H5E_error2_t* error, void* result) {
  auto& top = *static_cast<StackTop*>(result);
  if (index == 0 && error->desc != nullptr) top.message = error->desc;
  if (error->maj_num == H5E_PLINE) top.is_from_filter = true;
  return 0;
}

std::string_view file_name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

void silence_errors() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

StackTop innermost_error() {
  StackTop top;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, &take_first, &top);
  return top;
}

void fail(const Attempt& attempt, std::source_location where) {
  const StackTop top = innermost_error();
  throw Error(top.is_from_filter ? ExitCode::BadData : attempt.code,
              concat("cannot ", attempt.action, " ", attempt.object, ": ", top.message.empty() ? "unknown error" : top.message,
                     " (HDF5, ", file_name_of(where.file_name()), ":", where.line(), ")"));
}

void Handle::close(const Attempt& attempt) {
  if (id_ >= 0) check(close_(std::exchange(id_, -1)), attempt);
}

}  // namespace parconv::hdf5
