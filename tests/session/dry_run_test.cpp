// SPDX-License-Identifier: Apache-2.0
// Dry runs: the programs of a run, for described machines.
#include "parconv/session/dry_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parconv/core/error.hpp"
#include "parconv/engine/rank_plan.hpp"
#include "parconv/session/compile_options.hpp"
#include "parconv/session/devices/known_gpus.hpp"
#include "session/program_text.hpp"
#include "support/network_builder.hpp"

namespace parconv::test {
namespace {

using testing::HasSubstr;

/// A source with extents only.
class Shapes final : public DataSource {
 public:
  explicit Shapes(const Extents& extents) : extents_(extents) {}
  Extents extents() const override { return extents_; }
  int ndims() const override { return 4; }
  void read(const Box&, View) override { FAIL() << "a dry run reads no data"; }

 private:
  Extents extents_;
};

Network classifier(index_t samples) { return fuse(small_classifier(1, Weights::SmallIntegers, {{samples, 3, 1, 24, 20}})); }

/// One convolution of 64 channels that keeps `size` x `size` pixels.
Network large_convolution(index_t samples, index_t size) {
  RandomNetworkBuilder builder(1, Weights::SmallIntegers);
  const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  const ValueId input = builder.input(Extents{{samples, 64, 1, size, size}});
  return builder.build({builder.conv(input, {.oc = 64, .window = {{WindowAxis{}, three, three}}})});
}

struct Row {
  const char* what;
  Request request;
  DryRunMachine machine;
  int hosts_with_overlap;  ///< 1: overlap off, for `machine.hosts`
};

/// Requests that are compiled differently, on one host and on several.
std::vector<Row> rows() {
  const auto with = [](const char* split, OverlapChoice overlap = OverlapChoice::Auto) {
    return Request{.split = split, .overlap = overlap};
  };
  std::vector<Row> rows{
      {"one host", with("h=4"), {.ranks = 4}, 1},
      {"two hosts", with("h=4"), {.ranks = 4, .hosts = 2}, 2},
      {"overlap asked for", with("h=2,w=2", OverlapChoice::On), {.ranks = 4}, 2},
      {"overlap refused", with("h=4", OverlapChoice::Off), {.ranks = 4, .hosts = 4}, 1},
      {"stages", with("stages=3,h=2"), {.ranks = 6, .hosts = 3}, 2},
      {"GPUs", with("f=2,h=2"), {.ranks = 4, .hosts = 2, .gpu = "H200"}, 2},
  };
  Request files = with("n=2,h=2");
  files.store = StoreKind::Chunks;
  files.reduce = LeafRule::Fine;
  files.numerics = Numerics::BF16;
  rows.push_back({"files, ordered sums and bf16", files, {.ranks = 4, .hosts = 2}, 2});
  return rows;
}

/// Plans and compiles as a rank of a job on that many hosts: the steps of Session::plan and Session::compile.
Program program_of_run(const Row& row, const Workload& workload, const MemoryRules& rules, int rank) {
  const Setup setup = set_up(row.request, workload, row.machine.ranks);
  const CompileOptions options = compile_options(row.request, setup, {.rules = rules, .num_hosts = row.machine.hosts});
  EXPECT_EQ(options.overlap, row.hosts_with_overlap > 1 ? Overlap::On : Overlap::Off);
  return make_rank_plan(setup.network, setup.plan, options, rank).program;
}

TEST(DryRun, HasTheProgramsOfARun) {
  Shapes shapes(Extents{{6, 3, 1, 24, 20}});
  const Workload workload{.network = classifier, .sources = {&shapes}};
  const MemoryRules on_cpus = make_backend({})->memory_rules(), on_gpus{.needs_dense = true};
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.what);
    const MemoryRules& rules = row.machine.gpu.empty() ? on_cpus : on_gpus;
    const DryRun run = dry_run(row.request, workload, row.machine);
    ASSERT_EQ(run.programs.size(), static_cast<std::size_t>(row.machine.ranks));
    for (int rank = 0; rank < row.machine.ranks; ++rank)
      EXPECT_EQ(text_of(run.programs[static_cast<std::size_t>(rank)]), text_of(program_of_run(row, workload, rules, rank)));
  }
}

TEST(DryRun, SeveralHostsChangeThePrograms) {
  Shapes shapes(Extents{{6, 3, 1, 24, 20}});
  const Workload workload{.network = classifier, .sources = {&shapes}};
  const auto text = [&](int hosts) {
    return text_of(dry_run({.split = "h=4"}, workload, {.ranks = 4, .hosts = hosts}).programs[1]);
  };
  EXPECT_NE(text(1), text(2)) << "strips with several hosts";
  EXPECT_EQ(text(2), text(4));
}

