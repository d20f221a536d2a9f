#include "compute/deconv_phases.hpp"

#include <algorithm>
#include <numeric>

namespace parconv {
namespace {

bool is_multiple(index_t number, index_t of) { return number % of == 0; }

}  // namespace

PhaseAxis phase_of(const WindowAxis& window, index_t first, index_t out_size, index_t in_size) {
  PhaseAxis phase{.count = first < out_size ? ceil_div(out_size - first, window.stride) : 0};
  const index_t place = first + window.pad_lo;
  for (index_t tap = window.kernel - 1; tap >= 0; --tap)
    if (is_multiple(place - tap * window.dilation, window.stride)) phase.taps.push_back(tap);
  if (phase.is_empty()) return phase;
  // Taps that stay are stride / gcd apart, which moves the source by dilation / gcd.
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

}  // namespace parconv
