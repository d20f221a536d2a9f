// SPDX-License-Identifier: Apache-2.0
// Builds networks of named values without weights, for tests of structure, shapes and plans.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "parconv/model/network.hpp"
#include "parconv/model/shape.hpp"

namespace parconv::test {

inline constexpr Reduction sum_over_columns{.axes = {false, false, false, false, true}};
constexpr Reduction mean_over_space(index_t count) { return {.axes = {false, false, true, true, true}, .count = count}; }

/// Every method adds a node with an output of the given name, and returns that value.
class NamedNetworkBuilder {
 public:
  ValueId input(const std::string& name, const Extents& extents, int ndims = 4) {
    net_.inputs.push_back(add_value({.name = name, .kind = ValueKind::Input, .extents = extents, .ndims = ndims}));
    return net_.inputs.back();
  }

  ValueId constant(const std::string& name, const Extents& extents) {
    return add_value(
        {.name = name, .kind = ValueKind::Constant, .extents = extents, .constant = {.is_fill = true, .fill = 1.0F}});
  }

  void set_fill(ValueId constant, float value) { net_.value(constant).constant.fill = value; }

  ValueId add(const std::string& name, Operator op, std::vector<ValueId> inputs, Epilogue epilogue = {}) {
    std::vector<Shape> shapes;
    for (ValueId id : inputs) shapes.push_back(shape_of(net_.value(id)));
    if (epilogue.has_residual) shapes.pop_back();
    const Shape shape = output_shape(op, shapes, name);
    return add_as(name, shape, std::move(op), std::move(inputs), std::move(epilogue));
  }

  ValueId add_as(const std::string& name, const Shape& shape, Operator op, std::vector<ValueId> inputs, Epilogue epilogue = {}) {
    const ValueId output = add_value({.name = name, .extents = shape.extents, .ndims = shape.ndims});
    net_.nodes.push_back({.name = name + "_node",
                          .op = std::move(op),
                          .inputs = std::move(inputs),
                          .output = output,
                          .epilogue = std::move(epilogue)});
    return output;
  }

  /// A square convolution that keeps the size at stride 1.
  ValueId conv(const std::string& name, ValueId in, index_t oc, index_t kernel = 3, index_t stride = 1, index_t groups = 1) {
    Conv op{.groups = groups};
    op.filter = {.oc = oc, .ic_per_group = net_.value(in).extents[Axis::C] / groups, .kernel = {1, kernel, kernel}};
    for (Axis axis : {Axis::H, Axis::W})
      op.window[axis] = {.kernel = kernel, .stride = stride, .pad_lo = kernel / 2, .pad_hi = kernel / 2};
    return add(name, op, {in});
  }

  ValueId relu(const std::string& name, ValueId in) {
    return add(name, Elementwise{}, {in}, Epilogue{.activation = {.kind = ActivationKind::Relu}});
  }

  /// A Gemm after Flatten: a filter over the full extent.
  ValueId full_conv(const std::string& name, ValueId in, index_t oc) {
    const Extents& extents = net_.value(in).extents;
    Conv op;
    op.filter = {.oc = oc, .ic_per_group = extents[Axis::C], .kernel = {extents[Axis::D], extents[Axis::H], extents[Axis::W]}};
    for (Axis axis : spatial_axes) op.window[axis].kernel = extents[axis];
    return add(name, op, {in});
  }

  Network build(std::vector<ValueId> outputs) {
    net_.outputs = std::move(outputs);
    return net_;
  }

 private:
  ValueId add_value(Value value) {
    net_.values.push_back(std::move(value));
    return static_cast<ValueId>(net_.values.size()) - 1;
  }

  Network net_{.name = "test"};
};

/// The name of a node's output.
inline const std::string& output_name(const Network& network, const Node& node) { return network.value(node.output).name; }

inline std::vector<std::string> output_names(const Network& network) {
  std::vector<std::string> names;
  for (const Node& node : network.nodes) names.push_back(output_name(network, node));
  return names;
}

inline const Node& node_making(const Network& network, const std::string& name) {
  for (const Node& node : network.nodes)
    if (output_name(network, node) == name) return node;
  throw std::out_of_range("no node produces " + name);
}

}  // namespace parconv::test
