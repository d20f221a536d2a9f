// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/padding.hpp"

#include <algorithm>
#include <unordered_set>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

class Padder {
 public:
  explicit Padder(Network network) : network_(std::move(network)) {
    for (const Value& value : network_.values) names_.insert(value.name);
  }

  void pad(std::size_t input, std::vector<InputPadding> paddings) {
    const ValueId padded = network_.inputs[input];
    const ValueId data = take_name_of(padded, ".padded");
    for (const InputPadding& padding : paddings) network_.value(data).extents[padding.axis] -= padding.before + padding.after;
    network_.value(data).kind = ValueKind::Input;
    network_.value(padded).kind = ValueKind::Activation;
    network_.inputs[input] = data;
    ValueId value = data;
    while (!paddings.empty()) {
      const Resample step = next_step(paddings, network_.value(value).extents);
      const ValueId wider = paddings.empty() ? padded : add_wider(value, step);
      added_.push_back({.name = network_.value(wider).name, .op = step, .inputs = {value}, .output = wider});
      value = wider;
    }
  }

  void crop(std::size_t output, std::span<const OutputCrop> crops) {
    const ValueId whole = network_.outputs[output];
    const ValueId part = take_name_of(whole, ".uncropped");
    Resample op;
    for (const OutputCrop& crop : crops) {
      op[crop.axis] = {.method = TakeAxis{.start = crop.start}, .size = crop.size};
      network_.value(part).extents[crop.axis] = crop.size;
    }
    network_.nodes.push_back({.name = network_.value(part).name, .op = op, .inputs = {whole}, .output = part});
    network_.outputs[output] = part;
  }

  Network take() {
    network_.nodes.insert(network_.nodes.begin(), added_.begin(), added_.end());
    return std::move(network_);
  }

 private:
  /// A value with the name and shape of another, which gets a new name.
  ValueId take_name_of(ValueId id, const char* suffix) {
    const ValueId copy =
        add({.name = network_.value(id).name, .extents = network_.value(id).extents, .ndims = network_.value(id).ndims});
    network_.value(id).name = fresh_name(concat(network_.value(id).name, suffix));
    return copy;
  }

  ValueId add_wider(ValueId from, const Resample& step) {
    Value wider = network_.value(from);
    wider.kind = ValueKind::Activation;
    wider.name = fresh_name(concat(wider.name, ".wider"));
    for (Axis axis : all_axes)
      if (step[axis].size > 0) wider.extents[axis] = step[axis].size;
    return add(std::move(wider));
  }

  ValueId add(Value value) {
    network_.values.push_back(std::move(value));
    return static_cast<ValueId>(network_.values.size()) - 1;
  }

  std::string fresh_name(const std::string& base) {
    std::string name = base;
    for (int k = 2; !names_.insert(name).second; ++k) name = concat(base, k);
    return name;
  }

  /// One reflection at each end, which adds all elements but one at most; a single element is repeated. Removes from `paddings`
  /// what it adds. Reflecting the result continues the same periodic sequence.
  static Resample next_step(std::vector<InputPadding>& paddings, const Extents& extents) {
    Resample op;
    for (InputPadding& padding : paddings) {
      const index_t size = extents[padding.axis];
      const index_t most = size == 1 ? std::max(padding.before, padding.after) : size - 1;
      const index_t before = std::min(padding.before, most), after = std::min(padding.after, most);
      op[padding.axis] = {.method = TakeAxis{.start = -before, .border = size == 1 ? Border::Edge : Border::Reflect},
                          .size = before + size + after};
      padding.before -= before;
      padding.after -= after;
    }
    std::erase_if(paddings, [](const InputPadding& padding) { return padding.before == 0 && padding.after == 0; });
    return op;
  }

  Network network_;
  std::unordered_set<std::string> names_{};
  std::vector<Node> added_{};
};

}  // namespace

Network with_padding(Network network, std::span<const InputPadding> paddings, std::span<const OutputCrop> crops) {
  const std::size_t inputs = network.inputs.size(), outputs = network.outputs.size();
  Padder padder(std::move(network));
  for (std::size_t k = 0; k < inputs; ++k) {
    std::vector<InputPadding> own;
    std::ranges::copy_if(paddings, std::back_inserter(own), [&](const InputPadding& padding) { return padding.input == k; });
    if (!own.empty()) padder.pad(k, std::move(own));
  }
  for (std::size_t k = 0; k < outputs; ++k) {
    std::vector<OutputCrop> own;
    std::ranges::copy_if(crops, std::back_inserter(own), [&](const OutputCrop& crop) { return crop.output == k; });
    if (!own.empty()) padder.crop(k, own);
  }
  return padder.take();
}

}  // namespace parconv
