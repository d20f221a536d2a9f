// SPDX-License-Identifier: Apache-2.0
#include "conformance/suite.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

namespace fs = std::filesystem;

struct WrongData {
  std::string_view name;
  const char* reason;
};

/// Cases whose expected outputs are wrong. They are run all the same: one that passes is a failure of this list.
constexpr std::array wrong_data{
    WrongData{"node/test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True",
              "ONNX 1.17 divides by all taps where rounding up gives a window that reaches beyond the padded input; PyTorch and "
              "ONNX Runtime divide by those within"}};

std::string wrong_data_of(const std::string& name) {
  const auto* found =
      std::find_if(wrong_data.begin(), wrong_data.end(), [&](const WrongData& each) { return each.name == name; });
  return found == wrong_data.end() ? "" : found->reason;
}

/// Subfolders of `folder` whose names begin with `prefix`, sorted.
std::vector<fs::path> folders_in(const fs::path& folder, const std::string& prefix) {
  if (!fs::is_directory(folder)) throw Error(ExitCode::InputMissing, concat("'", folder.string(), "' is not a folder"));
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_directory() && entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

void append_cases(std::vector<SuiteCase>& cases, const std::string& set, const fs::path& folder) {
  const std::vector<fs::path> data = folders_in(folder, "test_data_set_");
  if (data.empty()) throw Error(ExitCode::InputMissing, concat("'", folder.string(), "' holds no data"));
  const std::string name = set + "/" + folder.filename().string();
  for (std::size_t k = 0; k < data.size(); ++k) {
    const std::string number = k == 0 ? "" : concat(":", k);
    cases.push_back(
        {.name = name + number, .model = folder / "model.onnx", .data = data[k], .wrong_data = wrong_data_of(name + number)});
  }
}

}  // namespace

std::vector<SuiteCase> find_cases(const fs::path& root) {
  static constexpr std::array sets{"node", "pytorch-converted", "pytorch-operator", "simple"};
  std::vector<SuiteCase> cases;
  for (const char* set : sets)
    for (const fs::path& folder : folders_in(root / set, "test_")) append_cases(cases, set, folder);
  return cases;
}

}  // namespace parconv::test
