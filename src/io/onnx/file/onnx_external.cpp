// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/file/onnx_external.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include "io/onnx/file/onnx_input_file.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

namespace fs = std::filesystem;

constexpr const char* where_hint = "keep the files of external data in the model's folder";

index_t parse_number(const std::string& text, const std::string& key, const std::string& what) {
  index_t number = -1;
  const char* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc{} || rest != end || number < 0)
    throw Error(ExitCode::BadData, concat(what, ": external data has ", key, " '", text, "', which is not a number of bytes"));
  return number;
}

/// The entries of external_data that are used.
struct Entries {
  std::string location{};
  index_t offset_bytes = 0;
  index_t size_bytes = -1;
};

Entries entries_of(const onnx::TensorProto& tensor, const std::string& what) {
  Entries entries;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") entries.location = entry.value();
    if (entry.key() == "offset") entries.offset_bytes = parse_number(entry.value(), "offset", what);
    if (entry.key() == "length") entries.size_bytes = parse_number(entry.value(), "length", what);
  }
  return entries;
}

void check_location(const fs::path& location, const std::string& what) {
  const bool leaves = std::any_of(location.begin(), location.end(), [](const fs::path& part) { return part == ".."; });
  if (!location.empty() && location.is_relative() && !leaves) return;
  throw Error(ExitCode::BadData,
              concat(what, ": external data is at '", location.string(), "', which is not a path inside the model's folder"),
              where_hint);
}

fs::path folder_of(const std::string& model_path) {
  const fs::path path(model_path);
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void add_location(const onnx::TensorProto& tensor, std::set<std::string>& locations) {
  for (const auto& entry : tensor.external_data())
    if (entry.key() == "location") locations.insert(entry.value());
}

/// Canonical path of `location`, with all symbolic links resolved.
fs::path locate(const fs::path& folder, const fs::path& location, const std::string& what) {
  std::error_code status;
  const fs::path file = fs::canonical(folder / location, status);
  if (status)
    throw Error(ExitCode::InputMissing,
                concat(what, ": external data '", (folder / location).string(), "' cannot be found: ", status.message()),
                where_hint);
  const fs::path root = fs::canonical(folder, status);
  if (status || std::mismatch(root.begin(), root.end(), file.begin(), file.end()).first != root.end())
    throw Error(ExitCode::BadData,
                concat(what, ": external data '", location.string(), "' is a symbolic link out of the model's folder"),
                where_hint);
  return file;
}

}  // namespace

std::vector<std::string> external_files(const onnx::ModelProto& model, const std::string& model_path) {
  std::set<std::string> locations;
  for (const onnx::TensorProto& tensor : model.graph().initializer()) add_location(tensor, locations);
  for (const onnx::NodeProto& node : model.graph().node())
    for (const onnx::AttributeProto& attribute : node.attribute())
      if (attribute.has_t()) add_location(attribute.t(), locations);
  std::vector<std::string> files;
  std::error_code status;
  for (const std::string& location : locations)
    if (const fs::path file = folder_of(model_path) / location; fs::is_regular_file(file, status)) files.push_back(file.string());
  return files;
}

FileRange resolve_external(const onnx::TensorProto& tensor, const std::string& model_path, index_t needed_bytes,
                           const std::string& what) {
  const Entries entries = entries_of(tensor, what);
  check_location(entries.location, what);
  const fs::path folder = folder_of(model_path);
  FileRange range{.file = locate(folder, entries.location, what).string(), .offset_bytes = entries.offset_bytes};
  range.size_bytes = entries.size_bytes >= 0 ? entries.size_bytes : needed_bytes;
  const index_t file_bytes = InputFile(range.file).size_bytes();
  if (range.offset_bytes <= file_bytes && range.size_bytes <= file_bytes - range.offset_bytes) return range;
  throw Error(ExitCode::BadData,
              concat(what, ": external data needs bytes ", range.offset_bytes, " to ", range.offset_bytes, " + ",
                     range.size_bytes, " of '", range.file, "', which has ", file_bytes),
              "the file is truncated; copy it again");
}

}  // namespace parconv
