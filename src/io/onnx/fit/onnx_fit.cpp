// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/onnx/onnx_fit.hpp"

#include <algorithm>
#include <cctype>

#include "io/onnx/fit/crops.hpp"
#include "io/onnx/fit/size_search.hpp"
#include "io/onnx/onnx_reading.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Nodes that a search reads, seconds at most.
constexpr index_t max_read_nodes = 400'000;
constexpr index_t min_tests = 16;
constexpr index_t max_tests = 2048;
constexpr index_t reach_elems = 256;

/// A model with the sizes near those of its data.
class FittingSizes {
 public:
  FittingSizes(const OnnxModel& model, const ReadOptions& options)
      : model_(model), options_(options), axes_(open_axes(model, options)) {
    if (axes_.empty() || has_unsupported_operators()) return;
    std::vector<index_t> wanted;
    for (const OpenAxis& axis : axes_) wanted.push_back(axis.count);
    near_ = nearest_sizes(wanted, [&](std::span<const index_t> counts) { return fits(counts); }, limits());
  }

  bool has_misfit() const { return std::ranges::any_of(near_, &NearSizes::is_misfit); }
  bool can_pad() const {
    return has_misfit() && std::ranges::all_of(near_, [](const NearSizes& near) { return near.above.has_value(); });
  }

  std::string text() const {
    std::string text;
    for (std::size_t k = 0; k < near_.size(); ++k)
      if (near_[k].is_misfit()) text += concat(text.empty() ? "" : "; ", misfit(k));
    return text;
  }

  /// "512", or "H=512, W=336" if there are several axes.
  std::string padded_sizes() const {
    std::string text;
    const bool is_single = std::ranges::count_if(near_, &NearSizes::is_misfit) == 1;
    for (std::size_t k = 0; k < near_.size(); ++k)
      if (near_[k].is_misfit())
        text += concat(text.empty() ? "" : ", ", is_single ? "" : concat(letter(k), "="), elems(k, *near_[k].above));
    return text;
  }

  /// Precondition: can_pad.
  Network padded_network() const {
    std::vector<index_t> counts;
    for (const NearSizes& near : near_) counts.push_back(near.above.value());
    const Network network = read(counts);
    std::vector<FittedAxis> fitted;
    for (std::size_t k = 0; k < axes_.size(); ++k) fitted.push_back(fitted_axis(k, counts));
    const PaddingAndCrops change = padding_and_crops(network, fitted);
    Network padded = with_padding(network, change.paddings, change.crops);
    validate(padded);
    return padded;
  }

 private:
  bool has_unsupported_operators() const {
    const auto& nodes = model_.contents().proto.graph().node();
    return std::any_of(nodes.begin(), nodes.end(), [](const onnx::NodeProto& node) { return !unsupported_reason(node).empty(); });
  }

  SearchLimits limits() const {
    index_t unit = 1;
    for (const OpenAxis& axis : axes_)
      for (const OpenAxis::Member& member : axis.members) unit = std::max(unit, member.unit);
    const index_t nodes = std::max(model_.contents().proto.graph().node_size(), 1);
    return {.reach = reach_elems / unit, .max_tests = std::clamp(max_read_nodes / nodes, min_tests, max_tests)};
  }

  Network read(std::span<const index_t> counts) const { return read_network(model_, with_counts(options_, axes_, counts)); }

  bool fits(std::span<const index_t> counts) const {
    try {
      read(counts);
      return true;
    } catch (const Error& error) {
      if (error.code() != ExitCode::BadData) throw;
      return false;
    }
  }

  FittedAxis fitted_axis(std::size_t k, std::vector<index_t> counts) const {
    const NearSizes& near = near_[k];
    FittedAxis axis{.open = axes_[k], .count = counts[k]};
    const std::optional<index_t> other = near.below ? near.below : near.next;
    if (!other) return axis;
    counts[k] = axis.other = *other;
    if (fits(counts)) axis.varied = read(counts);
    return axis;
  }

  std::string letter(std::size_t k) const {
    return std::string(1, static_cast<char>(std::toupper(static_cast<unsigned char>(name_of(axes_[k].axis)[0]))));
  }

  index_t elems(std::size_t k, index_t count) const { return count * axes_[k].members.front().unit; }

  std::string misfit(std::size_t k) const {
    const NearSizes& near = near_[k];
    const bool has_both = near.below && near.above;
    std::string text = concat(letter(k), "=", elems(k, near.wanted));
    if (axes_[k].members.size() > 1) text += concat(" of input '", options_.inputs[axes_[k].members.front().listed].name, "'");
    text += " does not fit this network: ";
    if (near.below) text += concat(elems(k, *near.below));
    if (has_both) text += " and ";
    if (near.above) text += concat(elems(k, *near.above));
    return text + (has_both ? " do" : " does");
  }

  const OnnxModel& model_;
  const ReadOptions& options_;
  std::vector<OpenAxis> axes_;
  std::vector<NearSizes> near_{};
};

/// The error of reading a model for sizes that do not fit.
Error misfit_error(const Error& error, const FittingSizes& sizes, SizePolicy policy) {
  const bool is_asked = policy == SizePolicy::PadToFit;
  if (!sizes.has_misfit())
    return {error.code(), error.what(), is_asked ? "--pad-to-fit found no size near that fits." : error.hint()};
  const std::string hint = sizes.can_pad() ? concat("--pad-to-fit pads to ", sizes.padded_sizes(), " and crops the result.")
                           : is_asked      ? "No larger size near it fits, so --pad-to-fit cannot be used: crop the data."
                                           : "Crop the data, or resize it.";
  return {error.code(), concat(sizes.text(), " (", error.what(), ")"), hint};
}

}  // namespace

Network read_fitting_network(const OnnxModel& model, const ReadOptions& options, SizePolicy policy) {
  try {
    return read_network(model, options);
  } catch (const Error& error) {
    if (error.code() != ExitCode::BadData) throw;
    const FittingSizes sizes(model, options);
    if (policy == SizePolicy::PadToFit && sizes.can_pad()) return sizes.padded_network();
    throw misfit_error(error, sizes, policy);
  }
}

std::string misfit_text(const OnnxModel& model, const ReadOptions& options) { return FittingSizes(model, options).text(); }

}  // namespace parconv
