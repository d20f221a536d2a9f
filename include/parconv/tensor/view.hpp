// SPDX-License-Identifier: Apache-2.0
// Views of boxes of tensors in memory, and copies between them.
#pragma once

#include <cstddef>

#include "parconv/geometry/box.hpp"
#include "parconv/geometry/operand_layout.hpp"
#include "parconv/tensor/aligned.hpp"

namespace parconv {

/// Non-owning view of a box in a channels-last buffer: address of its first element, and layout.
template <class Byte>
struct BasicView {
  Byte* data = nullptr;
  OperandLayout layout{};

  operator BasicView<const std::byte>() const { return {data, layout}; }
};
using View = BasicView<std::byte>;
using ConstView = BasicView<const std::byte>;

/// View of box `inner` in a dense buffer of box `outer` that begins at `data`. Precondition: outer contains inner.
View view_within(std::byte* data, const Box& inner, const Box& outer, DType type = DType::F32);
ConstView view_within(const std::byte* data, const Box& inner, const Box& outer, DType type = DType::F32);

/// dst = src, element by element. Precondition: same extents and types, no overlap. Common contiguous runs use memcpy.
void copy(ConstView src, View dst);

/// Packs a view into dense memory (n, d, h, w, c order), and back. `packed` has volume * size_of(type) bytes.
void pack(ConstView src, std::byte* packed);
void unpack(const std::byte* packed, View dst);

/// Owner of zero-initialised, 64-byte aligned memory of one dense box.
class HostTensor {
 public:
  HostTensor() = default;
  explicit HostTensor(const Box& box, DType type = DType::F32);

  const Box& box() const { return box_; }
  View view();
  ConstView view() const;
  View view(const Box& inner);
  ConstView view(const Box& inner) const;

  /// The element at global indices inside the box, f32 only.
  float& at(index_t n, index_t c, index_t d, index_t h, index_t w);
  float at(index_t n, index_t c, index_t d, index_t h, index_t w) const;

 private:
  /// Offset in bytes.
  index_t offset_of(index_t n, index_t c, index_t d, index_t h, index_t w) const;

  Box box_{};
  DType type_ = DType::F32;
  AlignedBytes memory_{};
};

}  // namespace parconv
