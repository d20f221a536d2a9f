// SPDX-License-Identifier: Apache-2.0
// A stub library that reports its capabilities and computes nothing.
#pragma once

#include "compute/conv/conv_library.hpp"
#include "parconv/model/local_op.hpp"

namespace parconv::test {

class StubConvLibrary : public ConvLibrary {
 public:
  std::unique_ptr<ConvCall> make_call(const StridedConv& conv, const ConvFilter&) final {
    return computes(conv) ? std::make_unique<Nothing>() : nullptr;
  }
  std::unique_ptr<Kernel> make_kernel(const LocalOp&) final { return nullptr; }
  void copy(ConstView, View) final {}
  void zero(std::byte*, std::size_t) final {}

 protected:
  virtual bool computes(const StridedConv& conv) = 0;

 private:
  class Nothing final : public ConvCall {
   public:
    void execute(const Operands&) override {}
    std::size_t workspace_bytes() const override { return 0; }
    std::size_t resident_bytes() const override { return 0; }
    std::string implementation() const override { return "nothing"; }
  };
};

}  // namespace parconv::test
