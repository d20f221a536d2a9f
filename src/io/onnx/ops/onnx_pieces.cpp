// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/ops/onnx_pieces.hpp"

#include <algorithm>
#include <map>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

constexpr std::size_t max_pieces = 4096;

/// Elements start, start + step, ..., start + (size - 1) * step of an axis; a start of fill_index stands for fills.
struct Run {
  index_t start = 0;
  index_t size = 1;
  index_t step = 1;
};

/// The longest evenly spaced run of indices from `first` on. Samples are taken in order.
Run run_from(const std::vector<index_t>& all, std::size_t first, Axis axis) {
  Run run{.start = all[first]};
  const bool is_fill = run.start == fill_index;
  if (is_fill) run.step = 0;
  const bool has_step = !is_fill && axis != Axis::N && first + 1 < all.size() && all[first + 1] != fill_index;
  if (has_step) run.step = all[first + 1] - all[first];
  const auto next = [&] { return first + static_cast<std::size_t>(run.size); };
  while (next() < all.size() && all[next()] == run.start + run.size * run.step) ++run.size;
  if (run.size == 1) run.step = 1;
  return run;
}

Resample taking(Axis axis, const Run& run) {
  Resample op;
  op[axis] = {.method = TakeAxis{.start = run.start, .step = run.step}, .size = run.size};
  return op;
}

/// Elements that lie beyond the border along another axis.
ValueId filled(NodeReader& node, ValueId x, Axis axis, index_t size, float fill) {
  const Axis beyond = axis == Axis::W ? Axis::H : Axis::W;
  const index_t extent = node.network().shape(x).extents[beyond];
  Resample op{.fill = fill};
  const bool is_copied = axis == Axis::N;
  op[axis] = {.method = TakeAxis{.start = 0, .step = is_copied || size == 1 ? 1 : 0}, .size = is_copied ? 1 : size};
  op[beyond] = {.method = TakeAxis{.start = extent}, .size = extent};
  const ValueId piece = node.add_step("fill", op, {x});
  if (!is_copied || size == 1) return piece;
  if (size > static_cast<index_t>(max_pieces))
    node.refuse(concat("pads ", size, " samples; at most ", max_pieces, " are supported"));
  return node.add_step("fills", Concat{.axis = axis}, std::vector<ValueId>(static_cast<std::size_t>(size), piece));
}

}  // namespace

Border border_of(NodeReader& node) {
  static const std::map<std::string, Border> modes{
      {"constant", Border::Fill}, {"edge", Border::Edge}, {"reflect", Border::Reflect}, {"wrap", Border::Wrap}};
  const std::string mode = node.attributes().get_string("mode", "constant");
  const auto found = modes.find(mode);
  if (found == modes.end()) node.refuse(concat("attribute mode is '", mode, "'; supported are constant, edge, reflect, wrap"));
  return found->second;
}

std::vector<index_t> padded_indices(Border border, index_t before, index_t size, index_t extent) {
  std::vector<index_t> indices;
  const index_t period = std::max<index_t>(2 * (extent - 1), 1);
  for (index_t at = -before; at < size - before; ++at) {
    if (at >= 0 && at < extent) {
      indices.push_back(at);
    } else if (border == Border::Fill) {
      indices.push_back(fill_index);
    } else if (border == Border::Edge) {
      indices.push_back(at < 0 ? 0 : extent - 1);
    } else if (border == Border::Wrap) {
      indices.push_back((at % extent + extent) % extent);
    } else {
      const index_t place = (at % period + period) % period;
      indices.push_back(std::min(place, period - place) % extent);
    }
  }
  return indices;
}

ValueId elements_at(NodeReader& node, ValueId x, Axis axis, const std::vector<index_t>& indices, float fill) {
  std::vector<ValueId> pieces;
  for (std::size_t first = 0; first < indices.size();) {
    const Run run = run_from(indices, first, axis);
    const bool is_fill = run.start == fill_index;
    pieces.push_back(is_fill ? filled(node, x, axis, run.size, fill) : node.add_step("taken", taking(axis, run), {x}));
    if (pieces.size() > max_pieces) node.refuse(concat("takes elements from more than ", max_pieces, " places"));
    first += static_cast<std::size_t>(run.size);
  }
  if (pieces.empty()) node.refuse("selects no elements");
  return pieces.size() == 1 ? pieces.front() : node.add_step("joined", Concat{.axis = axis}, std::move(pieces));
}

}  // namespace parconv
