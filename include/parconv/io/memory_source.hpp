// SPDX-License-Identifier: Apache-2.0
// Input data in memory.
#pragma once

#include "parconv/io/data_source.hpp"

namespace parconv {

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
