// SPDX-License-Identifier: Apache-2.0
// parconv_app inspect: the contents of a model or a data file, and their use by parconv.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "commands.hpp"
#include "parconv/comm/watchdog.hpp"
#include "parconv/core/units.hpp"
#include "parconv/io/hdf5/hdf5_source.hpp"
#include "parconv/io/onnx/onnx_summary.hpp"
#include "parconv/model/localise.hpp"
#include "parconv/model/shape.hpp"

namespace parconv::app {
namespace {

constexpr int supported = static_cast<int>(ExitCode::Ok);
constexpr int not_supported = static_cast<int>(ExitCode::BadData);

/// True for a file with the signature that all HDF5 files begin with.
bool is_hdf5(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string signature(8, '\0');
  return file.read(signature.data(), 8) && signature == "\x89HDF\r\n\x1a\n";
}

/// The file of "FILE" or "FILE:/path/of/dataset".
std::string file_of(const std::string& name) {
  const std::size_t colon = name.rfind(":/");
  return colon == std::string::npos ? name : name.substr(0, colon);
}

bool is_named_hdf5(const std::string& path) {
  return path.ends_with(".h5") || path.ends_with(".hdf5") || path.ends_with(".nc") || path.ends_with(".he5");
}

template <class Items>
std::string times_joined(const Items& items) {
  return fmt::format("{}", fmt::join(items, "x"));
}

// ---- HDF5 -----------------------------------------------------------------------------------------------------------------

/// How parconv would read a data set, or the reason why it cannot.
std::string usability(const std::string& file, const Hdf5DatasetInfo& dataset, bool& is_usable) {
  try {
    const Hdf5Source source(file + ":" + dataset.path);
    is_usable = true;
    return fmt::format("input of {} samples, {}", source.extents()[Axis::N],
                       times_joined(dims_of({.extents = source.extents(), .ndims = source.ndims()})));
  } catch (const Error& error) {
    is_usable = false;
    return fmt::format("not usable: {}", error.what());
  }
}

/// HDF5 can run in circles on a damaged file.
constexpr double longest_reading_seconds = 120;

[[noreturn]] void end_reading(const std::string& file, double seconds) {
  print_error(Error(ExitCode::BadData, fmt::format("{} was not read within {:.3g} s", file, seconds),
                    "The file is damaged, or its disk does not respond."));
  ::_exit(not_supported);
}

int inspect_hdf5(const std::string& file) {
  Watchdog watchdog(end_reading);
  watchdog.arm(file, longest_reading_seconds);
  const std::vector<Hdf5DatasetInfo> datasets = list_hdf5_datasets(file);
  fmt::print("{}: HDF5, {} dataset{}\n", file, datasets.size(), datasets.size() == 1 ? "" : "s");
  bool is_any_usable = false;
  for (const Hdf5DatasetInfo& dataset : datasets) {
    bool is_usable = false;
    const std::string use = usability(file, dataset, is_usable);
    is_any_usable = is_any_usable || is_usable;
    fmt::print("  {:<28} {:<18} {:<22} {}\n", dataset.path, times_joined(dataset.dims), dataset.type, use);
  }
  if (!is_any_usable) fmt::print("no dataset can be the input of a run\n");
  return is_any_usable ? supported : not_supported;
}

// ---- ONNX -----------------------------------------------------------------------------------------------------------------

void print_tensors(const char* title, const std::vector<TensorSummary>& tensors) {
  for (const TensorSummary& tensor : tensors)
    fmt::print("  {:<8} {:<24} {} {}\n", title, tensor.name, tensor.type, times_joined(tensor.dims));
}

/// The axes along which a layer can be divided: "n f c h w".
std::string split_axes(const Network& network, const Node& node) {
  const Extents& out = network.value(node.output).extents;
  const auto contracted = contracted_axes(network, node);
  std::string text = "n";
  if (out[Axis::C] > 1) text += " f";
  if (contracted[static_cast<std::size_t>(Axis::C)]) text += " c";
  for (Axis axis : spatial_axes) {
    if (out[axis] == 1 && !contracted[static_cast<std::size_t>(axis)]) continue;
    text += ' ';
    text += name_of(axis);
  }
  return text;
}

void print_layers(const Network& network) {
  fmt::print("\n{:<28} {:<12} {:<22} {:<12} {:>12} {:>12}\n", "layer", "operator", "output", "can split by", "FLOP", "weights");
  double total = 0;
  for (const Node& node : network.nodes) {
    const Value& out = network.value(node.output);
    const WorkRegion whole{Box::whole(out.extents), whole_contracted(network, node)};
    const double operations = flops(network, node, whole);
    total += operations;
    fmt::print("{:<28.28} {:<12} {:<22} {:<12} {:>12} {:>12}\n", out.name, name_of(node.op), times_joined(dims_of(shape_of(out))),
               split_axes(network, node), format_count(operations), format_bytes(weight_bytes(network, node, whole)));
  }
  fmt::print("{:<28} {:<12} {:<22} {:<12} {:>12}\n", "total", "", "", "", format_count(total));
}

/// Default for sizes that the model leaves open; inputs have one sample.
constexpr index_t usual_size = 224;

bool is_number(const std::string& dim) { return !dim.empty() && dim.find_first_not_of("0123456789") == std::string::npos; }

ReadOptions options_for(const std::vector<TensorSummary>& inputs) {
  ReadOptions options{.batch = 1};
  for (const TensorSummary& input : inputs) {
    InputDims dims{.name = input.name};
    for (const std::string& dim : input.dims)
      dims.dims.push_back(is_number(dim) ? std::stoll(dim) : dims.dims.empty() ? 1 : usual_size);
    if (!dims.dims.empty()) options.inputs.push_back(std::move(dims));
  }
  return options;
}

bool has_open_sizes(const std::vector<TensorSummary>& inputs) {
  return std::any_of(inputs.begin(), inputs.end(), [](const TensorSummary& input) {
    return std::any_of(input.dims.begin() + std::min<std::ptrdiff_t>(1, std::ssize(input.dims)), input.dims.end(),
                       [](const std::string& dim) { return !is_number(dim); });
  });
}

int inspect_onnx(const std::string& path) {
  const OnnxModel model(path);
  const ReadOptions read_options = options_for(summarize(model).inputs);
  const ModelSummary summary = summarize(model, read_options);
  fmt::print("{}: ONNX model '{}', opset {}, IR {}, made by {}\n", path, summary.name, summary.opset, summary.ir_version,
             summary.producer.empty() ? "unknown" : summary.producer);
  fmt::print("  {} nodes, {} parameters\n", summary.nodes.size(), format_count(static_cast<double>(summary.num_parameters)));
  print_tensors("input", summary.inputs);
  print_tensors("output", summary.outputs);
  for (const NodeSummary& node : summary.nodes)
    if (!node.problem.empty()) fmt::print("  not supported: {} '{}': {}\n", node.op_type, node.name, node.problem);
  if (!summary.problem.empty()) fmt::print("  problem: {}\n", summary.problem);
  if (!summary.is_supported()) return not_supported;
  if (has_open_sizes(summary.inputs)) fmt::print("\nSizes that the model leaves open are shown as {}.\n", usual_size);
  print_layers(fuse(read_network(model, read_options)));
  return supported;
}

}  // namespace

int inspect(const InspectCommand& command) {
  const std::string file = file_of(command.file);
  return is_hdf5(file) || is_named_hdf5(file) ? inspect_hdf5(file) : inspect_onnx(command.file);
}

}  // namespace parconv::app
