// SPDX-License-Identifier: Apache-2.0
#include "parconv/model/local_op.hpp"

#include <gtest/gtest.h>

namespace parconv {
namespace {

TEST(LocalKinds, HaveNames) {
  EXPECT_STREQ(name_of(LocalKind{LocalConv{}}), "conv");
  EXPECT_STREQ(name_of(LocalKind{LocalPool{}}), "pool");
  EXPECT_STREQ(name_of(LocalKind{LocalFill{}}), "fill");
  EXPECT_STREQ(name_of(LocalKind{LocalCopy{}}), "copy");
  EXPECT_STREQ(name_of(LocalKind{LocalScaleShift{}}), "scale_shift");
  EXPECT_STREQ(name_of(LocalKind{LocalSum{}}), "sum");
  EXPECT_STREQ(name_of(LocalKind{LocalReduceParts{}}), "reduce_parts");
  EXPECT_STREQ(name_of(LocalKind{LocalReduce{}}), "reduce");
  EXPECT_STREQ(name_of(LocalKind{LocalSoftmax{}}), "softmax");
  EXPECT_STREQ(name_of(LocalKind{LocalReshape{}}), "reshape");
  EXPECT_STREQ(name_of(LocalKind{LocalBinary{}}), "binary");
  EXPECT_STREQ(name_of(LocalKind{LocalRearrange{}}), "rearrange");
}

}  // namespace
}  // namespace parconv
