// Checking a split against the reference, layer by layer.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "app_job.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/engine/job_verification.hpp"
#include "parconv/plan/plan.hpp"
#include "watched_communicator.hpp"

namespace parconv::app {

/// What is verified, and with what.
struct VerifyInput {
  const Network& network;
  const Plan& plan;
  CompileOptions options{};
  std::span<DataSource* const> sources{};
  VerifyExtent extent = VerifyExtent::Samples;
  /// What communicator and backend are for; null: the host.
  Device* device = nullptr;
};

/// Largest difference, in relation to the largest value of the layer, that passes in a job of f32.
inline constexpr double max_relative_difference = 1e-4;

/// The same in a job whose activations are of `type`. The reference rounds where the job rounds, but sums of f32 in another order
/// may be rounded to the other neighbour, a step of up to 2^-7 of a value, and so on from layer to layer.
constexpr double allowed_difference(DType type) { return type == DType::F32 ? max_relative_difference : 0x1p-5; }

/// Runs the first micro-batch with all layers as outputs, and compares what each rank owns with the reference backend.
/// Collective. The same result on all ranks: one entry per layer.
std::vector<LayerDifference> verify_layers(AppJob& job, const VerifyInput& input, WatchedCommunicator& communicator,
                                           Backend& backend);

/// The layer with the largest relative difference. Precondition: there is a layer.
const LayerDifference& worst_of(std::span<const LayerDifference> differences);

/// Throws Error(Bug) naming the layer if one differs by more than allowed_difference(type).
void require_equal(const Network& network, std::span<const LayerDifference> differences, DType type);

/// One line: "verified 12 layers, ...".
std::string verify_summary(const Network& network, std::span<const LayerDifference> differences);
/// One line per layer.
std::string verify_table(const Network& network, std::span<const LayerDifference> differences);

}  // namespace parconv::app
