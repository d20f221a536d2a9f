// SPDX-License-Identifier: Apache-2.0
// Support for tests of the ONNX reader: temporary folders, models of one node, errors as text.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <random>
#include <string>

#include "parconv/core/error.hpp"
#include "parconv/io/onnx/onnx_reader.hpp"
#include "parconv/model/shape.hpp"
#include "tools/onnx_writer.hpp"

namespace parconv::test {

/// A temporary folder, removed on destruction.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(std::filesystem::temp_directory_path() / concat("parconv-onnx-", std::random_device{}())) {
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path path() const { return path_; }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// Reads a model through a file.
inline Network read(const OnnxWriter& writer, const ReadOptions& options = {}) {
  const TemporaryFolder folder;
  writer.save(folder.file("model.onnx"));
  return read_network(OnnxModel(folder.file("model.onnx")), options);
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
