// SPDX-License-Identifier: Apache-2.0
// Engines on a device whose memory is inaccessible to host code and whose work is executed as late as possible, bit for bit
// against the oracle.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "engine/device_run.hpp"
#include "operators/random_operator.hpp"
#include "parconv/comm/device_communicators.hpp"
#include "support/fakes/fake_device.hpp"
#include "support/network_builder.hpp"
#include "support/random_plan.hpp"

namespace parconv::test {
namespace {

/// Activation types on a device.
DType random_type(Random& random) {
  constexpr std::array types{DType::F32, DType::BF16, DType::F16};
  return types[static_cast<std::size_t>(random.integer(0, 2))];
}

class DeviceEngine : public ::testing::Test {
 protected:
  void expect_equal(const EngineCase& run_case, Random& random) {
    expect_equal_to_oracle(run_case, {device_, *fake_, make_staged_communicator(make_mpi_communicator(control()), device_)},
                           random);
  }

  FakeDevice device_{};
  std::unique_ptr<Backend> host_ = make_reference_backend();
  std::unique_ptr<Backend> fake_ = make_fake_backend(device_, *host_);
};

TEST_F(DeviceEngine, RandomOperatorsOnRandomGrids) {
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 41 + 3);
    const Network network = random_operator(seed, Weights::SmallIntegers);
    const CompileOptions options{.overlap = random.once_in(2) ? Overlap::On : Overlap::Off,
                                 .store = {.kind = StoreKind::Root},
                                 .needs_dense = random.once_in(2),
                                 .type = random_type(random)};
    const Plan plan = random_plan(network, random, num_ranks(), 1, true);
    expect_equal({network, plan, options, random.integer(1, 3)}, random);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST_F(DeviceEngine, RandomNetworksWithStages) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 43 + 5);
    const Network network = fuse(random_network(seed, Weights::SmallIntegers, static_cast<int>(random.integer(2, 10))));
    const CompileOptions options{.overlap = random.once_in(2) ? Overlap::On : Overlap::Off,
                                 .store = {.kind = StoreKind::Root},
                                 .type = random_type(random)};
    const Plan plan = random_plan(network, random, num_ranks(), static_cast<int>(random.integer(1, 4)), true);
    expect_equal({network, plan, options, random.integer(1, 6)}, random);
    if (testing::Test::HasFatalFailure()) return;
  }
}

/// Logs the reading of a block.
class NotingSource final : public DataSource {
 public:
  NotingSource(DataSource& inner, std::string& log) : inner_(inner), log_(log) {}
  Extents extents() const override { return inner_.extents(); }
  int ndims() const override { return inner_.ndims(); }
  void read(const Box& box, View dst) override {
    log_ += concat("r", box[Axis::N].lo, " ");
    inner_.read(box, dst);
  }

 private:
  DataSource& inner_;
  std::string& log_;
};

/// Logs the execution of its first kernel; blocks are numbered from 0.
class NotingBackend final : public Backend {
 public:
  NotingBackend(Backend& inner, std::string& log) : inner_(inner), log_(log) {}
  std::string name() const override { return inner_.name(); }
  MemoryRules memory_rules() const override { return inner_.memory_rules(); }
  std::unique_ptr<Kernel> prepare(const LocalOp& op, const FilterReader& read_filter) override {
    std::unique_ptr<Kernel> kernel = inner_.prepare(op, read_filter);
    if (std::exchange(has_first_, true)) return kernel;
    return std::make_unique<NotingKernel>(std::move(kernel), log_);
  }

 private:
  class NotingKernel final : public Kernel {
   public:
    NotingKernel(std::unique_ptr<Kernel> inner, std::string& log) : inner_(std::move(inner)), log_(log) {}
    void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) override {
      log_ += concat("c", num_calls_++, " ");
      inner_->execute(srcs, dst, scratch);
    }
    std::size_t scratch_bytes() const override { return inner_->scratch_bytes(); }
    std::size_t resident_bytes() const override { return inner_->resident_bytes(); }
    std::string implementation() const override { return inner_->implementation(); }

   private:
    std::unique_ptr<Kernel> inner_;
    std::string& log_;
    int num_calls_ = 0;
  };

  Backend& inner_;
  std::string& log_;
  bool has_first_ = false;
};

/// Logs the writing of a block.
class NotingSink final : public DataSink {
 public:
  NotingSink(DataSink& inner, std::string& log) : inner_(inner), log_(log) {}
  Extents extents() const override { return inner_.extents(); }
  Extents chunk() const override { return inner_.chunk(); }
  void write(const Box& box, ConstView src) override {
    log_ += concat("w", box[Axis::N].lo, " ");
    inner_.write(box, src);
  }

 private:
  DataSink& inner_;
  std::string& log_;
};

