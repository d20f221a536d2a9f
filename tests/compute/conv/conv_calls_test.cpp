// SPDX-License-Identifier: Apache-2.0
// Calls of a library, listed before any is prepared.
#include "compute/conv/conv_calls.hpp"

#include <gtest/gtest.h>

#include <set>

#include "compute/conv/stub_conv_library.hpp"
#include "compute/local_op_random.hpp"
#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

/// A library that records calls and refuses those whose key contains a given text.
class AskedLibrary final : public StubConvLibrary {
 public:
  explicit AskedLibrary(std::string refused = {}) : refused_(std::move(refused)) {}

  bool fuses(const Activation& activation) const override { return activation.kind != ActivationKind::Tanh; }
  bool is_refused(const std::string& key) const { return !refused_.empty() && key.find(refused_) != std::string::npos; }

  std::set<std::string> asked{};

 private:
  bool computes(const StridedConv& conv) override {
    const std::string key = key_of(conv, {});
    asked.insert(key);
    return !is_refused(key);
  }

  std::string refused_;
};

std::vector<TestCall> random_calls(std::uint64_t count) {
  std::vector<TestCall> calls;
  for (std::uint64_t k = 0; k < count; ++k) {
    calls.push_back(LocalOpGenerator(k, Numbers::SmallIntegers).conv());
    calls.push_back(LocalOpGenerator(k, Numbers::SmallIntegers).deconv());
  }
  return calls;
}

std::vector<LocalOp> ops_of(const std::vector<TestCall>& calls) {
  std::vector<LocalOp> ops{LocalOp{.kind = LocalFill{}}};  // without a call
  for (const TestCall& call : calls) ops.push_back(call.op);
  return ops;
}

/// The calls requested of a library while kernels are prepared.
void prepare(std::vector<TestCall>& calls, AskedLibrary& library) {
  for (TestCall& call : calls) {
    const FilterReader read = reader_of(call.filter);
    const bool is_deconv = std::holds_alternative<LocalDeconv>(call.op.kind);
    is_deconv ? make_strided_deconv(call.op, read, library) : make_strided_conv(call.op, read, library);
  }
}

std::set<std::string> keys_of(const std::vector<StridedConv>& convs) {
  std::set<std::string> keys;
  for (const StridedConv& conv : convs) keys.insert(key_of(conv, {}));
  return keys;
}

TEST(ConvCalls, EqualTheCallsOfPrepare) {
  std::vector<TestCall> calls = random_calls(150);
  AskedLibrary library;
  const std::vector<StridedConv> listed = calls_of(ops_of(calls), library, {}, {});
  EXPECT_TRUE(library.asked.empty()) << "listing makes no calls";
  EXPECT_EQ(keys_of(listed).size(), listed.size()) << "each once, and different calls have different texts";
  prepare(calls, library);
  EXPECT_EQ(keys_of(listed), library.asked);
  EXPECT_GT(listed.size(), 200U);
}

TEST(ConvCalls, WithoutAnEngineLeadToTheNextAttempt) {
  std::vector<TestCall> calls = random_calls(60);
  AskedLibrary library(", bias");
  ConvAlgorithms choices;
  for (;;) {  // as an agreement does, until no call is open
    const std::size_t before = choices.size();
    for (const StridedConv& conv : calls_of(ops_of(calls), library, {}, choices)) {
      const std::string key = key_of(conv, {});
      choices.emplace(key, ConvAlgorithm{.engine = library.is_refused(key) ? ConvAlgorithm::no_engine : 1});
    }
    if (choices.size() == before) break;
  }
  prepare(calls, library);
  for (const std::string& key : library.asked) EXPECT_TRUE(choices.contains(key)) << key;
  EXPECT_EQ(choices.size(), library.asked.size());
}

