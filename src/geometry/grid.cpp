// SPDX-License-Identifier: Apache-2.0
#include "parconv/geometry/grid.hpp"

#include <ostream>

#include "parconv/core/error.hpp"

namespace parconv {

const char* name_of(GridAxis axis) {
  static constexpr std::array<const char*, num_grid_axes> names{"n", "f", "c", "d", "h", "w"};
  return names[static_cast<std::size_t>(axis)];
}

int Grid::size() const {
  int product = 1;
  for (int count : parts.values) product *= count;
  return product;
}

int Grid::stride(GridAxis axis) const {
  int product = 1;
  for (auto k = static_cast<std::size_t>(axis) + 1; k < parts.values.size(); ++k) product *= parts.values[k];
  return product;
}

GridVector Grid::position(int rank) const {
  PARCONV_EXPECT(contains(rank), "rank ", rank, ", first rank ", first_rank, ", size ", size());
  int rest = rank - first_rank;
  GridVector result;
  for (std::size_t k = parts.values.size(); k-- > 0;) {
    result.values[k] = rest % parts.values[k];
    rest /= parts.values[k];
  }
  return result;
}

int Grid::rank_at(const GridVector& position) const {
  int rank = 0;
  for (std::size_t k = 0; k < parts.values.size(); ++k) rank = rank * parts.values[k] + position.values[k];
  return first_rank + rank;
}

std::ostream& operator<<(std::ostream& out, const Grid& grid) {
  const char* separator = "";
  for (GridAxis axis : all_grid_axes) {
    if (grid.parts[axis] == 1) continue;
    out << separator << name_of(axis) << '=' << grid.parts[axis];
    separator = ",";
  }
  if (*separator == '\0') out << '1';
  return out;
}

}  // namespace parconv
