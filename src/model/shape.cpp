#include "parconv/model/shape.hpp"

#include <algorithm>

#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

constexpr index_t max_elems = index_t{1} << 62;

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
  if (elems > max_elems) refuse(what, concat("a tensor of ", extents, " has ", elems, " elements, more than 2^62"));
}

/// The shape rule of every operator; operands are the inputs without the residual.
struct ShapeRule {
  std::span<const Shape> operands;
  const std::string& node;

  const Shape& only_operand() const {
    if (operands.size() != 1) refuse(node, concat("expects one input, but has ", operands.size()));
    return operands.front();
  }

  index_t windowed(const WindowAxis& window, index_t in_size, const char* axis) const {
    const auto require = [&](bool holds, const char* attribute, index_t value, const char* rule) {
      if (!holds) refuse(node, concat(attribute, " along ", axis, " is ", value, ", but must be ", rule));
    };
    require(window.kernel >= 1, "kernel", window.kernel, "at least 1");
    require(window.stride >= 1, "stride", window.stride, "at least 1");
    require(window.dilation >= 1, "dilation", window.dilation, "at least 1");
    require(window.pad_lo >= 0, "padding at the low end", window.pad_lo, "at least 0");
    require(window.pad_hi >= 0, "padding at the high end", window.pad_hi, "at least 0");
    const index_t span = checked_add(checked_mul(window.dilation, window.kernel - 1, node.c_str()), 1, node.c_str());
    const index_t padded = checked_add(checked_add(in_size, window.pad_lo, node.c_str()), window.pad_hi, node.c_str());
    if (padded < span)
      refuse(node, concat("its window spans ", span, " along ", axis, ", but the padded input has only ", padded));
    return window.output_size(in_size);
  }

  Shape slide(const Window& window, const Shape& in) const {
    Shape out = in;
    for (Axis axis : spatial_axes) out.extents[axis] = windowed(window[axis], in.extents[axis], name_of(axis));
    return out;
  }

  void check_filter(const Conv& op, index_t ic) const {
    const Filter& filter = op.filter;
    if (op.groups < 1 || filter.oc < 1 || filter.ic_per_group < 1)
      refuse(node, concat("has ", op.groups, " groups, ", filter.oc, " output channels and ", filter.ic_per_group,
                          " input channels a group; each must be at least 1"));
    if (filter.oc % op.groups != 0)
      refuse(node, concat(filter.oc, " output channels are not a multiple of ", op.groups, " groups"));
    if (checked_mul(filter.ic_per_group, op.groups, node.c_str()) != ic)
      refuse(node, concat("its filter is for ", op.groups, " groups of ", filter.ic_per_group,
                          " input channels, but the input has ", ic, " channels"));
    for (Axis axis : spatial_axes)
      if (filter.kernel[static_cast<std::size_t>(axis) - 2] != op.window[axis].kernel)
        refuse(node, concat("kernel along ", name_of(axis), " is ", op.window[axis].kernel, ", but the filter has ",
                            filter.kernel[static_cast<std::size_t>(axis) - 2]));
    check_count("factors of the filter", filter.scale ? filter.scale->size() : 0, filter.oc, !filter.scale);
  }

  void check_count(const char* what, std::size_t found, index_t expected, bool is_absent = false) const {
    if (!is_absent && found != static_cast<std::size_t>(expected))
      refuse(node, concat("has ", found, " ", what, " for ", expected, " channels"));
  }

  Shape operator()(const Conv& op) const {
    const Shape& in = only_operand();
    check_filter(op, in.extents[Axis::C]);
    Shape out = slide(op.window, in);
    out.extents[Axis::C] = op.filter.oc;
    return out;
  }

  Shape operator()(const Pool& op) const { return slide(op.window, only_operand()); }
  Shape operator()(const Elementwise&) const { return only_operand(); }

  Shape operator()(const ScaleShift& op) const {
    const Shape& in = only_operand();
    check_count("scales", op.scale.size(), in.extents[Axis::C]);
    check_count("shifts", op.shift.size(), in.extents[Axis::C]);
    return in;
  }

  const Shape& first_operand() const {
    if (operands.empty()) refuse(node, "expects at least one input, but has none");
    return operands.front();
  }

  Shape operator()(const Sum&) const {
    Shape out = first_operand();
    for (const Shape& operand : operands) {
      out.ndims = std::max(out.ndims, operand.ndims);
      for (Axis axis : all_axes) {
        index_t& extent = out.extents[axis];
        const index_t other = operand.extents[axis];
        if (extent != other && extent != 1 && other != 1)
          refuse(node, concat("inputs of ", out.extents, " and ", operand.extents, " differ along ", name_of(axis)));
        if (extent == 1) extent = other;
      }
    }
    return out;
  }

  Shape operator()(const Concat&) const {
    Shape out = first_operand();
    for (const Shape& operand : operands.subspan(1)) {
      for (Axis axis : all_axes)
        if (axis != Axis::C && operand.extents[axis] != out.extents[axis])
          refuse(node,
                 concat("joins channels of ", out.extents, " and ", operand.extents, ", which differ along ", name_of(axis)));
      out.extents[Axis::C] = checked_add(out.extents[Axis::C], operand.extents[Axis::C], node.c_str());
    }
    return out;
  }

  Shape operator()(const RowSum&) const {
    Shape out = only_operand();
    out.extents[Axis::W] = 1;
    return out;
  }

  Shape operator()(const RowsMean& op) const {
    Shape out = only_operand();
    if (op.count < 1) refuse(node, concat("divides by ", op.count, ", but must divide by at least 1"));
    out.extents[Axis::D] = 1;
    out.extents[Axis::H] = 1;
    return out;
  }

  Shape operator()(const Softmax&) const { return only_operand(); }

  Shape operator()(const Reshape&) const {
    PARCONV_EXPECT(false, node, ": the target of a Reshape does not follow from its input");
    return {};
  }
};

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
  const Shape out = std::visit(ShapeRule{.operands = operands, .node = node_name}, op);
  check_elems(out.extents, node_name);
  return out;
}

}  // namespace parconv
