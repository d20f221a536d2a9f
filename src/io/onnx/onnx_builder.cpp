// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/onnx_builder.hpp"

#include <algorithm>

#include "parconv/core/checked.hpp"
#include "parconv/core/error.hpp"
#include "parconv/io/constants.hpp"

namespace parconv {
namespace {

/// Keeps the first four dimensions and multiplies the others into the fifth.
std::vector<index_t> at_most_five(std::vector<index_t> dims) {
  for (; dims.size() > num_axes; dims.pop_back()) dims[dims.size() - 2] *= dims.back();
  return dims;
}

}  // namespace

ValueId OnnxNetworkBuilder::add_value(Value value) {
  const auto id = static_cast<ValueId>(network_.values.size());
  network_.values.push_back(std::move(value));
  return id;
}

ValueId OnnxNetworkBuilder::add_input(const std::string& name, const Shape& shape) {
  const ValueId id = add_value({.name = name, .kind = ValueKind::Input, .extents = shape.extents, .ndims = shape.ndims});
  network_.inputs.push_back(id);
  values_[name] = id;
  return id;
}

void OnnxNetworkBuilder::add_output(const std::string& name) {
  ValueId id = find_constant(name) != nullptr ? exact_constant(name) : value(name);
  if (network_.value(id).kind != ValueKind::Activation) id = add_node({.name = name, .op = Elementwise{}, .inputs = {id}}, name);
  if (!output_names_.insert(name).second)
    throw Error(ExitCode::BadData, concat("output '", name, "' is listed twice"), "leave one of them out");
  network_.outputs.push_back(id);
}

ValueId OnnxNetworkBuilder::exact_constant(const std::string& name) {
  constexpr index_t largest = index_t{1} << 24;
  OnnxConstant constant = *find_constant(name);
  const std::string what = concat("output '", name, "'");
  for (const index_t value : constant.integers)
    if (value < -largest || value > largest)
      throw Error(ExitCode::BadData, concat(what, " is a constant with the integer ", value, ", which f32 cannot represent"));
  if (constant.dims.empty()) constant.dims = {1};
  return add_constant(name, constant, static_cast<int>(constant.dims.size()), what);
}

const OnnxConstant* OnnxNetworkBuilder::find_constant(const std::string& name) {
  if (const auto known = constants_.find(name); known != constants_.end()) return &known->second;
  const auto initializer = graph_.initializers.find(name);
  if (initializer == graph_.initializers.end()) return nullptr;
  return &(constants_[name] = read_tensor(*initializer->second, model_path(), concat("initializer '", name, "'")));
}

bool OnnxNetworkBuilder::is_known(const std::string& name) {
  return values_.contains(name) || find_chain(name) != nullptr || find_constant(name) != nullptr;
}

ValueId OnnxNetworkBuilder::value(const std::string& name) {
  if (const auto known = values_.find(name); known != values_.end()) return known->second;
  if (const Chain* chain = find_chain(name)) return make_chain(name, *chain);
  const OnnxConstant* constant = find_constant(name);
  PARCONV_EXPECT(constant != nullptr, "'", name, "' is not known yet");
  return constant_value(name, static_cast<int>(constant->dims.size()), concat("constant '", name, "'"));
}

ValueId OnnxNetworkBuilder::constant_value(const std::string& name, int ndims, const std::string& what) {
  const std::string key = concat(name, "\n", ndims);  // no name of the graph that stands for a value of the network
  if (const auto known = values_.find(key); known != values_.end()) return known->second;
  const OnnxConstant* constant = find_constant(name);
  PARCONV_EXPECT(constant != nullptr, "'", name, "' is not a constant");
  return values_[key] = add_constant(name, *constant, ndims, what);
}

ValueId OnnxNetworkBuilder::add_constant(const std::string& name, const OnnxConstant& constant, int ndims,
                                         const std::string& what) {
  std::vector<index_t> dims = constant.dims;
  if (static_cast<int>(dims.size()) > ndims)
    throw Error(ExitCode::BadData, concat(what, ": constant '", name, "' has dimensions ", dims_string(dims), ", more than the ",
                                          ndims, " of the other input"));
  dims.insert(dims.begin(), static_cast<std::size_t>(ndims) - dims.size(), 1);
  const Shape shape = shape_from_dims(dims, concat(what, ": constant '", name, "'"));
  Value value{.name = name, .kind = ValueKind::Constant, .extents = shape.extents, .ndims = ndims, .constant = constant.data};
  if (constant.data.count == 1 && !constant.data.is_fill)  // kept in memory, so that pattern matching sees its value
    value.constant = {.values = std::make_shared<const std::vector<float>>(read_constant(constant.data)), .count = 1};
  return add_value(std::move(value));
}

Shape OnnxNetworkBuilder::shape(const std::string& name) {
  if (const auto known = values_.find(name); known != values_.end()) return shape(known->second);
  return shape_from_dims(dims(name), concat(find_chain(name) != nullptr ? "'" : "constant '", name, "'"));
}

std::vector<index_t> OnnxNetworkBuilder::dims(const std::string& name) {
  if (const Chain* chain = find_chain(name)) return chain->moves.dims;
  if (const auto known = values_.find(name); known != values_.end()) return dims_of(shape(known->second));
  const OnnxConstant* constant = find_constant(name);
  PARCONV_EXPECT(constant != nullptr, "'", name, "' is not known yet");
  return constant->dims;
}

const Chain* OnnxNetworkBuilder::find_chain(const std::string& name) const {
  const auto found = chains_.find(name);
  return found == chains_.end() ? nullptr : &found->second;
}

Chain OnnxNetworkBuilder::chain(const std::string& name) {
  if (const Chain* known = find_chain(name)) return *known;
  return {.source = value(name), .moves = in_order(dims(name))};
}

Chain OnnxNetworkBuilder::reshaped_chain(const std::string& name, const std::vector<index_t>& dims) {
  Chain longer = chain(name);
  if (std::optional<Rearrange> moves = reshaped(longer.moves, dims)) {
    longer.moves = std::move(*moves);
    return longer;
  }
  if (longer.moves.dims.size() > num_axes) {
    longer.moves = reshaped(longer.moves, at_most_five(longer.moves.dims)).value();
    return {.source = make_chain(fresh_name(concat(name, ".moved")), longer), .moves = in_order(dims)};
  }
  return {.source = value(name), .moves = in_order(dims)};
}

void OnnxNetworkBuilder::set_flattening(const std::string& name, ValueId source) {
  const Shape from = shape(source);
  const index_t n = from.extents[Axis::N];
  set_chain(name, {.source = source, .moves = in_order({n, volume(from.extents) / n}), .node = name});
}

std::optional<ValueId> OnnxNetworkBuilder::find_flattening(const std::string& name) const {
  const Chain* chain = find_chain(name);
  if (chain == nullptr || chain->moves.dims.size() != 2 || !keeps_order(chain->moves)) return std::nullopt;
  const bool keeps_samples = chain->moves.dims.front() == shape(chain->source).extents[Axis::N];
  return keeps_samples ? std::optional(chain->source) : std::nullopt;
}

ValueId OnnxNetworkBuilder::make_chain(const std::string& name, const Chain& chain) {
  const Shape out = shape_from_dims(chain.moves.dims, concat("'", name, "'"));
  const Extents& in = network_.value(chain.source).extents;
  Node node{.name = chain.node, .inputs = {chain.source}};
  if (keeps_order(chain.moves) && in == out.extents) {
    node.op = Elementwise{};
  } else if (std::optional<Rearrange> op = aligned(chain.moves, in)) {
    node.op = std::move(*op);
  } else if (keeps_order(chain.moves)) {
    node.op = Reshape{};
  } else {
    node.inputs = {make_factors(name, chain)};
    node.op = aligned(chain.moves, network_.value(node.inputs.front()).extents).value();
  }
  return add_node(std::move(node), name, out);
}

ValueId OnnxNetworkBuilder::make_factors(const std::string& name, const Chain& chain) {
  const index_t n = network_.value(chain.source).extents[Axis::N];
  const std::string between = fresh_name(concat(name, ".factors"));
  std::vector<index_t> dims = chain.moves.factors;
  if (dims.front() % n == 0) {  // keep samples apart if possible
    dims.front() /= n;
    dims.insert(dims.begin(), n);
  }
  Shape shape = shape_from_dims(at_most_five(dims), between);
  if (!aligned(chain.moves, shape.extents)) shape = shape_from_dims(at_most_five(chain.moves.factors), between);
  return add_node({.name = chain.node, .op = Reshape{}, .inputs = {chain.source}}, between, shape);
}

ValueId OnnxNetworkBuilder::add_node(Node node, const std::string& output, const Shape& shape) {
  const ValueId id = add_value({.name = output, .extents = shape.extents, .ndims = shape.ndims});
  node.output = id;
  network_.nodes.push_back(std::move(node));
  values_[output] = id;
  return id;
}

ValueId OnnxNetworkBuilder::add_node(Node node, const std::string& output) {
  std::vector<Shape> shapes;
  for (std::size_t k = 0; k < node.num_operands(); ++k) shapes.push_back(shape(node.inputs[k]));
  const Shape shape = output_shape(node.op, shapes, concat("node '", node.name, "'"));
  return add_node(std::move(node), output, shape);
}

std::string OnnxNetworkBuilder::fresh_name(const std::string& base) {
  std::string name = base;
  for (int k = 2; graph_.is_used(name) || values_.contains(name) || !fresh_names_.insert(name).second; ++k)
    name = concat(base, k);
  return name;
}

Network OnnxNetworkBuilder::take(const std::string& name) {
  network_.name = name;
  return std::move(network_);
}

}  // namespace parconv
