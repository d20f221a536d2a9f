// SPDX-License-Identifier: Apache-2.0
// Output data in memory.
#pragma once

#include "parconv/io/data_sink.hpp"

namespace parconv {

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
