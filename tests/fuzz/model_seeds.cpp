// SPDX-License-Identifier: Apache-2.0
#include "fuzz/model_seeds.hpp"
#include "fuzz/fuzz_files.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "parconv/core/error.hpp"
#include "parconv/io/onnx/onnx_reader.hpp"
#include "tools/networks.hpp"

namespace parconv::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t max_bytes = 200'000;

/// True if the model can be read with its own dimensions.
bool is_usable(const fs::path& path) {
  if (path.extension() != ".onnx" || fs::file_size(path) > max_bytes) return false;
  try {
    read_network(OnnxModel(path.string()));
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Sorted by name, so that a seed selects the same model everywhere.
std::vector<fs::path> models_below(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code missing;
  for (const auto& entry : fs::recursive_directory_iterator(folder, missing))
    if (entry.is_regular_file() && is_usable(entry.path())) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// Few channels and small images, so that every model computes in milliseconds.
NetworkOptions small_form(const std::string& name) { return {.channels_scale = name == "small" ? 0.1 : 0.03, .size = {32}}; }

}  // namespace

std::vector<std::string> seed_models(const fs::path& folder, const std::vector<fs::path>& folders_of_models) {
  std::vector<std::string> models;
  for (const std::string& name : network_names()) {
    const fs::path path = folder / (name + ".onnx");
    write_network(name, small_form(name), path.string());
    models.push_back(read_bytes(path));
  }
  for (const fs::path& each : folders_of_models)
    for (const fs::path& path : models_below(each)) models.push_back(read_bytes(path));
  return models;
}

}  // namespace parconv::test
