// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/shape.hpp"

#include "model/ops/all.hpp"
#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// 2^50 bytes of f32: byte counts, and their sums over a network, stay far below the limits of 64 bits.
constexpr index_t max_elems = index_t{1} << 48;

/// The axes of ONNX dimensions, for 1 to 5 of them.
std::span<const Axis> axes_of(int ndims) {
  static constexpr std::array<Axis, 4> flat{Axis::N, Axis::C, Axis::H, Axis::W};
  PARCONV_EXPECT(ndims >= 1 && ndims <= 5, "ndims ", ndims);
  if (ndims == 5) return all_axes;
  return std::span(flat).first(static_cast<std::size_t>(ndims));
}

[[noreturn]] void refuse(const std::string& what, const std::string& why) {
  throw Error(ExitCode::BadData, concat(what, ": ", why));
}

void check_elems(const Extents& extents, const std::string& what) {
  const index_t elems = checked_product(extents.values, concat("number of elements of ", what).c_str());
  if (elems > max_elems) refuse(what, concat("a tensor of ", extents, " has ", elems, " elements, more than 2^48"));
}

}  // namespace

Shape shape_of(const Value& value) { return {.extents = value.extents, .ndims = value.ndims}; }

Shape shape_from_dims(std::span<const index_t> dims, const std::string& what) {
  if (dims.empty() || dims.size() > num_axes)
    refuse(what, concat("has ", dims.size(), " dimensions, but 1 to 5 are supported (n, c, d, h, w)"));
  Shape shape{.extents = {}, .ndims = static_cast<int>(dims.size())};
  const std::span<const Axis> axes = axes_of(shape.ndims);
  for (std::size_t k = 0; k < dims.size(); ++k) {
    if (dims[k] < 1) refuse(what, concat("dimension ", k, " is ", dims[k], ", but must be at least 1"));
    shape.extents[axes[k]] = dims[k];
  }
  check_elems(shape.extents, what);
  return shape;
}

std::vector<index_t> dims_of(const Shape& shape) {
  std::vector<index_t> dims;
  for (Axis axis : axes_of(shape.ndims)) dims.push_back(shape.extents[axis]);
  return dims;
}

Shape output_shape(const Operator& op, std::span<const Shape> operands, const std::string& node_name) {
  const OperandShapes shapes{operands, node_name};
  const Shape out = with_rules(op, [&](auto rules, const auto& kind) { return rules.output_shape(kind, shapes); });
  check_elems(out.extents, node_name);
  return out;
}

}  // namespace parconv
