// SPDX-License-Identifier: Apache-2.0
// Selection of a cuDNN engine for a graph, and its execution plan.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compute/cudnn/cudnn_graph.hpp"

namespace parconv::cudnn {

/// The rules that exclude engines.
struct ConvAlgorithmRules {
  /// f32 factors are not shortened: no tensor cores.
  bool needs_whole_f32 = true;
  /// Sums of small integers are exact: no Winograd or Fourier transforms.
  bool needs_exact_integers = false;
  std::size_t most_workspace_bytes = std::size_t{1} << 30;
  /// Multiprocessors that an engine may use, where cuDNN has a limitable one; 0: all.
  int multiprocessors = 0;
};

/// The rules for a call on a GPU with this many multiprocessors.
ConvAlgorithmRules rules_for(const StridedConv& conv, const GpuOptions& options, int multiprocessors);

/// True if an engine with these notes is allowed. Engines that are nondeterministic, accumulate in less than f32 or narrow
/// their operands never are.
bool is_allowed(std::span<const cudnnBackendNumericalNote_t> notes, const ConvAlgorithmRules& rules);

/// cuDNN's description of a GPU: the current one, or one described in JSON (cuDNN 9.8) without the hardware.
Descriptor device_properties(int gpu);
Descriptor device_properties(const std::string& json);
std::string to_json(const Descriptor& properties);

/// The target of plans: the handle of a GPU, or the properties of an absent one.
struct Target {
  cudnnHandle_t handle = nullptr;
  const Descriptor* properties = nullptr;
};

/// An execution plan of a graph.
struct Plan {
  Descriptor plan{CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR};
  std::size_t workspace_bytes = 0;
  index_t engine = 0;
  std::vector<ConvAlgorithmKnob> knobs{};
  int multiprocessors = 0;  ///< limit of the engine; 0: all
  double seconds = 0;       ///< 0: not timed
};

/// The algorithm from which the plan can be recreated. Engine and knobs rather than cuDNN's serialised plan, which is a hundred
/// times as long and bound to the graph and one individual GPU.
ConvAlgorithm choice_of(const Plan& plan);

/// Recreates the plan of an algorithm chosen for an equal graph. Empty if the algorithm has no engine, if the engine is not
/// allowed, or if cuDNN rejects it.
std::optional<Plan> plan_of(const ConvAlgorithm& choice, const ConvGraph& graph, const ConvAlgorithmRules& rules,
                            const Target& target);

/// The first `most` allowed plans in the order of cuDNN's heuristics: mode A, then the fallbacks. Engines with a multiprocessor
/// limit come from mode A, if there are any; cuDNN 9.19 has none for convolutions on an H200. Empty if there are no plans.
std::vector<Plan> find_plans(const ConvGraph& graph, const ConvAlgorithmRules& rules, const Target& target, std::size_t most);

/// Addresses of tensors, by Uid from Src to Dst, and of the workspace; null if absent from the graph.
struct Addresses {
  std::array<const void*, 5> tensors{};
  void* workspace = nullptr;

  friend bool operator==(const Addresses&, const Addresses&) = default;
};

/// Packs the addresses of a graph's tensors for an execution.
Descriptor variant_pack(const ConvGraph& graph, const Addresses& addresses);

}  // namespace parconv::cudnn
