// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/files/input_files.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>

#include "parconv/core/error.hpp"
#include "parconv/model/shape.hpp"

namespace parconv {
namespace {

std::string quoted_names(std::span<const ModelInput> inputs) {
  std::string text;
  for (const ModelInput& input : inputs) text += concat(text.empty() ? "'" : ", '", input.name, "'");
  return text;
}

/// Checks options by input: every name is that of an input, and occurs once.
template <class Value>
void check_names(const char* option, const std::vector<ForInput<Value>>& values, std::span<const ModelInput> inputs) {
  std::vector<std::string> seen;
  for (const ForInput<Value>& each : values) {
    const std::string name = each.input.empty() ? inputs.front().name : each.input;
    if (std::none_of(inputs.begin(), inputs.end(), [&](const ModelInput& input) { return input.name == name; }))
      throw Error(ExitCode::Usage, concat(option, " names '", name, "', but the inputs of the model are ", quoted_names(inputs)));
    if (std::find(seen.begin(), seen.end(), name) != seen.end())
      throw Error(ExitCode::Usage, concat(option, " is given twice for the input '", name, "'"));
    seen.push_back(name);
  }
}

/// The value of an option for an input; those without a name are for the first.
template <class Value>
std::optional<Value> value_for(const std::vector<ForInput<Value>>& values, const ModelInput& input, bool is_first) {
  for (const ForInput<Value>& each : values)
    if (each.input == input.name || (is_first && each.input.empty())) return each.value;
  return std::nullopt;
}

/// Finds the data of inputs without --input in the file INPUT.
class DefaultFile {
 public:
  explicit DefaultFile(const std::string& path) : path_(path) {}

  /// "FILE:/path" for the next input. The first may use INPUT unchanged.
  std::string path_for(const std::string& input) {
    const bool is_first = !std::exchange(is_used_, true);
    if (path_.empty()) refuse(input, "no file is given for it");
    if (!names_dataset()) {
      if (has_dataset("/" + input)) return concat(path_, ":/", input);
      if (!is_first) refuse(input, concat(path_, " has no data set '/", input, "'"));
    } else if (!is_first) {
      refuse(input, concat(path_, " is the data of another input"));
    }
    return path_;
  }

 private:
  [[noreturn]] static void refuse(const std::string& input, const std::string& why) {
    throw Error(ExitCode::BadData, concat("input '", input, "' of the model has no data: ", why),
                concat("Give its data with --input ", input, "=FILE.h5, or name a data set '", input, "' in INPUT."));
  }

  bool names_dataset() const {
    std::error_code error;
    return path_.rfind(":/") != std::string::npos && !std::filesystem::exists(path_, error);
  }

  bool has_dataset(const std::string& name) {
    if (!datasets_) datasets_ = list_hdf5_datasets(path_);
    return std::any_of(datasets_->begin(), datasets_->end(), [&](const Hdf5DatasetInfo& info) { return info.path == name; });
  }

  std::string path_;
  bool is_used_ = false;
  std::optional<std::vector<Hdf5DatasetInfo>> datasets_{};
};

Hdf5SourceOptions reading_of(const InputRequest& request, const ModelInput& input, bool is_first) {
  Hdf5SourceOptions reading{.layout = value_for(request.layouts, input, is_first).value_or("")};
  if (input.ndims == 2) reading.default_layout = "NC";
  reading.scaling = {.scale = value_for(request.scales, input, is_first).value_or(1.0F),
                     .mean = value_for(request.means, input, is_first).value_or(std::vector<float>{}),
                     .std = value_for(request.stds, input, is_first).value_or(std::vector<float>{})};
  return reading;
}

void check_request(const InputRequest& request, std::span<const ModelInput> inputs) {
  check_names("--input", request.files, inputs);
  check_names("--layout", request.layouts, inputs);
  check_names("--scale", request.scales, inputs);
  check_names("--mean", request.means, inputs);
  check_names("--std", request.stds, inputs);
  if (!request.file.empty() && request.files.size() == inputs.size())
    throw Error(ExitCode::Usage, concat("INPUT ", request.file, " is not needed: --input names the data of every input"),
                "Leave it out.");
}

void check_samples(std::span<const ModelInput> inputs, std::span<const Hdf5Source> data) {
  const index_t samples = data.front().extents()[Axis::N];
  for (std::size_t k = 0; k < data.size(); ++k) {
    const index_t found = data[k].extents()[Axis::N];
    if (found < 1) throw Error(ExitCode::BadData, concat(data[k].name(), " holds no samples"));
    if (found != samples)
      throw Error(ExitCode::BadData,
                  concat("input '", inputs[k].name, "' has ", found, " samples (", data[k].name(), "), but input '",
                         inputs.front().name, "' has ", samples, " (", data.front().name(), ")"),
                  "Every input needs the same number of samples.");
  }
}

}  // namespace

InputFiles::InputFiles(const InputRequest& request, const OnnxModel& model, int threads) : inputs_(inputs_of(model)) {
  check_request(request, inputs_);
  DefaultFile file(request.file);
  for (const ModelInput& input : inputs_) {
    const bool is_first = &input == &inputs_.front();
    const std::optional<std::string> named = value_for(request.files, input, false);
    Hdf5SourceOptions reading = reading_of(request, input, is_first);
    reading.threads = threads;
    data_.emplace_back(named ? *named : file.path_for(input.name), reading);
  }
  check_samples(inputs_, data_);
}

std::vector<DataSource*> InputFiles::sources() {
  std::vector<DataSource*> result;
  for (Hdf5Source& data : data_) result.push_back(&data);
  return result;
}

std::vector<NamedFile> InputFiles::files() const {
  std::vector<NamedFile> files;
  for (std::size_t k = 0; k < data_.size(); ++k) files.push_back({concat("the input '", inputs_[k].name, "'"), data_[k].file()});
  return files;
}

std::vector<Fact> InputFiles::watch(ReadFiles& watched) const {
  std::vector<Fact> facts;
  const std::vector<NamedFile> named = files();
  for (std::size_t k = 0; k < named.size(); ++k) {
    watched.add(named[k]);
    facts.push_back({concat("the shape of ", named[k].part), concat(data_[k].extents(), " of ", name_of(data_[k].dtype()))});
    facts.push_back(watched.contents(named[k].path, DigestExtent::Sampled));
  }
  return facts;
}

std::vector<InputDims> InputFiles::dims(index_t samples) const {
  std::vector<InputDims> result;
  for (std::size_t k = 0; k < data_.size(); ++k) {
    Extents extents = data_[k].extents();
    extents[Axis::N] = samples;
    result.push_back({.name = inputs_[k].name, .dims = dims_of({.extents = extents, .ndims = data_[k].ndims()})});
  }
  return result;
}

std::string InputFiles::names() const {
  if (data_.size() == 1) return data_.front().name();
  std::string text;
  for (std::size_t k = 0; k < data_.size(); ++k) text += concat(k == 0 ? "" : ", ", inputs_[k].name, "=", data_[k].name());
  return text;
}

Workload workload_of(const OnnxModel& model, InputFiles& files, const Request& request) {
  const auto network = [&model, &files, policy = request.inputs.sizes](index_t samples) {
    return fuse(read_fitting_network(model, {.inputs = files.dims(samples), .batch = samples}, policy));
  };
  return {.network = network, .sources = files.sources(), .model_name = request.model, .input_names = files.names()};
}

}  // namespace parconv
