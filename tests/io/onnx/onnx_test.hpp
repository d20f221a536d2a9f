// SPDX-License-Identifier: Apache-2.0
// Support for tests of the ONNX reader: temporary folders, models of one node, errors as text.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "parconv/core/error.hpp"
#include "parconv/io/onnx/onnx_reader.hpp"
#include "parconv/model/shape.hpp"
#include "support/temporary_folder.hpp"
#include "tools/onnx_writer.hpp"

namespace parconv::test {

/// Reads a model through a file.
inline Network read(const OnnxWriter& writer, const ReadOptions& options = {}) {
  const TemporaryFolder folder;
  writer.save(folder / "model.onnx");
  return read_network(OnnxModel(folder / "model.onnx"), options);
}

/// The error that `action` throws, as "65: message".
inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return concat(static_cast<int>(error.code()), ": ", error.what());
  }
  return "no error";
}

inline std::string read_error(const OnnxWriter& writer, const ReadOptions& options = {}) {
  return error_of([&] { read(writer, options); });
}

/// A model whose only node reads "x"; `prepare` adds further inputs.
struct OneNode {
  std::vector<OnnxDim> input{2, 3, 8, 8};
  OnnxNode node{};
  index_t opset = 13;
  std::function<void(OnnxWriter&)> prepare = [](OnnxWriter&) {};

  OnnxWriter writer() const {
    OnnxWriter model(opset);
    model.add_input("x", input);
    prepare(model);
    OnnxNode copy = node;
    if (copy.outputs.empty()) copy.outputs = {"y"};
    if (copy.name.empty()) copy.name = "it";
    if (copy.inputs.empty()) copy.inputs = {"x"};
    model.add_node(copy);
    model.add_output("y");
    return model;
  }
};

inline const Value& output_of(const Network& network) { return network.value(network.outputs.front()); }

inline std::vector<index_t> output_dims(const Network& network) { return dims_of(shape_of(output_of(network))); }

/// The operator of the last node, as alternative Op.
template <class Op>
const Op& last_op(const Network& network) {
  return std::get<Op>(network.nodes.back().op);
}

}  // namespace parconv::test
