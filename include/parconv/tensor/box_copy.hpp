// SPDX-License-Identifier: Apache-2.0
// Box copies expressed as per-unit or per-element functions, for any executor: a GPU, or plain loops in tests.
#pragma once

#include "parconv/tensor/copy_loops.hpp"
#include "parconv/tensor/index_map.hpp"
#include "parconv/tensor/vector_width.hpp"
#include "parconv/tensor/view.hpp"

namespace parconv::box_copy {

/// A naturally aligned group of bytes moved by one instruction.
template <std::size_t Bytes>
struct alignas(Bytes) Unit {
  unsigned char bytes[Bytes];
};

/// Loops in bytes; unused loops have extent 1. The last loop is the fastest.
struct UnitLoops {
  static constexpr std::size_t most = num_axes + 1;
  Divisor extents[most];
  index_t src_strides[most];
  index_t dst_strides[most];
  index_t count = 1;
};

/// Moves the unit with linear index `number`.
template <std::size_t Bytes>
struct CopyUnit {
  const std::byte* src = nullptr;
  std::byte* dst = nullptr;
  UnitLoops loops{};

  PARCONV_HOST_DEVICE void operator()(index_t number) const {
    index_t from = 0, to = 0;
    for (std::size_t k = UnitLoops::most; k-- > 0;) {
      const index_t step = loops.extents[k].take_remainder(number);
      from += step * loops.src_strides[k];
      to += step * loops.dst_strides[k];
    }
    *reinterpret_cast<Unit<Bytes>*>(dst + to) = *reinterpret_cast<const Unit<Bytes>*>(src + from);
  }
};

/// Converts the V elements with linear index `number`.
template <int V>
struct ConvertElements {
  ConstElements src{};
  Elements dst{};
  IndexMap indices{};

  PARCONV_HOST_DEVICE void operator()(index_t number) const {
    const ElementIndex at = indices.at(number);
    store(dst, at, load<V>(src, at));
  }
};

/// The largest unit, up to 16 bytes, that divides all addresses, strides and run lengths.
std::size_t unit_bytes(const CopyLoops& loops, const std::byte* src, const std::byte* dst);

UnitLoops unit_loops(const CopyLoops& loops, std::size_t unit);

/// True if the copy is a single row, or equal rows long enough for the GPU's copy engines.
bool is_slab(const CopyLoops& loops);

/// dst = src, element by element. An Executor provides
///   void for_each(index_t count, const Function&)       calls function(k) for all k < count
///   void copy_rows(const std::byte* src, index_t src_pitch, std::byte* dst, index_t dst_pitch, std::size_t row_bytes,
///                  index_t rows)
/// Precondition: same extents, no overlap; types are equal, or both are element types.
template <class Executor>
class BoxCopy {
 public:
  BoxCopy(ConstView src, View dst, const Executor& executor) : src_(src), dst_(dst), executor_(executor) {}

  void run() const {
    if (volume(src_.layout.extents) == 0) return;
    if (src_.layout.type != dst_.layout.type) return convert();
    const CopyLoops loops = copy_loops(src_.layout, dst_.layout);
    if (!is_slab(loops)) return copy_units(loops, unit_bytes(loops, src_.data, dst_.data));
    const Loop& rows = loops.runs;
    executor_.copy_rows(src_.data, rows.src_stride, dst_.data, rows.dst_stride, loops.run_bytes, rows.extent);
  }

 private:
  void copy_units(const CopyLoops& loops, std::size_t unit) const {
    switch (unit) {
      case 16:
        return copy_units_of<16>(loops);
      case 8:
        return copy_units_of<8>(loops);
      case 4:
        return copy_units_of<4>(loops);
      case 2:
        return copy_units_of<2>(loops);
      default:
        return copy_units_of<1>(loops);
    }
  }

  template <std::size_t Bytes>
  void copy_units_of(const CopyLoops& loops) const {
    const UnitLoops units = unit_loops(loops, Bytes);
    executor_.for_each(units.count, CopyUnit<Bytes>{.src = src_.data, .dst = dst_.data, .loops = units});
  }

  void convert() const {
    const int width = widest_vector(dst_.layout, {&src_.layout, 1});
    const bool is_wide = is_aligned(src_.data, src_.layout, width) && is_aligned(dst_.data, dst_.layout, width);
    return width == 8 && is_wide ? convert_vectors<8>() : convert_vectors<1>();
  }

  template <int V>
  void convert_vectors() const {
    const IndexMap indices(src_.layout.extents, V);
    executor_.for_each(indices.count(), ConvertElements<V>{.src = elements_of(src_.layout, src_.data),
                                                           .dst = elements_of(dst_.layout, dst_.data),
                                                           .indices = indices});
  }

  ConstView src_;
  View dst_;
  const Executor& executor_;
};

}  // namespace parconv::box_copy
