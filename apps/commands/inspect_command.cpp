// SPDX-License-Identifier: Apache-2.0
// parconv_app inspect: the contents of a model or a data file, and their use by parconv.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <map>
#include <set>

#include "commands.hpp"
#include "parconv/comm/watchdog.hpp"
#include "parconv/core/units.hpp"
#include "parconv/io/hdf5/hdf5_source.hpp"
#include "parconv/io/onnx/onnx_fit.hpp"
#include "parconv/io/onnx/onnx_summary.hpp"
#include "parconv/model/localise.hpp"
#include "parconv/model/shape.hpp"
#include "parconv/session/files/input_files.hpp"

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
  std::size_t width = 28;
  for (const Node& node : network.nodes) width = std::max(width, network.value(node.output).name.size());
  width = std::min<std::size_t>(width, 60);
  fmt::print("\n{:<{}} {:<12} {:<22} {:<12} {:>12} {:>12}\n", "layer", width, "operator", "output", "can split by", "FLOP",
             "weights");
  double total = 0;
  for (const Node& node : network.nodes) {
    const Value& out = network.value(node.output);
    const WorkRegion whole{Box::whole(out.extents), whole_contracted(network, node)};
    const double operations = flops(network, node, whole);
    total += operations;
    fmt::print("{:<{}} {:<12} {:<22} {:<12} {:>12} {:>12}\n", out.name, width, name_of(node.op),
               times_joined(dims_of(shape_of(out))), split_axes(network, node), format_count(operations),
               format_bytes(weight_bytes(network, node, whole)));
  }
  fmt::print("{:<{}} {:<12} {:<22} {:<12} {:>12}\n", "total", width, "", "", "", format_count(total));
}

/// Default for sizes that the model leaves open; inputs have one sample.
constexpr index_t usual_size = 224;

bool is_number(const std::string& dim) { return !dim.empty() && dim.find_first_not_of("0123456789") == std::string::npos; }

/// Sizes by symbol of the model ("height") or axis ("H").
using Sizes = std::map<std::string, index_t>;

Sizes parsed_sizes(const std::vector<std::string>& texts) {
  Sizes sizes;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const std::string number = equals == std::string::npos ? "" : text.substr(equals + 1);
    index_t size = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), size);
    if (error != std::errc() || end != number.data() + number.size() || size < 1 || equals == 0)
      throw Error(ExitCode::Usage, fmt::format("--size {} is not AXIS=NUMBER or SYMBOL=NUMBER", text),
                  "For example --size H=384,W=512, with the axes N, C, D, H and W.");
    sizes[text.substr(0, equals)] = size;
  }
  return sizes;
}

/// The letter of dimension `k` of an input of `ndims` dimensions.
std::string axis_letter(std::size_t k, std::size_t ndims) {
  static constexpr std::array<std::string_view, 6> letters{"", "N", "NC", "NCW", "NCHW", "NCDHW"};
  return ndims < letters.size() ? std::string(1, letters[ndims][k]) : std::string();
}

/// The dimensions of inputs: as the model fixes them, as asked, else usual ones.
class InputSizes {
 public:
  explicit InputSizes(Sizes sizes) : sizes_(std::move(sizes)) {}

  ReadOptions options(const std::vector<TensorSummary>& inputs) {
    ReadOptions options{.batch = 1};
    for (const TensorSummary& input : inputs) {
      InputDims dims{.name = input.name};
      for (std::size_t k = 0; k < input.dims.size(); ++k)
        dims.dims.push_back(size(input.dims[k], axis_letter(k, input.dims.size()), k == 0));
      if (!dims.dims.empty()) options.inputs.push_back(std::move(dims));
    }
    require_used();
    if (!options.inputs.empty()) options.batch = options.inputs.front().dims.front();
    return options;
  }

  bool has_guessed() const { return has_guessed_; }

 private:
  index_t size(const std::string& declared, const std::string& letter, bool is_samples) {
    for (const std::string& key : {declared, letter})
      if (const auto found = sizes_.find(key); found != sizes_.end() && !is_number(declared)) {
        used_.insert(key);
        return found->second;
      }
    if (is_number(declared)) return std::stoll(declared);
    has_guessed_ = has_guessed_ || !is_samples;
    return is_samples ? 1 : usual_size;
  }

  void require_used() const {
    for (const auto& [key, value] : sizes_)
      if (!used_.contains(key))
        throw Error(ExitCode::Usage, fmt::format("--size {}={}: no input of the model leaves this size open", key, value));
  }

  Sizes sizes_;
  std::set<std::string> used_{};
  bool has_guessed_ = false;
};

/// Refused nodes by operator and cause, in the order of their first nodes.
void print_problems(const std::vector<NodeSummary>& nodes) {
  struct Group {
    const NodeSummary* first = nullptr;
    int count = 0;
  };
  std::vector<Group> groups;
  for (const NodeSummary& node : nodes) {
    if (node.problem.empty()) continue;
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
      return group.first->op_type == node.op_type && group.first->problem == node.problem;
    });
    if (same == groups.end())
      groups.push_back({.first = &node, .count = 1});
    else
      same->count += 1;
  }
  for (const Group& group : groups)
    fmt::print("  not supported: {} {}{}: {}\n", group.first->op_type, "'" + group.first->name + "'",
               group.count > 1 ? fmt::format(" and {} more", group.count - 1) : "", group.first->problem);
}

ReadOptions options_of_data(const OnnxModel& model, const std::string& data_file) {
  InputFiles files({.file = data_file}, model);
  return {.inputs = files.dims(1), .batch = 1};
}

/// Layers for sizes that the model cannot be read with, if padding makes them fit.
int show_misfit(const InspectCommand& command, const OnnxModel& model, const ReadOptions& options) {
  const std::string misfit = misfit_text(model, options);
  if (misfit.empty()) return not_supported;
  fmt::print("\n{}\n", misfit);
  if (!command.pads_to_fit) return not_supported;
  print_layers(fuse(read_fitting_network(model, options, SizePolicy::PadToFit)));
  return supported;
}

int inspect_onnx(const InspectCommand& command) {
  const OnnxModel model(command.file);
  InputSizes sizes(parsed_sizes(command.sizes));
  const ReadOptions read_options =
      command.data_file.empty() ? sizes.options(summarize(model).inputs) : options_of_data(model, command.data_file);
  const ModelSummary summary = summarize(model, read_options);
  fmt::print("{}: ONNX model '{}', opset {}, IR {}, made by {}\n", command.file, summary.name, summary.opset, summary.ir_version,
             summary.producer.empty() ? "unknown" : summary.producer);
  fmt::print("  {} nodes, {} parameters\n", summary.nodes.size(), format_count(static_cast<double>(summary.num_parameters)));
  print_tensors("input", summary.inputs);
  print_tensors("output", summary.outputs);
  print_problems(summary.nodes);
  if (!summary.problem.empty()) fmt::print("  problem: {}\n", summary.problem);
  if (sizes.has_guessed())
    fmt::print(
        "\nSizes that the model leaves open are taken as {}; others by --size H=384,W=512, or those of a data file:\n"
        "parconv_app inspect {} DATA.h5\n",
        usual_size, command.file);
  if (!summary.is_supported()) return show_misfit(command, model, read_options);
  print_layers(fuse(read_network(model, read_options)));
  return supported;
}

}  // namespace

int inspect(const InspectCommand& command) {
  const std::string file = file_of(command.file);
  return is_hdf5(file) || is_named_hdf5(file) ? inspect_hdf5(file) : inspect_onnx(command);
}

}  // namespace parconv::app
