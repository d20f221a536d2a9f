// Where the input of a network comes from.
#pragma once

#include "parconv/tensor/view.hpp"

namespace parconv {

/// A tensor that is read box by box.
class DataSource {
 public:
  virtual ~DataSource() = default;

  /// Global extents; axes that the data does not have are 1.
  virtual Extents extents() const = 0;
  /// ONNX rank of the tensor: 3 for NCW (a signal lies along h), 4 for NCHW, 5 for NCDHW.
  virtual int ndims() const = 0;

  /// Local, blocking: fills `dst` (f32, f16 or bf16, any strides) with `box`, converted and scaled. An empty box reads nothing.
  /// Preconditions: the tensor contains `box`, and `dst` has its extents. Throws Error(Io or BadData).
  virtual void read(const Box& box, View dst) = 0;
};

/// A tensor in memory that is read as it is; its box begins at index 0.
class MemorySource : public DataSource {
 public:
  MemorySource(HostTensor tensor, int ndims);

  Extents extents() const override { return tensor_.box().extents(); }
  int ndims() const override { return ndims_; }
  void read(const Box& box, View dst) override;

 private:
  HostTensor tensor_;
  int ndims_ = 4;
};

}  // namespace parconv
