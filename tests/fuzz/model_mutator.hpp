// Makes wrong models of right ones.
#pragma once

#include <string>

#include "support/random.hpp"

namespace onnx {
class ModelProto;
}

namespace parconv::test {

/// Flips, cuts, inserts, repeats and moves bytes; `other` is a file that pieces may be taken from.
std::string mutated_bytes(std::string bytes, const std::string& other, Random& random);

/// Changes nodes: drops, repeats, swaps and renames them, their inputs, outputs and operators.
void mutate_node(onnx::ModelProto& model, Random& random);
/// Changes attributes: values, types, names; adds nested graphs.
void mutate_attribute(onnx::ModelProto& model, Random& random);
/// Changes initializers and tensors in attributes: dimensions, types, data, places of external data.
void mutate_tensor(onnx::ModelProto& model, Random& random);
/// Changes the declared inputs and outputs, versions and the rest of the model.
void mutate_interface(onnx::ModelProto& model, Random& random);

/// A few changes to the structure, or to the bytes, or both. Bytes that are no model are changed as bytes.
std::string mutated_model(const std::string& bytes, const std::string& other, Random& random);

}  // namespace parconv::test
