// SPDX-License-Identifier: Apache-2.0
#include "fuzz/model_mutator.hpp"

#include <array>

#include "onnx/onnx_pb.h"

namespace parconv::test {
namespace {

std::size_t place_in(const std::string& bytes, Random& random) {
  return static_cast<std::size_t>(random.integer(0, static_cast<index_t>(bytes.size())));
}

std::string excerpt_of(const std::string& bytes, Random& random) {
  return bytes.substr(place_in(bytes, random), static_cast<std::size_t>(random.integer(1, 64)));
}

/// A position biased to the ends of a file, which hold the structure; weights lie between.
std::size_t structural_place(const std::string& bytes, Random& random) {
  const auto size = static_cast<index_t>(bytes.size());
  if (size < 2 || random.once_in(3)) return place_in(bytes, random);
  const index_t distance = random.integer(0, std::min<index_t>(size - 1, 400));
  return static_cast<std::size_t>(random.once_in(2) ? distance : size - distance);
}

using MutateModel = void (*)(onnx::ModelProto&, Random&);

void mutate_structure(onnx::ModelProto& model, Random& random) {
  static constexpr std::array<MutateModel, 6> mutations{mutate_node,      mutate_attribute, mutate_attribute,
                                                        mutate_attribute, mutate_tensor,    mutate_interface};
  for (index_t count = random.once_in(2) ? 1 : random.integer(2, 3); count > 0; --count)
    mutations[static_cast<std::size_t>(random.integer(0, mutations.size() - 1))](model, random);
}

}  // namespace

std::string mutated_bytes(std::string bytes, const std::string& other, Random& random) {
  const std::size_t at = structural_place(bytes, random);
  const auto byte = static_cast<char>(random.integer(0, 255));
  switch (random.integer(0, 6)) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.integer(0, 7)));
      return bytes;
    case 1:
      if (at < bytes.size()) bytes[at] = byte;
      return bytes;
    case 2:
      return bytes.insert(at, static_cast<std::size_t>(random.integer(1, 12)), byte);
    case 3:
      return bytes.erase(at, static_cast<std::size_t>(random.integer(1, 40)));
    case 4:
      return bytes.insert(at, excerpt_of(bytes, random));
    case 5:
      return bytes.insert(at, excerpt_of(other, random));
    default:
      return bytes.substr(0, at);
  }
}

std::string mutated_model(const std::string& bytes, const std::string& other, Random& random) {
  onnx::ModelProto model;
  std::string result = bytes;
  const bool is_structural = !random.once_in(8) && model.ParseFromString(bytes);
  if (is_structural) {
    mutate_structure(model, random);
    result = model.SerializeAsString();
    if (!random.once_in(8)) return result;
  }
  for (index_t count = random.integer(1, 4); count > 0; --count) result = mutated_bytes(std::move(result), other, random);
  return result;
}

}  // namespace parconv::test
