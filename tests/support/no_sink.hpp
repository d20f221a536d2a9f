// SPDX-License-Identifier: Apache-2.0
// A sink that discards its data, for measurements.
#pragma once

#include "parconv/io/data_sink.hpp"

namespace parconv::test {

class NoSink final : public DataSink {
 public:
  explicit NoSink(const Extents& extents) : extents_(extents) {}

  Extents extents() const override { return extents_; }
  Extents chunk() const override { return extents_; }
  void write(const Box&, ConstView) override {}

 private:
  Extents extents_;
};

}  // namespace parconv::test
