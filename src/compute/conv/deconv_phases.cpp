// SPDX-License-Identifier: Apache-2.0
#include "compute/conv/deconv_phases.hpp"

#include <algorithm>
#include <numeric>

#include "compute/main_index.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

bool is_multiple(index_t number, index_t of) { return number % of == 0; }

/// Selects the taps of a phase from all taps of a box.
std::vector<float> taps_of_phase(const std::vector<float>& weights, const std::array<index_t, 3>& kernel, const Phase& phase) {
  const index_t taps = kernel[0] * kernel[1] * kernel[2];
  std::vector<float> result;
  for (index_t first = 0; first < std::ssize(weights); first += taps)
    for (index_t d : phase.axes[0].taps)
      for (index_t h : phase.axes[1].taps)
        for (index_t w : phase.axes[2].taps)
          result.push_back(weights[static_cast<std::size_t>(first + (d * kernel[1] + h) * kernel[2] + w)]);
  return result;
}

}  // namespace

PhaseAxis phase_of(const WindowAxis& window, index_t first, index_t out_size, index_t in_size) {
  PhaseAxis phase{.count = first < out_size ? ceil_div(out_size - first, window.stride) : 0};
  const index_t place = first + window.pad_lo;
  for (index_t tap = window.kernel - 1; tap >= 0; --tap)
    if (is_multiple(place - tap * window.dilation, window.stride)) phase.taps.push_back(tap);
  if (phase.is_empty()) return phase;
  // Selected taps are stride / gcd apart, which moves the source index by dilation / gcd.
  const index_t apart = window.dilation / std::gcd(window.dilation, window.stride);
  phase.window = {.kernel = std::ssize(phase.taps), .dilation = phase.taps.size() > 1 ? apart : 1};
  const index_t begin = (place - phase.taps.front() * window.dilation) / window.stride;
  const index_t end = begin + phase.count - 1 + phase.window.span();
  phase.skip = std::max<index_t>(begin, 0);
  phase.window.pad_lo = std::max<index_t>(-begin, 0);
  phase.window.pad_hi = std::max<index_t>(end - in_size, 0);
  phase.made = phase.skip + phase.count + std::max<index_t>(in_size - end, 0);
  return phase;
}

std::vector<Phase> phases_of(const LocalOp& op, const LocalDeconv& deconv) {
  const std::size_t main = main_index(op);
  std::array<std::vector<PhaseAxis>, 3> along;
  for (Axis axis : spatial_axes)
    for (index_t first = 0; first < deconv.window[axis].stride; ++first)
      along[static_cast<std::size_t>(axis) - 2].push_back(
          phase_of(deconv.window[axis], first, op.dst.extents[axis], op.srcs[main].extents[axis]));
  std::vector<Phase> phases;
  for (const PhaseAxis& d : along[0])
    for (const PhaseAxis& h : along[1])
      for (const PhaseAxis& w : along[2]) phases.push_back({{d, h, w}});
  return phases;
}

const std::vector<float>& FilterBoxes::get(const FilterBox& box) {
  for (const Entry& entry : entries_)
    if (entry.box == box) return entry.weights;
  entries_.push_back({box, read_(filter_, box)});
  PARCONV_EXPECT(std::ssize(entries_.back().weights) == box.volume(), entries_.back().weights.size(), " weights");
  return entries_.back().weights;
}

FilterReader phase_reader(FilterBoxes& boxes, const LocalDeconv& deconv, const Phase& phase) {
  return [&](const Filter&, const FilterBox& box) {
    const std::array<index_t, 3>& kernel = deconv.filter.kernel;
    const FilterBox all{.oc = box.oc, .ic = box.ic, .kernel = {{{0, kernel[0]}, {0, kernel[1]}, {0, kernel[2]}}}};
    return taps_of_phase(boxes.get(all), kernel, phase);
  };
}

}  // namespace parconv
