// SPDX-License-Identifier: Apache-2.0
// Networks from ONNX files under the named splits, against one rank.
#pragma once

#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/splits/split_fixture.hpp"
#include "parconv/io/onnx/onnx_reader.hpp"
#include "tools/networks.hpp"

namespace parconv::test {

/// A network of tests/tools at a size and width.
struct NetworkCase {
  std::string name{};
  index_t size = 0;
  double channels_scale = 0.125;
  index_t batch = 2;
};

enum class Numbers { Integers, Reals };

inline std::ostream& operator<<(std::ostream& out, const NetworkCase& item) {
  return out << item.name << " at " << item.size << ", width " << item.channels_scale;
}

/// A temporary folder of rank 0, visible to all ranks. Construction and destruction are collective.
class SharedModels {
 public:
  SharedModels() {
    const std::string own = (std::filesystem::temp_directory_path() / concat("parconv_networks_", ::getpid())).string();
    if (rank() == 0) std::filesystem::create_directories(own);
    path_ = control().broadcast(own);
  }
  ~SharedModels() {
    control().barrier();
    std::error_code ignored;
    if (rank() == 0) std::filesystem::remove_all(path_, ignored);
  }
  SharedModels(const SharedModels&) = delete;
  SharedModels& operator=(const SharedModels&) = delete;

  /// The model, written by rank 0 and read by all; weights stay in the file.
  Network network(const NetworkCase& item, Numbers numbers) const {
    const std::string file = path_ + "/" + item.name + ".onnx";
    control().barrier();
    if (rank() == 0)
      write_network(item.name,
                    {.channels_scale = item.channels_scale, .size = {item.size}, .is_integer = numbers == Numbers::Integers},
                    file);
    control().barrier();
    return fuse(read_network(OnnxModel(file), {.batch = item.batch}));
  }

 private:
  std::string path_{};
};

/// All splits by one axis, pipelines of 2 and 4 stages, a grid of rows and columns, and the automatic rule.
inline std::vector<std::string> network_splits(int ranks, int spatial_ndims) {
  if (ranks == 1) return {"1"};
  std::vector<std::string> splits{"h", "w", "f", "c", "n", "auto"};
  if (spatial_ndims == 3) splits.emplace_back("d");
  if (ranks % 2 == 0) splits.push_back(ranks == 2 ? "stages=2" : "stages=2,h");
  if (ranks % 4 == 0) splits.push_back(ranks == 4 ? "stages=4" : "stages=4,f");
  if (ranks > 2 && ranks % 2 == 0) splits.emplace_back("h=2,w");
  return splits;
}

class NetworkSplitTest : public SplitTest {
 protected:
  void expect_equal_to_one_rank(const NetworkCase& item, Numbers numbers, DType type = DType::F32) {
    SCOPED_TRACE(concat(item, numbers == Numbers::Integers ? ", integers of " : ", reals of ", name_of(type)));
    const Network network = models_.network(item, numbers);
    const int spatial_ndims = network.value(network.inputs[0]).ndims - 2;
    std::vector<MemorySource> sources = sources_for(network, numbers == Numbers::Integers);
    std::optional<MemorySink> expected;
    if (rank() == 0) {
      expected.emplace(run_alone({.network = network, .type = type}, sources));
      EXPECT_TRUE(has_different_values(elements(expected->tensor())));
    }
    for (const std::string& spec : network_splits(num_ranks(), spatial_ndims)) {
      SCOPED_TRACE(concat("split ", spec));
      const SplitRequest split = parse_split(spec, num_ranks(), spatial_ndims);
      const MemorySink actual = run_on_all({.network = network, .split = split, .type = type}, sources);
      if (rank() != 0) continue;
      const bool has_same_bits = numbers == Numbers::Integers || has_exact_grids(network, split);
      const auto got = elements(actual.tensor()), wanted = elements(expected->tensor());
      EXPECT_TRUE(has_same_bits ? same_bits(got, wanted) : all_near(got, wanted, tolerance_of(type)));
    }
  }

  /// True if no operator is split by columns or input channels; the rule may choose columns for some.
  static bool has_exact_grids(const Network& network, const SplitRequest& split) {
    const Plan plan = make_plan(network, split, num_ranks());
    return std::all_of(plan.nodes.begin(), plan.nodes.end(), [](const NodePlan& node) {
      return node.grid.parts[GridAxis::W] == 1 && node.grid.parts[GridAxis::C] == 1;
    });
  }

  /// True unless activations vanish in a deep network.
  static bool has_different_values(std::span<const float> values) {
    return std::any_of(values.begin(), values.end(), [&](float value) { return value != values.front(); });
  }

  const SharedModels& models() const { return models_; }

 private:
  SharedModels models_{};
};

}  // namespace parconv::test
