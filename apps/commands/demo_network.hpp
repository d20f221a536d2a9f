// SPDX-License-Identifier: Apache-2.0
// The network of the demonstration, created in memory.
#pragma once

#include "parconv/io/data_source.hpp"
#include "parconv/io/memory_source.hpp"
#include "parconv/model/network.hpp"

namespace parconv::app {

/// A small classifier of 3x48x40 images with every variant of convolution, a residual block, a branch with a concatenation,
/// global pooling, a fully connected layer and a softmax. Fused; weights are in memory and deterministic.
Network demo_network(index_t samples);

/// Deterministic images for it.
MemorySource demo_images(index_t samples);

}  // namespace parconv::app
