// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/hdf5_layout.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "parconv/core/error.hpp"

namespace parconv::hdf5 {
namespace {

constexpr std::string_view letters = "NCDHW";
constexpr const char* layout_hint =
    "A layout has one letter of N, C, D, H, W for each axis of the data set, slowest first, for example NCHW or HWC "
    "(option --layout, or a string attribute 'layout' of the data set).";

bool has(std::string_view text, char letter) { return text.find(letter) != std::string_view::npos; }

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
  return result;
}

int ndims_of(std::string_view text) {
  if (has(text, 'D')) return 5;
  return 2 + static_cast<int>(has(text, 'H')) + static_cast<int>(has(text, 'W'));
}

}  // namespace

std::string_view default_layout(std::size_t rank) {
  constexpr std::array<std::string_view, 6> names{"", "", "", "NCW", "NCHW", "NCDHW"};
  return rank < names.size() ? names[rank] : "";
}

FileLayout parse_layout(std::string_view text, std::size_t rank, std::string_view object) {
  const std::string name = upper(text);
  FileLayout layout{.axes = {}, .ndims = ndims_of(name)};
  for (char letter : name) {
    const std::size_t index = letters.find(letter);
    if (index == std::string_view::npos || std::count(name.begin(), name.end(), letter) != 1)
      throw Error(ExitCode::BadData, concat("the layout '", text, "' of ", object, " is not a permutation of axes"), layout_hint);
    const bool is_only_spatial = letter == 'W' && layout.ndims == 3;
    layout.axes.push_back(is_only_spatial ? Axis::H : all_axes[index]);
  }
  if (layout.axes.size() != rank)
    throw Error(ExitCode::BadData,
                concat("the layout '", text, "' names ", layout.axes.size(), " axes, but ", object, " has ", rank), layout_hint);
  return layout;
}

FileLayout onnx_layout(int ndims) {
  PARCONV_EXPECT(ndims >= 1 && ndims <= num_axes, "ndims ", ndims);
  if (ndims == num_axes) return {.axes = {all_axes.begin(), all_axes.end()}, .ndims = ndims};
  constexpr std::array<Axis, 4> axes{Axis::N, Axis::C, Axis::H, Axis::W};
  return {.axes = {axes.begin(), axes.begin() + ndims}, .ndims = ndims};
}

Extents extents_of(const FileLayout& layout, const std::vector<index_t>& dims) {
  Extents extents;
  for (std::size_t k = 0; k < dims.size(); ++k) extents[layout.axes[k]] = dims[k];
  return extents;
}

bool is_onnx_order(const FileLayout& layout) { return std::is_sorted(layout.axes.begin(), layout.axes.end()); }

}  // namespace parconv::hdf5
