// SPDX-License-Identifier: Apache-2.0
// Mutations of valid models.
#pragma once

#include <string>

#include "support/random.hpp"

namespace onnx {
class ModelProto;
}

namespace parconv::test {

/// Flips, truncates, inserts, duplicates and moves bytes; chunks of `other` may be spliced in.
std::string mutated_bytes(std::string bytes, const std::string& other, Random& random);

/// Mutates nodes: drops, duplicates, swaps and renames them, their inputs, outputs and operators.
void mutate_node(onnx::ModelProto& model, Random& random);
/// Mutates attributes: values, types, names; adds nested graphs.
void mutate_attribute(onnx::ModelProto& model, Random& random);
/// Mutates initializers and tensor attributes: dimensions, types, data, locations of external data.
void mutate_tensor(onnx::ModelProto& model, Random& random);
/// Mutates declared inputs and outputs, versions and the rest of the model.
void mutate_interface(onnx::ModelProto& model, Random& random);

/// A few mutations of the structure, the bytes, or both. Bytes that do not parse are mutated as bytes.
std::string mutated_model(const std::string& bytes, const std::string& other, Random& random);

}  // namespace parconv::test
