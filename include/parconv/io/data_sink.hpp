// Where the output of a network goes.
#pragma once

#include "parconv/tensor/view.hpp"

namespace parconv {

/// A tensor that is written box by box. Together all ranks write every element exactly once.
class DataSink {
 public:
  virtual ~DataSink() = default;

  /// Global extents.
  virtual Extents extents() const = 0;
  /// Extents of the storage blocks, whose grid begins at index 0 and does not depend on the number of ranks. Writing is fastest
  /// when every block is written by one rank in one piece.
  virtual Extents chunk() const = 0;

  /// Local, blocking: stores `src` (f32, f16 or bf16, any strides) as f32, as `box`. An empty box writes nothing. Preconditions:
  /// the tensor contains `box`, and `src` has its extents. Throws Error(Io).
  virtual void write(const Box& box, ConstView src) = 0;
};

/// Keeps what is written in memory, on this rank only.
class MemorySink : public DataSink {
 public:
  explicit MemorySink(const Extents& extents);

  Extents extents() const override { return tensor_.box().extents(); }
  /// One sample.
  Extents chunk() const override;
  void write(const Box& box, ConstView src) override;

  const HostTensor& tensor() const { return tensor_; }

 private:
  HostTensor tensor_;
};

}  // namespace parconv
