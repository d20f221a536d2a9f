// From the options of `run` to a network, a plan and blocks of samples. No MPI: a dry run uses it for any number of ranks.
#pragma once

#include <memory>
#include <string>

#include "inputs.hpp"
#include "options.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/io/hdf5_sink.hpp"
#include "parconv/plan/plan.hpp"
#include "parconv/program/options.hpp"
#include "placement.hpp"

namespace parconv::app {

/// How the samples of the input are divided: full micro-batches, and one short one for what is left.
struct Blocks {
  index_t samples = 0;
  index_t batch = 1;  ///< samples of a step
  index_t micro_batch = 1;

  index_t full_micro_batches() const { return samples / micro_batch; }
  index_t rest() const { return samples % micro_batch; }
  index_t micro_batches_per_step() const { return batch / micro_batch; }
};

/// What was asked and what follows from the data.
struct RunSetup {
  Network network{};  ///< fused, of one micro-batch
  Plan plan{};
  Blocks blocks{};
  std::string split{};  ///< for messages: "h=2,w=2", "auto", "plan FILE"
};

/// Throws Error(Unavailable) for a type that this build does not have.
void require_available(const RunOptions& options, DeviceKind device);

/// What --dtype asks for.
DType type_of_activations(const RunOptions& options);

/// Chooses the split, the blocks and the plan for `ranks` ranks. Throws Error(Usage) for a split that does not fit, and
/// Error(BadData) for a model, data or plan that do not.
RunSetup set_up(const RunOptions& options, const OnnxModel& model, const Inputs& inputs, int ranks);

/// Samples per step and micro-batch: as asked, else 8 samples a step (at least as many as the batch axis has parts, no more than
/// 2^26 input elements), and micro-batches of the whole step, or a quarter of a stage's share where there are several stages.
Blocks choose_blocks(const RunOptions& options, const DataSize& data, const Split& split, int ranks);

/// The shape of a stored output: that of the network for all samples of the input. Throws Error(BadData) if it does not grow with
/// them.
Extents output_extents(const RunSetup& setup, ValueId output);

/// How programs are compiled for a backend.
CompileOptions compile_options(const RunOptions& options, const RunSetup& setup, const Backend& backend, bool has_several_hosts);

/// OUTPUT for the first output, OUTPUT.<name>.h5 for the others.
std::string output_path(const RunOptions& options, const Network& network, std::size_t output);

std::string read_text_file(const std::string& path);
/// Throws Error(CannotCreate or Io).
void write_text_file(const std::string& path, const std::string& text);

}  // namespace parconv::app
