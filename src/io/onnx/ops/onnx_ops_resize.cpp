// SPDX-License-Identifier: Apache-2.0
// Resize and Upsample.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "io/onnx/ops/onnx_ops.hpp"
#include "io/onnx/ops/onnx_window.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Interpolation mode, common to all axes.
struct ResizeMode {
  bool is_linear = false;
  Coordinates coordinates = Coordinates::Asymmetric;
  NearestRounding rounding = NearestRounding::Floor;
  /// Resize of opset 10 rounds the size up when downsampling.
  bool rounds_up_when_smaller = false;
};

/// Target of one dimension.
struct ResizedDim {
  std::size_t dim = 0;
  float scale = 1;
  index_t size = 0;
  bool is_by_size = false;  ///< the scale is size / input size, rounded
};

/// A string attribute with a fixed set of supported values.
template <class T>
T choose(NodeReader& node, const std::string& attribute, const std::string& otherwise, const std::map<std::string, T>& choices) {
  const std::string value = node.attributes().get_string(attribute, otherwise);
  const auto found = choices.find(value);
  if (found != choices.end()) return found->second;
  std::string known;
  for (const auto& [name, choice] : choices) known += concat(known.empty() ? "" : ", ", name);
  node.refuse(concat("attribute ", attribute, " is '", value, "'; supported are ", known));
}

bool is_linear(NodeReader& node) {
  return choose<bool>(node, "mode", "nearest", {{"nearest", false}, {"linear", true}, {"bilinear", true}});
}

ResizeMode read_mode(NodeReader& node) {
  ResizeMode mode{.is_linear = is_linear(node)};
  if (node.opset() < 11) {
    mode.rounds_up_when_smaller = true;
    return mode;
  }
  mode.coordinates = choose<Coordinates>(node, "coordinate_transformation_mode", "half_pixel",
                                         {{"half_pixel", Coordinates::HalfPixel},
                                          {"pytorch_half_pixel", Coordinates::PytorchHalfPixel},
                                          {"asymmetric", Coordinates::Asymmetric},
                                          {"align_corners", Coordinates::AlignCorners},
                                          {"half_pixel_symmetric", Coordinates::HalfPixelSymmetric}});
  mode.rounding = choose<NearestRounding>(node, "nearest_mode", "round_prefer_floor",
                                          {{"floor", NearestRounding::Floor},
                                           {"ceil", NearestRounding::Ceil},
                                           {"round_prefer_floor", NearestRounding::HalfDown},
                                           {"round_prefer_ceil", NearestRounding::HalfUp}});
  return mode;
}

enum class Policy { Stretch, NotLarger, NotSmaller };

Policy read_policy(NodeReader& node) {
  return choose<Policy>(node, "keep_aspect_ratio_policy", "stretch",
                        {{"not_larger", Policy::NotLarger}, {"not_smaller", Policy::NotSmaller}, {"stretch", Policy::Stretch}});
}

/// Checks attributes that apply to other modes only or have a single supported value.
void check_other_attributes(NodeReader& node) {
  for (const char* name : {"cubic_coeff_a", "exclude_outside", "extrapolation_value"}) node.attributes().ignore(name);
  if (node.attributes().get_int("antialias", 0) != 0) node.refuse("attribute antialias is not supported");
}

/// True if input `k` is present and not empty.
bool has_elements(NodeReader& node, std::size_t k) {
  return node.has_input(k) && !(node.is_constant(k) && node.constant(k, "the input").data.count == 0);
}

ResizedDim by_scale(NodeReader& node, std::size_t dim, index_t in_size, float scale) {
  const float size = std::floor(static_cast<float>(in_size) * scale);
  constexpr float limit = 1e15F;
  if (!(scale > 0) || !(size >= 1) || !(size < limit))
    node.refuse(concat("cannot scale the ", in_size, " elements of dimension ", dim, " by ", scale));
  return {.dim = dim, .scale = scale, .size = static_cast<index_t>(size)};
}

ResizedDim by_size(NodeReader& node, std::size_t dim, index_t in_size, index_t size) {
  const ReadContext& context = node.context();
  if (dim == 0 && size == context.model_batch && in_size == context.batch) size = in_size;
  if (size < 1) node.refuse(concat("size ", size, " of dimension ", dim, " must be at least 1"));
  return {.dim = dim, .scale = static_cast<float>(size) / static_cast<float>(in_size), .size = size, .is_by_size = true};
}

ResampledAxis resized_axis(const ResizeMode& mode, const ResizedDim& to) {
  if (mode.is_linear) return {.method = LinearAxis{to.scale, mode.coordinates}, .size = to.size};
  const bool rounds_up = mode.rounds_up_when_smaller && to.scale < 1;
  const NearestRounding rounding = rounds_up ? NearestRounding::Ceil : mode.rounding;
  return {.method = NearestAxis{to.scale, mode.coordinates, rounding, to.is_by_size}, .size = to.size};
}

void make_resize(NodeReader& node, const ResizeMode& mode, const std::vector<ResizedDim>& dims) {
  const Shape in = node.shape(0);
  expect_spatial(node, in);
  Resample op;
  for (const ResizedDim& to : dims) {
    const Axis axis = axis_of(node, static_cast<index_t>(to.dim), in.ndims);
    const bool is_same = to.size == in.extents[axis] && to.scale == 1;
    if (is_same) continue;
    if (!is_spatial(axis)) node.refuse(concat("resizes dimension ", to.dim, "; only spatial dimensions can be resized"));
    op[axis] = resized_axis(mode, to);
  }
  make_resample(node, op);
}

