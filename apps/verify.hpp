// Checking a split against the reference, layer by layer.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "app_job.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/engine/job_verification.hpp"
#include "parconv/plan/plan.hpp"
#include "rank_device.hpp"
#include "watched_communicator.hpp"

namespace parconv::app {

/// What is verified, and with what.
struct VerifyInput {
  const Network& network;
  const Plan& plan;
  CompileOptions options{};
  std::span<DataSource* const> sources{};
  VerifyExtent extent = VerifyExtent::Samples;
  /// What communicator and backend are for.
  RankDevice& device;
};

/// Runs the first micro-batch with all layers as outputs, and compares what each rank owns with the reference backend.
/// Collective. The same result on all ranks: one entry per layer.
std::vector<LayerDifference> verify_layers(AppJob& job, const VerifyInput& input, WatchedCommunicator& communicator,
                                           Backend& backend);

/// The layer with the largest relative difference. Precondition: there is a layer.
const LayerDifference& worst_of(std::span<const LayerDifference> differences);

/// Throws Error(Bug) naming the layer if one differs by more than `allowed` of its largest value.
void require_equal(const Network& network, std::span<const LayerDifference> differences, double allowed);

/// One line: "verified 12 layers, ...".
std::string verify_summary(const Network& network, std::span<const LayerDifference> differences);
/// One line per layer.
std::string verify_table(const Network& network, std::span<const LayerDifference> differences);

}  // namespace parconv::app
