// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/fit/open_axes.hpp"

#include <algorithm>
#include <numeric>

#include "io/onnx/file/onnx_graph.hpp"
#include "io/onnx/onnx_inputs.hpp"

namespace parconv {
namespace {

/// The dimension of an axis of a tensor of `ndims` dimensions; nullopt if it has none.
std::optional<std::size_t> dim_of(Axis axis, std::size_t ndims) {
  const bool has_depth = ndims == num_axes;
  if (axis == Axis::D) return has_depth ? std::optional<std::size_t>(2) : std::nullopt;
  const std::size_t dim = static_cast<std::size_t>(axis) - (has_depth ? 0 : 1);
  return dim < ndims ? std::optional(dim) : std::nullopt;
}

/// An input of the network whose dimensions are listed.
struct ListedInput {
  std::size_t input = 0;
  std::size_t listed = 0;
  std::vector<DeclaredDim> declared{};  ///< empty: all are open
};

std::vector<ListedInput> listed_inputs(const OnnxGraph& graph, const ReadOptions& options) {
  std::vector<ListedInput> result;
  std::size_t input = 0;
  for (const onnx::ValueInfoProto* info : graph.inputs) {
    if (!graph.is_used(info->name())) continue;
    const bool is_first = input == 0;
    const auto listed = std::ranges::find_if(
        options.inputs, [&](const InputDims& dims) { return dims.name == info->name() || (is_first && dims.name.empty()); });
    if (listed != options.inputs.end())
      result.push_back({.input = input,
                        .listed = static_cast<std::size_t>(listed - options.inputs.begin()),
                        .declared = has_dims(*info) ? declared_dims(*info) : std::vector<DeclaredDim>{}});
    ++input;
  }
  return result;
}

OpenAxis open_axis(Axis axis, const std::vector<ListedInput>& inputs, const ReadOptions& options) {
  OpenAxis open{.axis = axis};
  for (const ListedInput& input : inputs) {
    const std::vector<index_t>& dims = options.inputs[input.listed].dims;
    const std::optional<std::size_t> dim = dim_of(axis, dims.size());
    if (!dim || dims[*dim] < 1) continue;
    const bool is_fixed = *dim < input.declared.size() && input.declared[*dim].size > 0;
    if (!is_fixed) open.members.push_back({.input = input.input, .listed = input.listed, .dim = *dim, .unit = dims[*dim]});
  }
  const auto is_one = [](const OpenAxis::Member& member) { return member.unit == 1; };
  if (!std::ranges::all_of(open.members, is_one)) std::erase_if(open.members, is_one);
  open.count = 0;
  for (const OpenAxis::Member& member : open.members) open.count = std::gcd(open.count, member.unit);
  for (OpenAxis::Member& member : open.members) member.unit /= open.count;
  return open;
}

}  // namespace

std::vector<OpenAxis> open_axes(const OnnxModel& model, const ReadOptions& options) {
  const std::vector<ListedInput> inputs = listed_inputs(index_graph(model.contents()), options);
  std::vector<OpenAxis> axes;
  for (const Axis axis : {Axis::D, Axis::H, Axis::W})
    if (OpenAxis open = open_axis(axis, inputs, options); !open.members.empty()) axes.push_back(std::move(open));
  return axes;
}

ReadOptions with_counts(ReadOptions options, std::span<const OpenAxis> axes, std::span<const index_t> counts) {
  for (std::size_t k = 0; k < axes.size(); ++k)
    for (const OpenAxis::Member& member : axes[k].members)
      options.inputs[member.listed].dims[member.dim] = counts[k] * member.unit;
  return options;
}

}  // namespace parconv
