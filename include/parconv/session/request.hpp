// SPDX-License-Identifier: Apache-2.0
// The request for a job, as values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parconv/io/onnx/onnx_fit.hpp"
#include "parconv/io/resume/resume_record.hpp"
#include "parconv/plan/plan.hpp"
#include "parconv/session/choices.hpp"

namespace parconv {

/// A value for one input of the model.
template <class Value>
struct ForInput {
  std::string input{};  ///< its name; empty: the first input
  Value value{};
};

/// Input files, and the conversion of their elements.
struct InputRequest {
  std::string file{};  ///< "FILE.h5" or "FILE.h5:/dataset" for the inputs missing in `files`
  std::vector<ForInput<std::string>> files{};
  std::vector<ForInput<std::string>> layouts{};  ///< "NHWC": see Hdf5SourceOptions
  std::vector<ForInput<float>> scales{};
  std::vector<ForInput<std::vector<float>>> means{};
  std::vector<ForInput<std::vector<float>>> stds{};
  SizePolicy sizes = SizePolicy::AsGiven;  ///< for sizes that do not fit the model
};

/// Requested devices and transport.
struct DeviceRequest {
  DeviceChoice device = DeviceChoice::Auto;
  TransportChoice transport = TransportChoice::Auto;
  bool shares_gpus = false;  ///< several ranks may compute on one GPU
};

/// All options of a Session. Equal on all ranks.
struct Request {
  std::string model{};  ///< ONNX file, for networks read from a file
  InputRequest inputs{};
  DType output_type = DType::F32;  ///< of the stored elements: f32, f16, bf16, u8 or i16
  std::string output_file{};       ///< of the first output; others: see output_path
  bool replaces_output = false;

  std::string split = "auto";  ///< see parse_split; not used if one of the next two is given
  std::string plan_file{};     ///< JSON, see plan_from_json
  std::optional<Plan> plan{};  ///< of the network with `micro_batch` samples
  /// Of the job to go on with: used for the split "auto" if it fits the network and the ranks.
  std::optional<RecordedPlan> recorded_plan{};

  index_t batch = 0;        ///< samples per progress report; 0: see choose_blocks
  index_t micro_batch = 0;  ///< samples computed at once; 0: see choose_blocks

  DeviceRequest devices{};
  int threads = 0;  ///< per rank; 0: see default_threads

  std::string backend = "auto";  ///< see BackendOptions::name
  Numerics numerics = Numerics::F32;
  LeafRule reduce = LeafRule::Coarse;  ///< leaves of sums over channels
  OverlapChoice overlap = OverlapChoice::Auto;
  GraphUse graphs = GraphUse::Off;
  ConvAlgorithmChoice conv_algorithms = ConvAlgorithmChoice::Heuristic;  ///< of GPUs
  std::string conv_algorithm_cache{};                                    ///< file for ConvAlgorithmChoice::Timed; empty: none

  /// Ranks that pass the outputs to their sinks: rank 0, every owner, or whole chunks of files.
  StoreKind store = StoreKind::Root;
};

}  // namespace parconv