std::vector<ResizedDim> scaled_dims(NodeReader& node, const std::vector<std::size_t>& dims, const std::vector<float>& scales) {
  const std::vector<index_t> in = dims_of(node.shape(0));
  std::vector<ResizedDim> result;
  for (std::size_t k = 0; k < dims.size(); ++k) result.push_back(by_scale(node, dims[k], in[dims[k]], scales[k]));
  return result;
}

/// Sizes by a common scale: the smallest or the largest of the requested ones.
std::vector<ResizedDim> keeping_aspect(NodeReader& node, const std::vector<ResizedDim>& asked, bool is_not_larger) {
  const std::vector<index_t> in = dims_of(node.shape(0));
  const auto less = [](const ResizedDim& a, const ResizedDim& b) { return a.scale < b.scale; };
  const auto [smallest, largest] = std::minmax_element(asked.begin(), asked.end(), less);
  const float scale = is_not_larger ? smallest->scale : largest->scale;
  std::vector<ResizedDim> result;
  for (const ResizedDim& dim : asked)
    result.push_back({.dim = dim.dim,
                      .scale = scale,
                      .size = static_cast<index_t>(std::floor(scale * static_cast<float>(in[dim.dim]) + 0.5F))});
  return result;
}

std::vector<ResizedDim> sized_dims(NodeReader& node, const std::vector<std::size_t>& dims, const std::vector<index_t>& sizes) {
  const std::vector<index_t> in = dims_of(node.shape(0));
  if (sizes.size() != dims.size()) node.refuse(concat("has ", sizes.size(), " sizes for ", dims.size(), " dimensions"));
  std::vector<ResizedDim> result;
  for (std::size_t k = 0; k < dims.size(); ++k) result.push_back(by_size(node, dims[k], in[dims[k]], sizes[k]));
  return result;
}

std::vector<std::size_t> all_dims(NodeReader& node) {
  std::vector<std::size_t> dims(static_cast<std::size_t>(node.shape(0).ndims));
  std::iota(dims.begin(), dims.end(), std::size_t{0});
  return dims;
}

/// The dimensions to which sizes or scales apply.
std::vector<std::size_t> chosen_dims(NodeReader& node) {
  const std::vector<index_t> axes = node.attributes().get_ints("axes");
  if (axes.empty()) return all_dims(node);
  std::vector<std::size_t> dims;
  for (const index_t axis : axes) dims.push_back(static_cast<std::size_t>(checked_axis(node, axis, node.shape(0).ndims)));
  return dims;
}

std::vector<ResizedDim> read_scales(NodeReader& node, std::size_t input, const std::vector<std::size_t>& dims) {
  return scaled_dims(node, dims, node.constant_values(input, "the scales", static_cast<index_t>(dims.size())));
}

void read_resize(NodeReader& node) {
  const bool is_old = node.opset() < 11;
  node.expect_inputs(is_old ? 2 : 1, is_old ? 2 : 4);
  const ResizeMode mode = read_mode(node);
  check_other_attributes(node);
  const std::vector<std::size_t> dims = chosen_dims(node);
  if (is_old) return make_resize(node, mode, read_scales(node, 1, dims));
  if (has_elements(node, 2)) {
    node.attributes().ignore("keep_aspect_ratio_policy");  // applies to sizes only
    return make_resize(node, mode, read_scales(node, 2, dims));
  }
  if (!has_elements(node, 3)) node.refuse("has neither scales nor sizes");
  const Policy policy = read_policy(node);
  std::vector<ResizedDim> sized = sized_dims(node, dims, node.integers(3, "the sizes"));
  if (policy != Policy::Stretch) sized = keeping_aspect(node, sized, policy == Policy::NotLarger);
  make_resize(node, mode, sized);
}

void read_upsample(NodeReader& node) {
  const bool has_attribute = node.opset() < 9;
  node.expect_inputs(has_attribute ? 1 : 2, has_attribute ? 1 : 2);
  const ResizeMode mode{.is_linear = is_linear(node)};
  const std::vector<std::size_t> dims = all_dims(node);
  if (!has_attribute) return make_resize(node, mode, read_scales(node, 1, dims));
  const std::vector<float> scales = node.attributes().get_floats("scales");
  if (scales.size() != dims.size())
    node.refuse(concat("attribute scales has ", scales.size(), " values for ", dims.size(), " dimensions"));
  make_resize(node, mode, scaled_dims(node, dims, scales));
}

/// In alphabetical order.
constexpr OperatorRow rows[]{
    {"Resize", read_resize},
    {"Upsample", read_upsample},
};

}  // namespace

bool is_copy(const Resample& op) {
  return std::all_of(op.axes.begin(), op.axes.end(),
                     [](const ResampledAxis& axis) { return std::holds_alternative<KeepAxis>(axis.method); });
}

void make_resample(NodeReader& node, const Resample& op) {
  if (is_copy(op)) return node.make(Elementwise{}, {node.value(0)});
  node.make(op, {node.value(0)});
}

std::span<const OperatorRow> resize_operators() { return rows; }

}  // namespace parconv
