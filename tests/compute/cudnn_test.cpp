// The cudnn backend against the reference on random calls of every kind and in every type. Needs a GPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "compute/device_call.hpp"
#include "compute/kind_cases.hpp"
#include "support/compare.hpp"
#include "support/gpu_test.hpp"

namespace parconv::test {
namespace {

std::vector<KindCase> all_kinds() {
  std::vector<KindCase> kinds = kinds_without_filter;
  kinds.insert(kinds.end(), kinds_with_filter.begin(), kinds_with_filter.end());
  return kinds;
}

class CudnnKinds : public ::testing::TestWithParam<KindCase> {
 protected:
  void SetUp() override {
    PARCONV_NEEDS_GPU();
    device_ = make_cuda_device(0);
  }

  std::unique_ptr<Backend> backend(const GpuOptions& options) {
    return make_backend({.name = "cudnn", .device = device_.get(), .gpu = options});
  }

  std::unique_ptr<Device> device_{};
};

INSTANTIATE_TEST_SUITE_P(All, CudnnKinds, ::testing::ValuesIn(all_kinds()),
                         [](const auto& kind) { return std::string(kind.param.name); });

/// Of every hundred calls, PARCONV_TEST_SHARE: each new one in 16 bits has code compiled by cuDNN, which takes half a second.
int num_calls(int all) {
  const char* const text = std::getenv("PARCONV_TEST_SHARE");
  const int share = text == nullptr ? 100 : std::clamp(std::atoi(text), 1, 100);
  return (all * share + 99) / 100;
}

struct Types {
  DType src = DType::F32;
  DType dst = DType::F32;
};

/// What is finished behind a convolution in 16 bits has been rounded before.
bool is_rounded_twice(const Kernel& kernel, DType dst) {
  return dst != DType::F32 && kernel.implementation().find("finish behind") != std::string::npos;
}

TEST_P(CudnnKinds, GiveTheReferencesBitsOnSmallIntegers) {
  const auto exact = backend({.engines = GpuEngines::Exact});
  const auto reference = make_reference_backend();
  for (const Types& types : {Types{}, Types{DType::F16, DType::F16}, Types{DType::BF16, DType::BF16}})
    for (int k = 0; k < num_calls(GetParam().calls); ++k) {
      TestCall call = draw_call(GetParam(), static_cast<std::uint64_t>(k), Numbers::SmallIntegers);
      DeviceCall on_device(*device_, call, types.src, types.dst);
      const auto kernel = exact->prepare(on_device.op(), reader_of(call.filter));
      const auto expected = rounded(run(*reference, call), types.dst);
      const auto actual = on_device.run(*kernel);
      if (is_rounded(call) || is_rounded_twice(*kernel, types.dst)) {
        ASSERT_TRUE(all_near(actual, expected, types.dst == DType::F32 ? 1e-5 : 1e-2)) << "call " << k;
      } else {
        ASSERT_TRUE(same_bits(actual, expected))
            << "call " << k << " of " << name_of(types.src) << " by " << kernel->implementation();
      }
    }
}

TEST_P(CudnnKinds, IsCloseToTheReferenceOnReals) {
  const auto reference = make_reference_backend();
  for (const GpuEngines engines : {GpuEngines::Heuristic, GpuEngines::Timed}) {
    const auto fast = backend({.engines = engines});
    for (int k = 0; k < num_calls(GetParam().calls / 8); ++k) {
      TestCall call = draw_call(GetParam(), 1000 + static_cast<std::uint64_t>(k), Numbers::Reals);
      DeviceCall on_device(*device_, call, DType::F32, DType::F32);
      const auto kernel = fast->prepare(on_device.op(), reader_of(call.filter));
      ASSERT_TRUE(all_near(on_device.run(*kernel), run(*reference, call), 1e-4))
          << "call " << k << " by " << kernel->implementation();
    }
  }
}

TEST_P(CudnnKinds, TakesSixteenBitsToSumsInF32) {
  const auto exact = backend({.engines = GpuEngines::Exact});
  const auto reference = make_reference_backend();
  for (int k = 0; k < num_calls(GetParam().calls / 8); ++k) {
    TestCall call = draw_call(GetParam(), 2000 + static_cast<std::uint64_t>(k), Numbers::SmallIntegers);
    DeviceCall on_device(*device_, call, DType::BF16, DType::F32);
    const auto kernel = exact->prepare(on_device.op(), reader_of(call.filter));
    const auto expected = run(*reference, call);
    if (is_rounded(call)) {
      ASSERT_TRUE(all_near(on_device.run(*kernel), expected, 1e-5)) << "call " << k;
    } else {
      ASSERT_TRUE(same_bits(on_device.run(*kernel), expected)) << "call " << k << " by " << kernel->implementation();
    }
  }
}

class CudnnConvs : public CudnnKinds {};

INSTANTIATE_TEST_SUITE_P(All, CudnnConvs, ::testing::Values(kinds_with_filter.front()),
                         [](const auto& kind) { return std::string(kind.param.name); });

TEST_P(CudnnConvs, MayRoundProductsOfF32) {
  const auto reference = make_reference_backend();
  const auto short_products = backend({.f32_products = F32Products::Tf32});
  for (int k = 0; k < num_calls(40); ++k) {
    TestCall call = draw_call(GetParam(), 3000 + static_cast<std::uint64_t>(k), Numbers::Reals);
    DeviceCall on_device(*device_, call, DType::F32, DType::F32);
    const auto kernel = short_products->prepare(on_device.op(), reader_of(call.filter));
    ASSERT_TRUE(all_near(on_device.run(*kernel), run(*reference, call), 5e-3))
        << "call " << k << " by " << kernel->implementation();
  }
}

}  // namespace
}  // namespace parconv::test
