// SPDX-License-Identifier: Apache-2.0
// The oracle: computes values of a network on one rank, node by node.
#pragma once

#include <span>
#include <vector>

#include "parconv/compute/backend.hpp"
#include "parconv/io/data_source.hpp"
#include "parconv/model/network.hpp"
#include "parconv/tensor/view.hpp"

namespace parconv {

/// Inputs of the oracle. Sample 0 of the network is sample `first_sample` of the sources, one source per input.
struct OracleInput {
  std::span<DataSource* const> sources{};
  index_t first_sample = 0;
  FilterReader read_filter{};
  /// The type of activations: values are rounded where a program of this type rounds them.
  DType type = DType::F32;
};

/// Computes the wanted box of every value from the part of the inputs that it depends on. Local, blocking. `wanted` has one
/// entry per value of the network; empty boxes are not computed. Returns one f32 tensor per value, of the wanted box.
std::vector<HostTensor> evaluate(const Network& network, const OracleInput& input, std::span<const Box> wanted, Backend& backend);

/// The same for the magnitudes by which rounding is judged: of each element that is a sum, the sum of the magnitudes of its
/// terms, bias and residual included, |x * w| for a convolution. Empty for values that are no sums, and for inputs and constants.
std::vector<HostTensor> evaluate_magnitudes(const Network& network, const OracleInput& input, std::span<const Box> wanted,
                                            Backend& backend);

}  // namespace parconv
