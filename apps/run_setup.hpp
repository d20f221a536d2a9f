// From the options of `run` to a network, a plan and blocks of samples. No MPI: a dry run uses it for any number of ranks.
#pragma once

#include <memory>
#include <string>

#include "inputs.hpp"
#include "options.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/engine/engine.hpp"
#include "parconv/io/hdf5_sink.hpp"
#include "parconv/plan/plan.hpp"
#include "parconv/program/options.hpp"
#include "placement.hpp"

namespace parconv::app {

/// How the samples of the input are divided: full micro-batches, and one short one for what is left.
struct Blocks {
  index_t samples = 0;
  index_t batch = 1;  ///< samples of a step of progress
  index_t micro_batch = 1;

  index_t full_micro_batches() const { return samples / micro_batch; }
  index_t rest() const { return samples % micro_batch; }
  /// Of so many samples that are done, those in whole batches: what progress tells.
  index_t whole_batches(index_t done) const { return done >= samples ? samples : done / batch * batch; }
};

/// What was asked and what follows from the data.
struct RunSetup {
  Network network{};  ///< fused, of one micro-batch
  Plan plan{};
  Blocks blocks{};
  std::string split{};  ///< for messages: "h=2,w=2", "auto", "plan FILE"
};

/// What --dtype asks for: what activations are kept in, and how numbers of f32 are multiplied.
struct Precision {
  DType activations = DType::F32;
  F32Products products = F32Products::Whole;
};
Precision precision_of(const RunOptions& options);

/// Throws Error(Unavailable) for a --dtype that nothing computes in on the devices of `placement`, with its remark.
void require_available(const RunOptions& options, const Placement& placement);

/// Largest difference from the reference that passes, in relation to the largest value of a layer. The reference rounds
/// activations where the job rounds them, but sums of f32 in another order may be rounded to the other neighbour, a step of up to
/// 2^-7 of a value in bf16 and 2^-10 in f16, and so on from layer to layer: four such steps. It does not round the factors of
/// products as TF32 does, by up to 2^-10 of each, in every convolution: on the stand-in for CUDA that was 0.006 after the 55
/// layers of a ResNet-50.
double allowed_difference(const Precision& precision);

/// Chooses the split, the blocks and the plan for `ranks` ranks. Throws Error(Usage) for a split that does not fit, and
/// Error(BadData) for a model, data or plan that do not.
RunSetup set_up(const RunOptions& options, const OnnxModel& model, const Inputs& inputs, int ranks);

/// Samples per batch and micro-batch: as asked, else 8 samples a batch (at least as many as the batch axis has parts, no more
/// than 2^26 input elements), and micro-batches of the whole batch, or a quarter of a stage's share where there are several
/// stages.
Blocks choose_blocks(const RunOptions& options, const DataSize& data, const Split& split, int ranks);

/// The shape of a stored output: that of the network for all samples of the input. Throws Error(BadData) if it does not grow with
/// them.
Extents output_extents(const RunSetup& setup, ValueId output);

/// What --graphs asks for.
GraphUse use_of_graphs(const RunOptions& options);

/// Whether ranks compute while messages travel.
Overlap overlap_of(const RunOptions& options, bool has_several_hosts);

/// How programs are compiled for a backend.
CompileOptions compile_options(const RunOptions& options, const RunSetup& setup, const Backend& backend, bool has_several_hosts);

/// OUTPUT for the first output, OUTPUT.<name>.h5 for the others.
std::string output_path(const RunOptions& options, const Network& network, std::size_t output);

std::string read_text_file(const std::string& path);
/// Throws Error(CannotCreate or Io).
void write_text_file(const std::string& path, const std::string& text);

}  // namespace parconv::app
