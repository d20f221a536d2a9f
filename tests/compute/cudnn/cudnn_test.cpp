// SPDX-License-Identifier: Apache-2.0
// The cudnn backend against the reference on random calls of every kind and in every type. Needs a GPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "compute/device_call.hpp"
#include "compute/kind_cases.hpp"
#include "parconv/compute/conv_algorithm_chooser.hpp"
#include "parconv/core/error.hpp"
#include "support/compare.hpp"
#include "support/gpu_test.hpp"

namespace parconv::test {
namespace {

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

/// The percentage of calls to run, PARCONV_TEST_PERCENT: cuDNN compiles code for each new 16-bit call, which takes half a second.
int num_calls(int all) {
  const char* const text = std::getenv("PARCONV_TEST_PERCENT");
  const int work = text == nullptr ? 100 : std::clamp(std::atoi(text), 1, 100);
  return (all * work + 99) / 100;
}

struct Types {
  DType src = DType::F32;
  DType dst = DType::F32;
};

/// An epilogue after a 16-bit convolution reads results that are already rounded.
bool is_rounded_twice(const Kernel& kernel, DType dst) {
  return dst != DType::F32 && kernel.implementation().find("separate epilogue") != std::string::npos;
}

TEST_P(CudnnKinds, EqualTheReferenceOnSmallIntegers) {
  const auto exact = backend({.conv_algorithms = ConvAlgorithmChoice::Exact});
  const auto reference = make_reference_backend();
  for (const Types& types : {Types{}, Types{DType::F16, DType::F16}, Types{DType::BF16, DType::BF16}})
    for (int k = 0; k < num_calls(GetParam().calls); ++k) {
      TestCall call = draw_call(GetParam(), static_cast<std::uint64_t>(k), Numbers::SmallIntegers);
      DeviceCall on_device(*device_, call, types.src, types.dst);
      const auto kernel = exact->prepare(on_device.op(), reader_of(call.filter));
      const auto expected = rounded(run(*reference, call), types.dst);
      const auto actual = on_device.run(*kernel);
      if (GetParam().is_rounded || is_rounded_twice(*kernel, types.dst)) {
        ASSERT_TRUE(all_near(actual, expected, types.dst == DType::F32 ? 1e-5 : 1e-2)) << "call " << k;
      } else {
        ASSERT_TRUE(same_bits(actual, expected))
            << "call " << k << " of " << name_of(types.src) << " by " << kernel->implementation();
      }
    }
}

TEST_P(CudnnKinds, IsCloseToTheReferenceOnReals) {
  const auto reference = make_reference_backend();
  for (const ConvAlgorithmChoice choice : {ConvAlgorithmChoice::Heuristic, ConvAlgorithmChoice::Timed}) {
    const auto fast = backend({.conv_algorithms = choice});
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
  const auto exact = backend({.conv_algorithms = ConvAlgorithmChoice::Exact});
  const auto reference = make_reference_backend();
  for (int k = 0; k < num_calls(GetParam().calls / 8); ++k) {
    TestCall call = draw_call(GetParam(), 2000 + static_cast<std::uint64_t>(k), Numbers::SmallIntegers);
    DeviceCall on_device(*device_, call, DType::BF16, DType::F32);
    const auto kernel = exact->prepare(on_device.op(), reader_of(call.filter));
    const auto expected = run(*reference, call);
    if (GetParam().is_rounded) {
      ASSERT_TRUE(all_near(on_device.run(*kernel), expected, 1e-5)) << "call " << k;
    } else {
      ASSERT_TRUE(same_bits(on_device.run(*kernel), expected)) << "call " << k << " by " << kernel->implementation();
    }
  }
}

class CudnnConvs : public CudnnKinds {};

INSTANTIATE_TEST_SUITE_P(All, CudnnConvs, ::testing::Values(kinds_with_filter().front()),
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

/// "cudnn:engine38, copy" names engine 38.
bool names_one_of(const std::string& implementation, const ConvAlgorithms& choices) {
  return std::any_of(choices.begin(), choices.end(), [&](const auto& each) {
    const std::string name = concat("cudnn:engine", each.second.engine);
    const std::size_t place = implementation.find(name);
    return place != std::string::npos && std::isdigit(static_cast<unsigned char>(implementation[place + name.size()])) == 0;
  });
}

/// Kinds with convolution algorithms.
class CudnnChoosers : public CudnnKinds {
 protected:
  /// This many operators with at least one library call: a transposed convolution may reach no input.
  void draw(std::size_t count) {
    const auto chooser = this->chooser();
    for (std::uint64_t seed = 4000; calls_.size() < count; ++seed) {
      TestCall call = draw_call(GetParam(), seed, Numbers::Reals);
      auto on_device = std::make_unique<DeviceCall>(*device_, call, DType::F32, DType::F32);
      if (chooser->open_calls({&on_device->op(), 1}, {}).empty()) continue;
      calls_.push_back(std::move(call));
      ops_.push_back(on_device->op());
      on_device_.push_back(std::move(on_device));
    }
  }

  std::unique_ptr<ConvAlgorithmChooser> chooser() {
    return make_conv_algorithm_chooser({.name = "cudnn", .device = device_.get()});
  }

  std::unique_ptr<Kernel> prepared(const ConvAlgorithms& choices, std::size_t k) {
    backend_ = backend({.choices = std::make_shared<const ConvAlgorithms>(choices)});
    return backend_->prepare(ops_[k], reader_of(calls_[k].filter));
  }

  std::vector<TestCall> calls_{};
  std::vector<std::unique_ptr<DeviceCall>> on_device_{};
  std::vector<LocalOp> ops_{};
  std::unique_ptr<Backend> backend_{};
};

INSTANTIATE_TEST_SUITE_P(All, CudnnChoosers, ::testing::ValuesIn(kinds_with_filter()),
                         [](const auto& kind) { return std::string(kind.param.name); });

TEST_P(CudnnChoosers, UseTheChosenEngines) {
  draw(6);
  const auto chooser = this->chooser();
  EXPECT_GT(chooser->machine().multiprocessors, 0);
  ConvAlgorithms choices;
  for (std::vector<std::string> open; !(open = chooser->open_calls(ops_, choices)).empty();)
    for (const std::string& call : open) {
      const ConvAlgorithm choice = choices[call] = chooser->choose(call);
      EXPECT_TRUE(!choice.computes() || choice.seconds > 0) << call;
    }
  EXPECT_GE(choices.size(), 6U);
  const auto reference = make_reference_backend();
  for (std::size_t k = 0; k < calls_.size(); ++k) {
    const auto kernel = prepared(choices, k);
    const bool has_engine = kernel->implementation().find("engine") != std::string::npos;  // the first phase may be a fill
    EXPECT_TRUE(!has_engine || names_one_of(kernel->implementation(), choices)) << kernel->implementation();
    ASSERT_TRUE(all_near(on_device_[k]->run(*kernel), run(*reference, calls_[k]), 1e-4))
        << "call " << k << " by " << kernel->implementation();
  }
}

/// If no attempt has an engine, prepare throws and no call is listed.
TEST_P(CudnnChoosers, RejectCallsWithoutAnEngine) {
  draw(1);
  const auto chooser = this->chooser();
  ConvAlgorithms none;
  const auto ask_again = [&] {
    for (int round = 0; round < 100; ++round)
      for (const std::string& call : chooser->open_calls(ops_, none)) none[call] = {};
  };
  EXPECT_THROW(ask_again(), Error);
  EXPECT_FALSE(none.empty());
  EXPECT_THROW(prepared(none, 0), Error);
  EXPECT_NO_THROW(prepared({}, 0));
}

}  // namespace
}  // namespace parconv::test
