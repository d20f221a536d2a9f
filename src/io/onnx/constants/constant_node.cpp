// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/constants/constant_node.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"

namespace parconv {

ConstantNode::ConstantNode(NodeReader& reader) : reader_(reader) {
  for (std::size_t k = 0; k < reader.num_inputs(); ++k) {
    inputs_.emplace_back();
    if (reader.has_input(k)) inputs_.back() = loaded(*reader.network().find_constant(reader.input_name(k)));
  }
}

const ConstantTensor& ConstantNode::input(std::size_t k) const {
  if (!has_input(k)) refuse(concat("input ", k, " is missing"));
  return *inputs_[k];
}

const std::vector<index_t>& ConstantNode::integers(std::size_t k, const char* what) const {
  if (!input(k).is_integer()) refuse(concat(what, " ('", reader_.input_name(k), "') are not integers"));
  return input(k).integers();
}

index_t ConstantNode::integer(std::size_t k, const char* what) const {
  const std::vector<index_t>& values = integers(k, what);
  if (values.size() != 1) refuse(concat(what, " ('", reader_.input_name(k), "') has ", values.size(), " elements, expected one"));
  return values.front();
}

index_t ConstantNode::resolved(index_t index, index_t count, const char* what) const {
  if (index < -count || index >= count) refuse(concat(what, " ", index, " is out of range for ", count));
  return index < 0 ? index + count : index;
}

std::size_t ConstantNode::axis(index_t otherwise, std::size_t ndims) {
  return static_cast<std::size_t>(resolved(attributes().get_int("axis", otherwise), static_cast<index_t>(ndims), "axis"));
}

index_t ConstantNode::checked_count(const Dims& dims) const {
  const index_t count = count_of(dims, reader_.label());
  if (count > max_evaluated_elements)
    refuse(concat("makes a constant of dimensions ", dims_string(dims), ", which has more than 2^24 elements"));
  return count;
}

Dims ConstantNode::broadcast(std::span<const Dims> all) const {
  std::size_t ndims = 0;
  for (const Dims& dims : all) ndims = std::max(ndims, dims.size());
  Dims result(ndims, 1);
  for (const Dims& dims : all)
    for (std::size_t k = 0; k < dims.size(); ++k) {
      index_t& dim = result[ndims - dims.size() + k];
      if (dim != 1 && dims[k] != 1 && dim != dims[k])
        refuse(concat("cannot broadcast constants of ", dims_string(all.front()), " and ", dims_string(dims)));
      if (dim == 1) dim = dims[k];
    }
  checked_count(result);
  return result;
}

}  // namespace parconv
