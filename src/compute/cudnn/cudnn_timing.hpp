// SPDX-License-Identifier: Apache-2.0
// Timing of cuDNN plans on a GPU.
#pragma once

#include "compute/cudnn/cudnn_plan.hpp"
#include "parconv/compute/conv_algorithm_chooser.hpp"

namespace parconv::cudnn {

/// A GPU with a handle on its compute stream.
struct Bench {
  Device& device;
  cudnnHandle_t handle = nullptr;
};

/// The fastest of the first recommended plans on pseudo-random operands, with its time. Empty if there is no plan or all fail.
/// Blocks.
std::optional<Plan> fastest_plan(const StridedConv& conv, const ConvGraph& graph, const ConvAlgorithmRules& rules,
                                 const Bench& bench);

/// The current GPU and cuDNN version.
ConvAlgorithmMachine current_machine();

}  // namespace parconv::cudnn

namespace parconv {

/// Precondition: `device` is a GPU, current in the calling thread, and outlives the chooser.
std::unique_ptr<ConvAlgorithmChooser> make_cudnn_chooser(Device& device, const GpuOptions& options);

}  // namespace parconv
