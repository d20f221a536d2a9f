// The network of the demonstration, made in memory.
#pragma once

#include "parconv/io/data_source.hpp"
#include "parconv/model/network.hpp"

namespace parconv::app {

/// A small classifier of 3x48x40 images with a convolution of each sort, a residual block, a branch with a concatenation, global
/// pooling, a fully connected layer and a softmax. Fused; weights are in memory and always the same.
Network demo_network(index_t samples);

/// Images for it, always the same.
MemorySource demo_images(index_t samples);

}  // namespace parconv::app
