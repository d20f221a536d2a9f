// SPDX-License-Identifier: Apache-2.0
// Verification of a split against the reference, layer by layer.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "parconv/compute/backend.hpp"
#include "parconv/engine/job_verification.hpp"
#include "parconv/plan/plan.hpp"
#include "parconv/session/devices/rank_device.hpp"

namespace parconv {

/// The subject of a verification.
struct VerifyInput {
  const Network& network;
  const Plan& plan;
  CompileOptions options{};
  /// Read by the reference.
  std::span<DataSource* const> sources{};
  /// Read by the ranks; the same data, except in tests of verification itself.
  std::span<DataSource* const> rank_sources{};
  VerifyExtent extent = VerifyExtent::Samples;
};

/// Runs the first micro-batch with all layers as outputs, and compares each rank's owned boxes with the reference backend.
/// Collective. Returns one entry per layer, the same on all ranks. Precondition: `backend` was created for `device`.
std::vector<LayerDifference> verify_layers(RankDevice& device, Backend& backend, const VerifyInput& input);

/// The layer with the largest relative difference. Precondition: there is a layer.
const LayerDifference& worst_of(std::span<const LayerDifference> differences);

/// Checks every layer against the tolerance `allowed`, relative to its largest value. Local. Throws Error(Bug) naming the layer.
void require_equal(const Network& network, std::span<const LayerDifference> differences, double allowed);

/// Checks that every layer has the bits of the reference. Local. Throws Error(Bug) naming the first layer that has not.
void require_same_bits(const Network& network, std::span<const LayerDifference> differences);

/// One line: "verified 12 layers, ...".
std::string verify_summary(const Network& network, std::span<const LayerDifference> differences);
/// One line per layer.
std::string verify_table(const Network& network, std::span<const LayerDifference> differences);

}  // namespace parconv
