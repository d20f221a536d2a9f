// SPDX-License-Identifier: Apache-2.0
// Models with very many nodes: no phase may be quadratic in their number.
#include <gtest/gtest.h>

#include <ctime>
#include <iostream>

#include "io/onnx/onnx_test.hpp"
#include "parconv/program/compile.hpp"
#include "parconv/program/proof.hpp"

namespace parconv::test {
namespace {

constexpr int num_nodes = 100'000;
/// Per phase: a hundred times the linear cost, a hundredth of the quadratic one.
constexpr double max_seconds = 20;

template <class Work>
auto timed(const char* phase, Work&& work) {
  const std::clock_t begin = std::clock();  // CPU time, unaffected by other programs
  auto result = work();
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  std::cout << "  " << phase << ": " << seconds << " s\n";
  EXPECT_LT(seconds, max_seconds) << phase;
  return result;
}

void process(const OnnxWriter& writer) {
  const TemporaryFolder folder;
  writer.save(folder / "model.onnx");
  const OnnxModel model = timed("load", [&] { return OnnxModel(folder / "model.onnx"); });
  const Network unfused = timed("read", [&] { return read_network(model); });
  const Network network = timed("fuse", [&] { return fuse(unfused); });
  const Network other = timed("batch", [&] { return with_batch(network, 3); });
  const Plan plan = timed("plan", [&] { return make_plan(network, parse_split("h", 2, 2), 2); });
  const Layout layout = timed("lay out", [&] { return lay_out(network, plan, {}); });
  const std::vector<Program> programs = timed("compile", [&] { return compile_all(network, layout); });
  timed("prove", [&] {
    expect_proven(prove(network, programs, {}));
    return 0;
  });
}

OnnxWriter model_with_input() {
  OnnxWriter model;
  model.add_input("x", {2, 2, 4, 4});
  return model;
}

/// Adds or concatenates any number of values, a thousand at a time.
std::string joined(OnnxWriter& model, const OnnxNode& join, std::vector<std::string> parts) {
  while (parts.size() > 1) {
    std::vector<std::string> fewer;
    for (std::size_t k = 0; k < parts.size(); k += 1000) {
      OnnxNode node = join;
      node.inputs.assign(parts.begin() + static_cast<std::ptrdiff_t>(k),
                         parts.begin() + static_cast<std::ptrdiff_t>(std::min(k + 1000, parts.size())));
      fewer.push_back(model.add_node(node));
    }
    parts = std::move(fewer);
  }
  return parts.front();
}

TEST(LargeModels, Chain) {
  OnnxWriter model = model_with_input();
  model.add_initializer("w", float_tensor({2, 2, 3, 3}, std::vector<float>(36, 1.0F)));
  std::string x = "x";
  for (int k = 0; k < num_nodes; k += 2) {
    x = model.add_node({.op_type = "Conv", .inputs = {x, "w"}, .attributes = {{"pads", std::vector<index_t>{1, 1, 1, 1}}}});
    x = model.add_node({.op_type = "Tanh", .inputs = {x}});
  }
  model.add_output(x);
  process(model);
}

TEST(LargeModels, CopiesOfOneValue) {
  OnnxWriter model = model_with_input();
  std::vector<std::string> copies;
  for (int k = 0; k + 200 < num_nodes; ++k) copies.push_back(model.add_node({.op_type = "Identity", .inputs = {"x"}}));
  model.add_output(joined(model, {.op_type = "Sum"}, std::move(copies)));
  process(model);
}

TEST(LargeModels, ReadersOfOneValue) {
  OnnxWriter model = model_with_input();
  std::vector<std::string> parts;
  for (int k = 0; k + 200 < num_nodes; ++k) parts.push_back(model.add_node({.op_type = "Relu", .inputs = {"x"}}));
  model.add_output(joined(model, {.op_type = "Concat", .attributes = {{"axis", index_t{1}}}}, std::move(parts)));
  process(model);
}

TEST(LargeModels, Residuals) {
  OnnxWriter model = model_with_input();
  std::string x = "x";
  for (int k = 0; k < num_nodes; k += 2) {
    const std::string y = model.add_node({.op_type = "Exp", .inputs = {x}});
    x = model.add_node({.op_type = "Add", .inputs = {y, "x"}});
  }
  model.add_output(x);
  process(model);
}

TEST(LargeModels, Reshapes) {
  OnnxWriter model = model_with_input();
  model.add_initializer("flat", int64_tensor({3}, {2, 4, 8}));
  model.add_initializer("image", int64_tensor({4}, {2, 2, 2, 8}));
  std::string x = "x";
  for (int k = 0; k < num_nodes; k += 2) {
    x = model.add_node({.op_type = "Reshape", .inputs = {x, "flat"}});
    x = model.add_node({.op_type = "Reshape", .inputs = {x, "image"}});
  }
  model.add_output(x);
  process(model);
}

TEST(LargeModels, Outputs) {
  OnnxWriter model = model_with_input();
  for (int k = 0; k < num_nodes; ++k) model.add_output(model.add_node({.op_type = "Neg", .inputs = {"x"}}));
  process(model);
}

}  // namespace
}  // namespace parconv::test
