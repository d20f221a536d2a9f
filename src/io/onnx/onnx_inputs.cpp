// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/onnx_inputs.hpp"

#include <algorithm>
#include <map>

#include "io/onnx/file/onnx_tensor.hpp"
#include "io/onnx/onnx_types.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using onnx::ValueInfoProto;

/// Approximate limit on the characters of names in a message.
constexpr std::size_t max_message_chars = 1000;

std::string declared_string(const std::vector<DeclaredDim>& dims) {
  std::string text = "[";
  for (const DeclaredDim& dim : dims) {
    if (text.size() > 1) text += ", ";
    text += dim.size > 0 ? std::to_string(dim.size) : dim.symbol.empty() ? "?" : dim.symbol;
  }
  return text + "]";
}

void check_type(const ValueInfoProto& input) {
  if (!input.type().has_tensor_type())
    throw Error(ExitCode::BadData,
                concat("input '", input.name(), "' is not a tensor, but a sequence, a map or an optional value"));
  const int type = input.type().tensor_type().elem_type();
  if (is_held_by_f32(type)) return;
  throw Error(ExitCode::BadData,
              concat("input '", input.name(), "' has element type ", type_name(type), ", which f32 cannot represent"),
              "supported are float types, bool, and integer types of 8 or 16 bits");
}

/// Resolves dimensions one by one; a symbol has the same value wherever it is left open.
class Resolver {
 public:
  Resolver(const OnnxGraph& graph, const ReadOptions& options) : options_(options) {
    for (const ValueInfoProto* input : graph.inputs)
      if (graph.is_used(input->name())) inputs_.push_back(input);
  }

  ResolvedInputs run() {
    if (inputs_.empty()) throw Error(ExitCode::BadData, "the model has no inputs");
    for (const InputDims& data : options_.inputs) take_data_dims(data);
    for (const ValueInfoProto* input : inputs_) check_type(*input);
    choose_batch();
    for (const ValueInfoProto* input : inputs_)
      if (data_dims_.contains(input)) bind_symbols(*input);
    for (const ValueInfoProto* input : inputs_) resolve(*input);
    return std::move(result_);
  }

 private:
  void take_data_dims(const InputDims& data) {
    const auto matches = [&](const ValueInfoProto* input) { return data.name.empty() || input->name() == data.name; };
    const auto found = std::find_if(inputs_.begin(), inputs_.end(), matches);
    if (found == inputs_.end())
      throw Error(ExitCode::BadData, concat("the model has no input '", data.name.substr(0, max_message_chars),
                                            "'; its inputs are ", input_names()));
    data_dims_[*found] = &data.dims;
  }

  std::string input_names() const {
    std::string names;
    for (const ValueInfoProto* input : inputs_) {
      if (names.size() > max_message_chars) return names + ", ...";
      names += concat(names.empty() ? "" : ", ", "'", input->name(), "'");
    }
    return names;
  }

  void choose_batch() {
    const std::vector<DeclaredDim> first = declared_dims(*inputs_.front());
    result_.model_batch = first.empty() ? 0 : first.front().size;
    if (options_.batch) {
      batch_ = *options_.batch;
    } else if (!options_.inputs.empty() && !options_.inputs.front().dims.empty()) {
      batch_ = options_.inputs.front().dims.front();
    }
    result_.batch = batch_ != 0 ? batch_ : std::max<index_t>(result_.model_batch, 1);
  }

  void bind_symbols(const ValueInfoProto& input) {
    const std::vector<DeclaredDim> declared = declared_dims(input);
    const std::vector<index_t>& data = *data_dims_[&input];
    check_agreement(input, declared, data);
    for (std::size_t k = 0; k < declared.size(); ++k)
      if (!declared[k].symbol.empty()) symbols_.emplace(declared[k].symbol, data[k]);
  }

  static void check_agreement(const ValueInfoProto& input, const std::vector<DeclaredDim>& declared,
                              const std::vector<index_t>& data) {
    if (!has_dims(input)) return;
    bool agrees = declared.size() == data.size();
    for (std::size_t k = 1; agrees && k < data.size(); ++k) agrees = declared[k].size == 0 || declared[k].size == data[k];
    if (!agrees)
      throw Error(ExitCode::BadData,
                  concat("input '", input.name(), "' has dimensions ", declared_string(declared),
                         " in the model, but the data has ", dims_string(data)),
                  "crop or pad the data, or export the model with symbolic dimensions");
  }

  void resolve(const ValueInfoProto& input) {
    const auto data = data_dims_.find(&input);
    const std::vector<index_t> dims = data != data_dims_.end() ? *data->second : open_dims(input);
    result_.inputs.push_back({input.name(), shape_from_dims(dims, concat("input '", input.name(), "'"))});
  }

  /// Dimensions of an input without data.
  std::vector<index_t> open_dims(const ValueInfoProto& input) const {
    std::vector<index_t> dims;
    for (const DeclaredDim& dim : declared_dims(input)) {
      const auto symbol = symbols_.find(dim.symbol);
      if (dims.empty()) {
        dims.push_back(batch_ != 0 ? batch_ : dim.size != 0 ? dim.size : result_.batch);
      } else if (dim.size != 0) {
        dims.push_back(dim.size);
      } else if (!dim.symbol.empty() && symbol != symbols_.end()) {
        dims.push_back(symbol->second);
      } else {
        refuse_open(input);
      }
    }
    if (!has_dims(input)) refuse_open(input);
    return dims;
  }

  [[noreturn]] static void refuse_open(const ValueInfoProto& input) {
    throw Error(ExitCode::BadData,
                concat("input '", input.name(), "' has open dimensions in the model: ", declared_string(declared_dims(input))),
                "pass the dimensions of the data");
  }

  const ReadOptions& options_;
  std::vector<const ValueInfoProto*> inputs_{};
  std::map<const ValueInfoProto*, const std::vector<index_t>*> data_dims_{};
  std::map<std::string, index_t> symbols_{};
  index_t batch_ = 0;  ///< requested number of samples; 0 if none
  ResolvedInputs result_{};
};

}  // namespace

bool has_dims(const ValueInfoProto& info) { return info.type().tensor_type().has_shape(); }

std::vector<DeclaredDim> declared_dims(const ValueInfoProto& info) {
  std::vector<DeclaredDim> dims;
  for (const auto& dim : info.type().tensor_type().shape().dim()) {
    constexpr index_t open_size = -1;  // as some exporters write it
    if (dim.has_dim_value() && dim.dim_value() < 1 && dim.dim_value() != open_size)
      throw Error(ExitCode::BadData,
                  concat("'", info.name(), "' has dimension ", dim.dim_value(), " in the model, but must be positive"));
    dims.push_back({.size = std::max<index_t>(dim.dim_value(), 0), .symbol = dim.dim_param()});
  }
  return dims;
}

ResolvedInputs resolve_inputs(const OnnxGraph& graph, const ReadOptions& options) { return Resolver(graph, options).run(); }

}  // namespace parconv
