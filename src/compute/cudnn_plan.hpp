// Which of cuDNN's engines computes a graph, and the plan that runs it.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compute/cudnn_graph.hpp"

namespace parconv::cudnn {

/// Which engines may compute.
struct EngineRules {
  /// Products of f32 numbers are not made of shorter ones: without tensor cores.
  bool needs_whole_f32 = true;
  /// Sums of small integers are exact: without Winograd's and Fourier's transforms.
  bool needs_exact_integers = false;
  std::size_t most_workspace_bytes = std::size_t{1} << 30;
  /// Those that an engine may use, where cuDNN has one that can be told; 0: all.
  int multiprocessors = 0;
};

/// Of a GPU with so many multiprocessors.
EngineRules rules_for(const StridedConv& conv, const GpuOptions& options, int multiprocessors);

/// True if an engine with these notes may compute. Those never may that give other bits in every run, add up in less than f32, or
/// turn their operands into a shorter type.
bool is_allowed(std::span<const cudnnBackendNumericalNote_t> notes, const EngineRules& rules);

/// What cuDNN needs to know about a GPU: the current one, or one that is described in JSON (cuDNN 9.8), where there is none.
Descriptor device_properties(int gpu);
Descriptor device_properties(const std::string& json);
std::string to_json(const Descriptor& properties);

/// Who computes: a handle of the GPU, or the properties of one that is not there.
struct Target {
  cudnnHandle_t handle = nullptr;
  const Descriptor* properties = nullptr;
};

/// A way to compute a graph.
struct Plan {
  Descriptor plan{CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR};
  std::size_t workspace_bytes = 0;
  index_t engine = 0;
  std::vector<EngineKnob> knobs{};
  int multiprocessors = 0;  ///< that the engine was told to use; 0: all
  double seconds = 0;       ///< 0: not timed
};

/// What makes the plan again. Knobs rather than cuDNN's own description of a plan: that is a hundred times as long, and names the
/// graph and one single GPU once more.
EngineChoice choice_of(const Plan& plan);

/// The plan of a choice that was made for such a graph. Nothing if the choice is none, if the engine is not allowed, or if cuDNN
/// does not make it.
std::optional<Plan> plan_of(const EngineChoice& choice, const ConvGraph& graph, const EngineRules& rules, const Target& target);

/// The first `most` plans that are allowed, in the order of cuDNN's heuristics: mode A, then the fallbacks. Engines that use part
/// of the multiprocessors come from mode A, if there are any; cuDNN 9.19 has none for convolutions on an H200. Empty if there are
/// no plans.
std::vector<Plan> find_plans(const ConvGraph& graph, const EngineRules& rules, const Target& target, std::size_t most);

/// Addresses of tensors, by Uid from Src to Dst, and of the workspace; null for those that a graph does not have.
struct Addresses {
  std::array<const void*, 5> tensors{};
  void* workspace = nullptr;

  friend bool operator==(const Addresses&, const Addresses&) = default;
};

/// The addresses of a graph's tensors as an execution wants them.
Descriptor variant_pack(const ConvGraph& graph, const Addresses& addresses);

}  // namespace parconv::cudnn
