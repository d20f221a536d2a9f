// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/onnx_node.hpp"

#include "parconv/core/error.hpp"

namespace parconv {

NodeReader::NodeReader(const onnx::NodeProto& proto, const ReadContext& context, OnnxNetworkBuilder& network)
    : proto_(proto), context_(context), network_(network), label_(label_of(proto)), attributes_(proto, label_) {
  if (proto.output_size() == 0 || proto.output(0).empty()) refuse("has no output");
}

void NodeReader::refuse(const std::string& message, const std::string& hint) const {
  throw Error(ExitCode::BadData, concat(label_, ": ", message), hint);
}

const std::string& NodeReader::input_name(std::size_t k) const {
  if (k >= num_inputs()) refuse(concat("has ", num_inputs(), " inputs, but needs input ", k));
  return proto_.input(static_cast<int>(k));
}

bool NodeReader::has_input(std::size_t k) const { return k < num_inputs() && !input_name(k).empty(); }

void NodeReader::expect_inputs(std::size_t at_least, std::size_t at_most) const {
  if (num_inputs() < at_least || num_inputs() > at_most)
    refuse(concat("has ", num_inputs(), " inputs, expected ", at_least, at_most == at_least ? "" : concat(" to ", at_most)));
  for (std::size_t k = 0; k < at_least; ++k)
    if (!has_input(k)) refuse(concat("input ", k, " is missing"));
}

void NodeReader::expect_value(std::size_t k) {
  const std::size_t ndims = dims(k).size();
  if (network_.find_chain(input_name(k)) == nullptr || (ndims >= 1 && ndims <= num_axes)) return;
  refuse(concat("reads '", input_name(k), "' of ", ndims, " dimensions ", dims_string(dims(k)), ", but 1 to 5 are supported"),
         "other numbers of dimensions are supported only between Reshape, Transpose and similar operators");
}

ValueId NodeReader::value(std::size_t k) {
  expect_value(k);
  return network_.value(input_name(k));
}

Shape NodeReader::shape(std::size_t k) {
  expect_value(k);
  return network_.shape(input_name(k));
}

const OnnxConstant& NodeReader::constant(std::size_t k, const char* what) {
  const OnnxConstant* found = network_.find_constant(input_name(k));
  if (found == nullptr)
    refuse(concat(what, " ('", input_name(k), "') must be constant, but are computed or an input of the model"),
           "export the model with its weights as initializers");
  return *found;
}

std::vector<float> NodeReader::constant_values(std::size_t k, const char* what, index_t count) {
  const OnnxConstant& found = constant(k, what);
  if (found.data.count != count)
    refuse(concat(what, " ('", input_name(k), "') has dimensions ", dims_string(found.dims), ", expected ", count, " elements"));
  return elements_of(found, label_);
}

float NodeReader::scalar(std::size_t k, const char* what) { return constant_values(k, what, 1).front(); }

std::vector<index_t> NodeReader::integers(std::size_t k, const char* what) {
  const OnnxConstant& found = constant(k, what);
  if (!found.is_integer || found.dims.size() > 1 || static_cast<index_t>(found.integers.size()) != found.data.count)
    refuse(concat(what, " ('", input_name(k), "') is not a short list of integers"));
  return found.integers;
}

bool NodeReader::is_output_used(std::size_t k) const {
  return !output_name(k).empty() && network_.graph().is_used(output_name(k));
}

void NodeReader::expect_outputs_made() const {
  for (std::size_t k = 1; k < num_outputs(); ++k)
    if (is_output_used(k) && !network_.is_known(output_name(k)))
      refuse(concat("output ", k, " ('", output_name(k), "') is used, but only the first is supported"));
}

void NodeReader::make(Operator op, std::vector<ValueId> inputs, Epilogue epilogue) {
  network_.add_node({.name = name(), .op = std::move(op), .inputs = std::move(inputs), .epilogue = std::move(epilogue)},
                    output_name());
}

void NodeReader::make(Operator op, std::vector<ValueId> inputs, const Shape& shape) {
  network_.add_node({.name = name(), .op = std::move(op), .inputs = std::move(inputs)}, output_name(), shape);
}

ValueId NodeReader::add_step(const char* suffix, Operator op, std::vector<ValueId> inputs, Epilogue epilogue) {
  const std::string step = network_.fresh_name(concat(output_name(), ".", suffix));
  return network_.add_node({.name = step, .op = std::move(op), .inputs = std::move(inputs), .epilogue = std::move(epilogue)},
                           step);
}

ValueId NodeReader::scalar_value(const char* suffix, float value, ValueId like) {
  const std::string constant = network_.fresh_name(concat(output_name(), ".", suffix));
  return network_.add_constant(constant, float_constant({value}, {}), network_.shape(like).ndims, label_);
}

ValueId NodeReader::with_dims(ValueId value, const std::vector<index_t>& dims) {
  if (dims_of(network_.shape(value)) == dims) return value;
  const std::string step = network_.fresh_name(concat(output_name(), ".dims"));
  network_.set_chain(step, {.source = value, .moves = in_order(dims), .node = step});
  return network_.value(step);
}

void NodeReader::make_with_dims(ValueId value, const std::vector<index_t>& dims) {
  network_.set_chain(output_name(), {.source = value, .moves = in_order(dims), .node = name()});
}

int checked_axis(const NodeReader& node, index_t axis, int ndims) {
  if (axis < -ndims || axis >= ndims) node.refuse(concat("attribute axis is ", axis, " for an input of ", ndims, " dimensions"));
  return static_cast<int>(axis < 0 ? axis + ndims : axis);
}

Axis axis_of(const NodeReader& node, index_t axis, int ndims) {
  const int dim = checked_axis(node, axis, ndims);
  const bool skips_depth = ndims < num_axes && dim >= 2;
  return all_axes[static_cast<std::size_t>(skips_depth ? dim + 1 : dim)];
}

}  // namespace parconv
