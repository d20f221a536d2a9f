// Timing cuDNN's plans on a GPU.
#pragma once

#include "compute/cudnn_plan.hpp"
#include "parconv/compute/engine_chooser.hpp"

namespace parconv::cudnn {

/// A GPU with a handle on its compute lane.
struct Bench {
  Device& device;
  cudnnHandle_t handle = nullptr;
};

/// The fastest of the first plans that the heuristics recommend, on operands of pseudo-random numbers, with its time. Nothing if
/// there is no plan, or all fail. Blocks.
std::optional<Plan> fastest_plan(const StridedConv& conv, const ConvGraph& graph, const EngineRules& rules, const Bench& bench);

/// The current GPU and the cuDNN that runs on it.
EngineMachine current_machine();

}  // namespace parconv::cudnn

namespace parconv {

/// Precondition: `device` is a GPU, current in the calling thread, and outlives the chooser.
std::unique_ptr<EngineChooser> make_cudnn_chooser(Device& device, const GpuOptions& options);

}  // namespace parconv
