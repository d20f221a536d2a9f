// Dense boxes of tensors in memory, and copying boxes between them.
#pragma once

#include <cstddef>

#include "parconv/geometry/box.hpp"
#include "parconv/model/local_op.hpp"
#include "parconv/tensor/aligned.hpp"

namespace parconv {

/// A box of elements inside a channels-last buffer: where its first element is, and its layout. Owns nothing.
template <class Byte>
struct BasicView {
  Byte* data = nullptr;
  OperandLayout layout{};

  operator BasicView<const std::byte>() const { return {data, layout}; }
};
using View = BasicView<std::byte>;
using ConstView = BasicView<const std::byte>;

/// The view of box `inner` in a dense buffer of box `outer` that begins at `data`. Precondition: outer contains inner.
View view_within(std::byte* data, const Box& inner, const Box& outer, DType type = DType::F32);
ConstView view_within(const std::byte* data, const Box& inner, const Box& outer, DType type = DType::F32);

/// dst = src, element by element. Precondition: same extents and types, no overlap. The longest common runs are memcpy'd.
void copy(ConstView src, View dst);

/// Packs a view into dense memory (n, d, h, w, c order), and back. `packed` holds volume * size_of(type) bytes.
void pack(ConstView src, std::byte* packed);
void unpack(const std::byte* packed, View dst);

/// An owner of 64-byte aligned, zeroed memory for one dense box.
class HostTensor {
 public:
  HostTensor() = default;
  explicit HostTensor(const Box& box, DType type = DType::F32);

  const Box& box() const { return box_; }
  View view();
  ConstView view() const;
  View view(const Box& inner);
  ConstView view(const Box& inner) const;

  /// The element at a global index inside the box, f32 only.
  float& at(index_t n, index_t c, index_t d, index_t h, index_t w);
  float at(index_t n, index_t c, index_t d, index_t h, index_t w) const;

 private:
  /// In bytes.
  index_t offset_of(index_t n, index_t c, index_t d, index_t h, index_t w) const;

  Box box_{};
  DType type_ = DType::F32;
  AlignedBytes memory_{};
};

}  // namespace parconv
