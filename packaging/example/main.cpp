// What 4 ranks exchange before a 3x3 convolution with stride 2 that is split by rows: no MPI, only arithmetic on boxes.
#include <array>
#include <exception>
#include <iostream>
#include <utility>
#include <vector>

#include "parconv/geometry/cuts.hpp"
#include "parconv/geometry/distribution.hpp"
#include "parconv/geometry/transfers.hpp"
#include "parconv/geometry/window.hpp"
#include "parconv/plan/split.hpp"

namespace {

using parconv::Axis;
using parconv::Box;
using parconv::Distribution;
using parconv::Extents;
using parconv::GridAxis;
using parconv::Interval;

/// `extents` with its rows shared out over the grid; `rows` has one piece for each position along h.
Distribution by_rows(const parconv::Grid& grid, const Extents& extents, std::vector<Interval> rows) {
  std::array<parconv::AxisPieces, parconv::num_axes> axes;
  for (Axis axis : parconv::all_axes) axes[static_cast<std::size_t>(axis)].pieces = {Interval{0, extents[axis]}};
  axes[static_cast<std::size_t>(Axis::H)] = {.pieces = std::move(rows), .by = {GridAxis::H}};
  return {grid, axes};
}

void print_halos(int num_ranks) {
  const Extents input{{1, 64, 1, 56, 56}};
  const parconv::WindowAxis window{.kernel = 3, .stride = 2, .pad_lo = 1, .pad_hi = 1};
  const parconv::Split split = parconv::parse_split("spatial", num_ranks, 2);
  const parconv::Grid grid{.parts = split.parts};

  const auto owned_rows = parconv::pieces_of(parconv::block_cuts(input[Axis::H], num_ranks));
  std::vector<Interval> needed_rows;
  for (Interval out : parconv::pieces_of(parconv::block_cuts(window.output_size(input[Axis::H]), num_ranks)))
    needed_rows.push_back(window.clipped_input_range(out, input[Axis::H]));

  const Distribution owned = by_rows(grid, input, owned_rows);
  const Distribution needed = by_rows(grid, input, needed_rows);
  std::cout << "split " << to_string(split) << " of " << to_string(input) << "\n";
  for (int rank = 0; rank < num_ranks; ++rank)
    std::cout << "rank " << rank << " owns " << owned.box(rank) << " needs " << needed.box(rank) << "\n";
  for (const parconv::Transfer& transfer : transfers(owned, needed))
    std::cout << "rank " << transfer.from << " sends " << transfer.box << " to rank " << transfer.to << "\n";
}

}  // namespace

int main() {
  try {
    print_halos(4);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