TEST_F(DeviceEngine, OverlapsFileAccessWithComputation) {
  const Network network = fuse(small_classifier(3, Weights::SmallIntegers, Extents{{1, 6, 1, 20, 18}}));
  Random random(1);
  std::vector<MemorySource> sources = random_sources(network, random, 4, true);
  Control self = control().split(rank());
  CountingCommunicator communicator(make_staged_communicator(make_mpi_communicator(self), device_));
  const Plan plan = make_plan(network, Split{}, 1);
  std::string log;
  NotingBackend noting(*host_, log);
  const std::unique_ptr<Backend> fake = make_fake_backend(device_, noting);
  DistributedRun run(network, plan, {.store = {.kind = StoreKind::Root}}, *fake, communicator, {.device = &device_});
  std::vector<MemorySink> sinks = run.make_sinks(4);
  NotingSource source(sources[0], log);
  NotingSink sink(sinks[0], log);
  DataSource* const source_list[] = {&source};
  DataSink* const sink_list[] = {&sink};
  run.engine().run({source_list, sink_list}, 4);
  // The device executes as late as possible: block 1 is read before block 0 is computed, and block 0 is written before block 1
  // is computed.
  EXPECT_EQ(log, "r0 r1 c0 w0 r2 c1 w1 r3 c2 w2 c3 w3 ");
  expect_outputs({network, plan, {}, 4}, sources, sinks);
}

/// Two buffers each for the block read and the block written, and the staging of messages.
TEST_F(DeviceEngine, CountsPinnedMemory) {
  const Network network = fuse(small_classifier(3, Weights::SmallIntegers, Extents{{1, 6, 1, 20, 18}}));
  CountingCommunicator communicator(make_staged_communicator(make_mpi_communicator(control()), device_));
  const Plan plan = make_plan(network, parse_split("h", num_ranks(), 2), num_ranks());
  DistributedRun run(network, plan, {.store = {.kind = StoreKind::Root}}, *fake_, communicator, {.device = &device_});
  const Program& program = run.engine().program();
  index_t blocks = 0, messages = 0;
  for (const Step& step : program.steps) {
    if (const auto* load = std::get_if<Load>(&step.action)) blocks += volume(load->box);
    if (const auto* store = std::get_if<Store>(&step.action)) blocks += volume(store->box);
  }
  for (const Communication& communication : program.communications)
    for (const auto* side : {&communication.sends, &communication.receives})
      for (const Message& message : *side) messages += bytes_of(program, message.region);
  const MemoryUse use = run.engine().memory();
  EXPECT_GE(use.pinned_bytes, 2 * 4 * blocks + messages);
  EXPECT_EQ(use.total(), use.device_bytes() + use.pinned_bytes);
  EXPECT_EQ(messages > 0, num_ranks() > 1);
}

/// known_memory equals the memory of the engine, except for scratch memory.
TEST_F(DeviceEngine, KnowsItsMemoryInAdvance) {
  const Network network = fuse(small_classifier(3, Weights::SmallIntegers, Extents{{2, 6, 1, 20, 18}}));
  for (const char* split : {"h", "w", "f", "c", "n", "stages"}) {
    CountingCommunicator communicator(make_staged_communicator(make_mpi_communicator(control()), device_));
    const Plan plan = make_plan(network, parse_split(split, num_ranks(), 2), num_ranks());
    DistributedRun run(network, plan, {.store = {.kind = StoreKind::Root}}, *fake_, communicator, {.device = &device_});
    const MemoryUse use = run.engine().memory(), known = known_memory(run.engine().program());
    EXPECT_EQ(known.arena_bytes, use.arena_bytes);
    EXPECT_EQ(known.staging_bytes, use.staging_bytes);
  }
}

TEST_F(DeviceEngine, TimesEveryStepOfEveryTick) {
  const Network network = fuse(small_classifier(3, Weights::SmallIntegers, Extents{{1, 6, 1, 20, 18}}));
  Random random(1);
  std::vector<MemorySource> sources = random_sources(network, random, 3, true);
  CountingCommunicator communicator(make_staged_communicator(make_mpi_communicator(control()), device_));
  DistributedRun run(network, make_plan(network, parse_split("h", num_ranks(), 2), num_ranks()),
                     {.store = {.kind = StoreKind::Root}}, *fake_, communicator, {.device = &device_});
  run.run(sources, 3);
  for (std::size_t k = 0; k < run.engine().step_times().size(); ++k) {
    const StepTime& time = run.engine().step_times()[k];
    EXPECT_EQ(time.calls, 3);
    const bool computes = !run.engine().implementation(k).empty();
    EXPECT_TRUE(!computes || time.seconds > 0) << "step " << k;
  }
}

}  // namespace
}  // namespace parconv::test