TEST(ConvCalls, HaveDistinctKeys) {
  const Box box = Box::whole({{2, 8, 1, 6, 6}});
  StridedConv conv{.src = layout_within(box, box), .dst = layout_within(box, box)};
  std::set<std::string> keys{key_of(conv, {})};
  std::size_t count = 1;
  const auto expect_new = [&](const StridedConv& other, const GpuOptions& options = {}) {
    keys.insert(key_of(other, options));
    EXPECT_EQ(keys.size(), ++count) << key_of(other, options);
  };
  const auto changed = [&](auto&& change) {
    StridedConv other = conv;
    change(other);
    return other;
  };
  expect_new(changed([](StridedConv& c) { c.src.strides[Axis::N] += 16; }));
  expect_new(changed([](StridedConv& c) { c.dst.strides[Axis::H] += 16; }));
  expect_new(changed([](StridedConv& c) { c.src.type = DType::F16; }));
  expect_new(changed([](StridedConv& c) { c.dst.type = DType::BF16; }));
  expect_new(changed([](StridedConv& c) { c.window[Axis::H].pad_hi = 1; }));
  expect_new(changed([](StridedConv& c) { c.window[Axis::W].dilation = 2; }));
  expect_new(changed([](StridedConv& c) { c.groups = 2; }));
  expect_new(changed([](StridedConv& c) { c.has_bias = true; }));
  expect_new(changed([](StridedConv& c) { c.residual = c.dst; }));
  expect_new(changed([](StridedConv& c) { c.residual = c.dst, c.residual->type = DType::F16; }));
  expect_new(changed([](StridedConv& c) { c.residual = c.dst, c.residual->strides[Axis::N] += 16; }));
  expect_new(changed([](StridedConv& c) { c.activation = {.kind = ActivationKind::Relu}; }));
  expect_new(changed([](StridedConv& c) { c.activation = {.kind = ActivationKind::Elu, .alpha = 1}; }));
  expect_new(changed([](StridedConv& c) { c.activation = {.kind = ActivationKind::Elu, .alpha = 1 + 0x1p-23F}; }));
  expect_new(conv, {.f32_products = F32Products::Tf32});
  expect_new(conv, {.conv_algorithms = ConvAlgorithmChoice::Exact});
  expect_new(conv, {.multiprocessors_left = 8});
  StridedConv half = conv;
  half.src.type = DType::F16;
  EXPECT_EQ(key_of(half, {}), key_of(half, {.f32_products = F32Products::Tf32})) << "it is about products of f32";
}

std::unique_ptr<ConvAlgorithmChooser> chooser(const GpuOptions& options, ConvTimer time) {
  return make_conv_chooser({.library = std::make_unique<AskedLibrary>(), .options = options, .time = std::move(time)});
}

TEST(ConvAlgorithmChooser, TimesOpenCalls) {
  const std::vector<LocalOp> ops = ops_of(random_calls(20));
  std::vector<std::string> timed;
  const auto made = chooser({.most_workspace_bytes = 100}, [&](const StridedConv& conv) {
    timed.push_back(key_of(conv, {}));
    return ConvAlgorithm{.engine = 7, .workspace_bytes = 100};
  });
  ConvAlgorithms choices;
  const std::vector<std::string> open = made->open_calls(ops, choices);
  EXPECT_EQ(open, made->open_calls(ops, choices));
  for (const std::string& call : open) choices[call] = made->choose(call);
  EXPECT_EQ(timed, open);
  EXPECT_TRUE(made->open_calls(ops, choices).empty());
  choices[open[3]].workspace_bytes = 101;
  EXPECT_EQ(made->open_calls(ops, choices), std::vector<std::string>{open[3]}) << "it takes more than it may now";
  choices.erase(open[1]);
  EXPECT_EQ(made->open_calls(ops, choices), (std::vector<std::string>{open[1], open[3]}));
  EXPECT_THROW(made->choose("another call"), Bug);
}

TEST(ConvAlgorithmChooser, RejectsDisallowedChoices) {
  const std::vector<LocalOp> ops = ops_of(random_calls(1));
  const auto made = chooser({.most_workspace_bytes = 100},
                            [](const StridedConv&) { return ConvAlgorithm{.engine = 1, .workspace_bytes = 101}; });
  EXPECT_THROW(made->choose(made->open_calls(ops, {}).front()), Bug);
}

TEST(ConvAlgorithmMachine, IsPrinted) {
  const ConvAlgorithmMachine machine{
      .gpu = "NVIDIA H200", .major = 9, .minor = 0, .multiprocessors = 132, .library = "cuDNN 9.19.0"};
  EXPECT_EQ(to_string(machine), "NVIDIA H200 (9.0, 132 multiprocessors), cuDNN 9.19.0");
}

}  // namespace
}  // namespace parconv::test
