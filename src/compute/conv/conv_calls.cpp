// SPDX-License-Identifier: Apache-2.0
#include "compute/conv/conv_calls.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

std::string strides_text(const OperandLayout& layout) { return concat(" by ", to_string(layout.strides)); }

/// Parameters of an activation are compared by their bits.
std::string activation_text(const Activation& activation) {
  return concat(static_cast<int>(activation.kind), "(", std::hexfloat, activation.alpha, ",", activation.beta, ")");
}

/// A call that is never executed.
class NoCall final : public ConvCall {
 public:
  void execute(const Operands&) override { PARCONV_EXPECT(false, "a call that was only listed"); }
  std::size_t workspace_bytes() const override { return 0; }
  std::size_t resident_bytes() const override { return 0; }
  std::string implementation() const override { return "none"; }
};

/// A kernel that is never executed.
class NoKernel final : public Kernel {
 public:
  void execute(std::span<const std::byte* const>, std::byte*, std::byte*) override {
    PARCONV_EXPECT(false, "a kernel that was only listed");
  }
  std::string implementation() const override { return "none"; }
};

/// A library that records calls and returns their algorithms from `choices`.
class CallList final : public ConvLibrary {
 public:
  CallList(ConvLibrary& library, const GpuOptions& options, const ConvAlgorithms& choices)
      : library_(library), options_(options), choices_(choices) {}

  std::unique_ptr<ConvCall> make_call(const StridedConv& conv, const ConvFilter&) override {
    if (std::find(calls_.begin(), calls_.end(), conv) == calls_.end()) calls_.push_back(conv);
    const auto choice = choices_.find(key_of(conv, options_));
    if (choice != choices_.end() && !choice->second.computes()) return nullptr;
    return std::make_unique<NoCall>();
  }
  bool fuses(const Activation& activation) const override { return library_.fuses(activation); }
  std::unique_ptr<Kernel> make_kernel(const LocalOp&) override { return std::make_unique<NoKernel>(); }
  void copy(ConstView, View) override {}
  void zero(std::byte*, std::size_t) override {}

  std::vector<StridedConv> take() { return std::move(calls_); }

 private:
  ConvLibrary& library_;
  const GpuOptions& options_;
  const ConvAlgorithms& choices_;
  std::vector<StridedConv> calls_{};
};

std::vector<float> read_nothing(const Filter&, const FilterBox&) {
  PARCONV_EXPECT(false, "calls are listed without filters");
  return {};
}

class ConvChooser final : public ConvAlgorithmChooser {
 public:
  explicit ConvChooser(ConvChooserParts parts) : parts_(std::move(parts)) {}

  ConvAlgorithmMachine machine() const override { return parts_.machine; }

  std::vector<std::string> open_calls(std::span<const LocalOp> ops, const ConvAlgorithms& choices) override {
    std::vector<std::string> open;
    for (const StridedConv& conv : calls_of(ops, *parts_.library, parts_.options, choices)) {
      const std::string key = key_of(conv, parts_.options);
      if (has_choice(key, choices)) continue;
      open.push_back(key);
      calls_.emplace(key, conv);
    }
    return open;
  }

  ConvAlgorithm choose(const std::string& call) override {
    const auto found = calls_.find(call);
    PARCONV_EXPECT(found != calls_.end(), call);
    ConvAlgorithm choice = parts_.time(found->second);
    PARCONV_EXPECT(choice.workspace_bytes <= static_cast<index_t>(parts_.options.most_workspace_bytes), choice.workspace_bytes);
    return choice;
  }

 private:
  bool has_choice(const std::string& key, const ConvAlgorithms& choices) const {
    const auto found = choices.find(key);
    return found != choices.end() && found->second.workspace_bytes <= static_cast<index_t>(parts_.options.most_workspace_bytes);
  }

  ConvChooserParts parts_;
  std::map<std::string, StridedConv> calls_{};
};

}  // namespace

std::string key_of(const StridedConv& conv, const GpuOptions& options) {
  std::string text = concat(to_string(conv), ", src", strides_text(conv.src), ", dst", strides_text(conv.dst));
  if (conv.has_bias) text += ", bias";
  if (conv.residual) text += concat(", residual ", name_of(conv.residual->type), strides_text(*conv.residual));
  if (conv.activation != Activation{}) text += ", activation " + activation_text(conv.activation);
  if (conv.src.type == DType::F32 && options.f32_products == F32Products::Tf32) text += ", tf32";
  if (options.conv_algorithms == ConvAlgorithmChoice::Exact) text += ", exact";
  if (options.multiprocessors_left > 0) text += concat(", ", options.multiprocessors_left, " multiprocessors left");
  return text;
}

std::vector<StridedConv> calls_of(std::span<const LocalOp> ops, ConvLibrary& library, const GpuOptions& options,
                                  const ConvAlgorithms& choices) {
  CallList list(library, options, choices);
  for (const LocalOp& op : ops) {
    if (std::holds_alternative<LocalConv>(op.kind)) make_strided_conv(op, read_nothing, list);
    if (std::holds_alternative<LocalDeconv>(op.kind)) make_strided_deconv(op, read_nothing, list);
  }
  return list.take();
}

std::unique_ptr<ConvAlgorithmChooser> make_conv_chooser(ConvChooserParts parts) {
  return std::make_unique<ConvChooser>(std::move(parts));
}

std::string to_string(const ConvAlgorithmMachine& machine) {
  return concat(machine.gpu, " (", machine.major, ".", machine.minor, ", ", machine.multiprocessors, " multiprocessors), ",
                machine.library);
}

}  // namespace parconv
