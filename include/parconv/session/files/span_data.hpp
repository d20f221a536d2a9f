// SPDX-License-Identifier: Apache-2.0
// Inputs and outputs of a session in the caller's memory.
#pragma once

#include <span>

#include "parconv/io/data_sink.hpp"
#include "parconv/io/data_source.hpp"
#include "parconv/model/shape.hpp"

namespace parconv {

/// Reads values in ONNX order (n slowest, w fastest) without a copy. The values must outlive the source.
class SpanSource final : public DataSource {
 public:
  /// Precondition: one value per element of `shape`.
  SpanSource(std::span<const float> values, const Shape& shape);

  Extents extents() const override { return shape_.extents; }
  int ndims() const override { return shape_.ndims; }
  void read(const Box& box, View dst) override;

 private:
  std::span<const float> values_;
  Shape shape_;
};

/// Writes values in ONNX order to memory that must outlive the sink. Only ranks that store write to it, see StoreKind.
class SpanSink final : public DataSink {
 public:
  /// Precondition: one value per element of `extents`.
  SpanSink(std::span<float> values, const Extents& extents);

  Extents extents() const override { return extents_; }
  /// One sample.
  Extents chunk() const override;
  void write(const Box& box, ConstView src) override;

 private:
  std::span<float> values_;
  Extents extents_;
};

}  // namespace parconv
