// Computes values of a network on one rank, node by node: what distributed results are compared with.
#pragma once

#include <span>
#include <vector>

#include "parconv/compute/backend.hpp"
#include "parconv/io/data_source.hpp"
#include "parconv/model/network.hpp"
#include "parconv/tensor/view.hpp"

namespace parconv {

/// What to compute with, and on which samples: sample 0 of the network is sample `first_sample` of the sources (one per input).
struct OracleInput {
  std::span<DataSource* const> sources{};
  index_t first_sample = 0;
  FilterReader read_filter{};
  /// Of activations: values are rounded where a program of this type rounds them.
  DType type = DType::F32;
};

/// The wanted box of every value (one entry per value of the network; an empty box is not wanted), computed by `backend` from the
/// part of the inputs that it depends on. Local. Returns one f32 tensor per value, of the wanted box.
std::vector<HostTensor> evaluate(const Network& network, const OracleInput& input, std::span<const Box> wanted, Backend& backend);

}  // namespace parconv
