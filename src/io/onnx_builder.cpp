#include "io/onnx_builder.hpp"

#include <algorithm>

#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// (n, c * d * h * w).
Shape flattened(const Shape& source) {
  index_t rest = 1;
  for (Axis axis : all_axes)
    if (axis != Axis::N) rest = checked_mul(rest, source.extents[axis], "elements of a sample");
  return {.extents = {{source.extents[Axis::N], rest, 1, 1, 1}}, .ndims = 2};
}

}  // namespace

ValueId NetworkBuilder::add_value(Value value) {
  const auto id = static_cast<ValueId>(network_.values.size());
  network_.values.push_back(std::move(value));
  return id;
}

ValueId NetworkBuilder::add_input(const std::string& name, const Shape& shape) {
  const ValueId id = add_value({.name = name, .kind = ValueKind::Input, .extents = shape.extents, .ndims = shape.ndims});
  network_.inputs.push_back(id);
  values_[name] = id;
  return id;
}

void NetworkBuilder::add_output(const std::string& name) {
  if (find_constant(name) != nullptr)
    throw Error(ExitCode::BadData, concat("output '", name, "' is a constant: it does not depend on any input"));
  const ValueId id = value(name);
  if (network_.value(id).kind != ValueKind::Activation)
    throw Error(ExitCode::BadData, concat("output '", name, "' is an input of the model"), "put an Identity between them");
  if (!output_names_.insert(name).second)
    throw Error(ExitCode::BadData, concat("output '", name, "' is there twice"), "leave one of them out");
  network_.outputs.push_back(id);
}

const OnnxConstant* NetworkBuilder::find_constant(const std::string& name) {
  if (const auto known = constants_.find(name); known != constants_.end()) return &known->second;
  const auto initializer = graph_.initializers.find(name);
  if (initializer == graph_.initializers.end()) return nullptr;
  return &(constants_[name] = read_tensor(*initializer->second, model_path(), concat("initializer '", name, "'")));
}

ValueId NetworkBuilder::value(const std::string& name) {
  if (const auto known = values_.find(name); known != values_.end()) return known->second;
  if (const std::optional<ValueId> source = find_flattening(name))
    return add_node({.name = name, .op = Reshape{}, .inputs = {*source}}, name, flattened(shape(*source)));
  const OnnxConstant* constant = find_constant(name);
  PARCONV_EXPECT(constant != nullptr, "'", name, "' is not known yet");
  return constant_value(name, static_cast<int>(constant->dims.size()), concat("constant '", name, "'"));
}

ValueId NetworkBuilder::constant_value(const std::string& name, int ndims, const std::string& what) {
  const std::string key = concat(name, "\n", ndims);  // no name of the graph that stands for a value of the network
  if (const auto known = values_.find(key); known != values_.end()) return known->second;
  const OnnxConstant* constant = find_constant(name);
  PARCONV_EXPECT(constant != nullptr, "'", name, "' is not a constant");
  return values_[key] = add_constant(name, *constant, ndims, what);
}

ValueId NetworkBuilder::add_constant(const std::string& name, const OnnxConstant& constant, int ndims, const std::string& what) {
  std::vector<index_t> dims = constant.dims;
  if (static_cast<int>(dims.size()) > ndims)
    throw Error(ExitCode::BadData, concat(what, ": constant '", name, "' has dimensions ", dims_string(dims), ", more than the ",
                                          ndims, " of the other input"));
  dims.insert(dims.begin(), static_cast<std::size_t>(ndims) - dims.size(), 1);
  const Shape shape = shape_from_dims(dims, concat(what, ": constant '", name, "'"));
  return add_value(
      {.name = name, .kind = ValueKind::Constant, .extents = shape.extents, .ndims = ndims, .constant = constant.data});
}

Shape NetworkBuilder::shape(const std::string& name) {
  if (const std::optional<ValueId> source = find_flattening(name)) return flattened(shape(*source));
  if (const auto known = values_.find(name); known != values_.end()) return shape(known->second);
  const OnnxConstant* constant = find_constant(name);
  PARCONV_EXPECT(constant != nullptr, "'", name, "' is not known yet");
  return shape_from_dims(constant->dims, concat("constant '", name, "'"));
}

std::optional<ValueId> NetworkBuilder::find_flattening(const std::string& name) const {
  const auto found = flattenings_.find(name);
  return found == flattenings_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<ValueId> NetworkBuilder::find_reshaped(ValueId id) const {
  const auto found = reshaped_.find(id);
  return found == reshaped_.end() ? std::nullopt : std::optional(found->second);
}

ValueId NetworkBuilder::add_node(Node node, const std::string& output, const Shape& shape) {
  const ValueId id = add_value({.name = output, .extents = shape.extents, .ndims = shape.ndims});
  node.output = id;
  if (std::holds_alternative<Reshape>(node.op)) reshaped_.emplace(id, node.inputs.front());
  network_.nodes.push_back(std::move(node));
  values_[output] = id;
  return id;
}

ValueId NetworkBuilder::add_node(Node node, const std::string& output) {
  std::vector<Shape> shapes;
  for (std::size_t k = 0; k < node.num_operands(); ++k) shapes.push_back(shape(node.inputs[k]));
  const Shape shape = output_shape(node.op, shapes, concat("node '", node.name, "'"));
  return add_node(std::move(node), output, shape);
}

std::string NetworkBuilder::fresh_name(const std::string& base) {
  std::string name = base;
  for (int k = 2; graph_.is_used(name) || values_.contains(name) || !fresh_names_.insert(name).second; ++k)
    name = concat(base, k);
  return name;
}

Network NetworkBuilder::take(const std::string& name) {
  network_.name = name;
  return std::move(network_);
}

}  // namespace parconv