TEST(DryRun, DevicesFollowTheRequest) {
  Shapes shapes(Extents{{6, 3, 1, 24, 20}});
  const Workload workload{.network = classifier, .sources = {&shapes}};
  const auto placement = [&](const DeviceRequest& devices, const std::string& gpu, Numerics numerics = Numerics::F32) {
    return dry_run({.split = "h=4", .devices = devices, .numerics = numerics}, workload, {.ranks = 4, .gpu = gpu}).placement;
  };
  EXPECT_EQ(placement({}, "").device, DeviceKind::Cpu);
  EXPECT_EQ(placement({}, "").transport, Transport::Mpi);
  EXPECT_EQ(placement({}, "H200").transport, Transport::Nccl);
  EXPECT_EQ(placement({.device = DeviceChoice::Cuda}, "").transport, Transport::Nccl);
  EXPECT_EQ(placement({.transport = TransportChoice::Staged}, "").transport, Transport::Staged);
  EXPECT_EQ(placement({.device = DeviceChoice::Cuda, .transport = TransportChoice::Mpi}, "").transport, Transport::MpiDirect);
  EXPECT_EQ(placement({}, "", Numerics::F16).device, DeviceKind::Cpu);
  EXPECT_EQ(placement({}, "", Numerics::Tf32).device, DeviceKind::Gpu);
}

/// The error of a dry run of `large_convolution`; code Ok if it passes.
Error error_of(const Request& request, const DryRunMachine& machine, index_t size = 64) {
  Shapes shapes(Extents{{1, 64, 1, size, size}});
  const Workload workload{.network = [&](index_t samples) { return large_convolution(samples, size); }, .sources = {&shapes}};
  try {
    dry_run(request, workload, machine);
  } catch (const Error& error) {
    return error;
  }
  return Error(ExitCode::Ok, "");
}

TEST(DryRun, Refusals) {
  EXPECT_EQ(error_of({.split = "h=2"}, {.ranks = 2, .hosts = 3}).code(), ExitCode::Usage);
  EXPECT_EQ(error_of({.split = "h=2", .devices = {.device = DeviceChoice::Cpu}}, {.ranks = 2, .gpu = "H200"}).code(),
            ExitCode::Usage);
  EXPECT_THAT(error_of({.split = "h=2"}, {.ranks = 2, .gpu = "H300"}).what(), HasSubstr("'H300'"));
  EXPECT_THAT(error_of({.split = "h=2"}, {.ranks = 2, .gpu = "H300"}).hint(), HasSubstr("H200"));
  EXPECT_EQ(error_of({.devices = {.device = DeviceChoice::Cpu}, .numerics = Numerics::Tf32}, {}).code(), ExitCode::Unavailable);
  EXPECT_EQ(error_of({.devices = {.device = DeviceChoice::Cpu, .transport = TransportChoice::Nccl}}, {}).code(),
            ExitCode::Unavailable);
}

/// 64 channels of 8192 x 8192 f32 are 17.2e9 bytes, in and out 34.4e9.
TEST(DryRun, ProgramsHaveToFitTheGpu) {
  EXPECT_EQ(error_of({}, {.gpu = "V100-32GB"}, 8192).code(), ExitCode::OutOfMemory);
  EXPECT_THAT(error_of({}, {.gpu = "V100-32GB"}, 8192).what(), HasSubstr("on V100-32GB"));
  EXPECT_EQ(error_of({}, {.gpu = "A100-80GB"}, 8192).code(), ExitCode::Ok);
  EXPECT_EQ(error_of({.split = "h=2"}, {.ranks = 2, .gpu = "V100-32GB"}, 8192).code(), ExitCode::Ok) << "half of it each";
  EXPECT_EQ(error_of({}, {}, 8192).code(), ExitCode::Ok) << "the memory of the host is not known";
}

TEST(KnownGpus, AreFoundInUpperAndLowerCase) {
  EXPECT_EQ(known_gpu("h200").memory_bytes, 150754820096U);
  EXPECT_EQ(known_gpu("A100-40gb").name, "A100-40GB");
  EXPECT_THROW(known_gpu("H20"), Error);
  EXPECT_THROW(known_gpu(""), Error);
}

}  // namespace
}  // namespace parconv::test
