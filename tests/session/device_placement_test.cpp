// SPDX-License-Identifier: Apache-2.0
// Device and transport of every rank: literal rows.
#include "parconv/session/devices/device_placement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "parconv/core/error.hpp"

namespace parconv::test {
namespace {

using testing::HasSubstr;

/// A rank on `host` with the GPU `uuid`; none if that is empty.
RankOffer offer(const std::string& host, const std::string& uuid) {
  return {.host = host,
          .gpu_name = uuid.empty() ? "" : "H200",
          .gpu_pci_id = uuid.empty() ? "" : "0000:17:00.0",
          .gpu_uuid = uuid,
          .gpu_problem = uuid.empty() ? "no usable GPU" : "",
          .cpus = "0-3"};
}

const std::vector<RankOffer> own_gpus{offer("a", "1"), offer("a", "2"), offer("b", "1"), offer("b", "2")};
const std::vector<RankOffer> shared_gpu{offer("a", "1"), offer("a", "1")};
const std::vector<RankOffer> one_without{offer("a", "1"), offer("b", "")};
const std::vector<RankOffer> alone{offer("a", "1")};

struct Row {
  const char* what;
  PlacementRequest request;
  const std::vector<RankOffer>& offers;
  DeviceKind device;
  Transport transport;
  const char* note;
};

const Row rows[] = {
    {"a GPU each", {}, own_gpus, DeviceKind::Gpu, Transport::Nccl, ""},
    {"as asked",
     {.device = DeviceChoice::Cuda, .transport = TransportChoice::Nccl},
     own_gpus,
     DeviceKind::Gpu,
     Transport::Nccl,
     ""},
    {"CPUs as asked", {.device = DeviceChoice::Cpu}, own_gpus, DeviceKind::Cpu, Transport::Mpi, ""},
    {"CPUs and MPI as asked",
     {.device = DeviceChoice::Cpu, .transport = TransportChoice::Mpi},
     own_gpus,
     DeviceKind::Cpu,
     Transport::Mpi,
     ""},
    {"one rank needs no NCCL", {}, alone, DeviceKind::Gpu, Transport::Staged, ""},
    {"staged as asked", {.transport = TransportChoice::Staged}, own_gpus, DeviceKind::Gpu, Transport::Staged, ""},
    {"MPI that knows GPUs",
     {.transport = TransportChoice::Mpi, .is_mpi_cuda_aware = true},
     own_gpus,
     DeviceKind::Gpu,
     Transport::MpiDirect,
     ""},
    {"one rank has none", {}, one_without, DeviceKind::Cpu, Transport::Mpi, "rank 1 on b: no usable GPU"},
    {"a shared one is not taken", {}, shared_gpu, DeviceKind::Cpu, Transport::Mpi, "ranks 0 and 1 on a would share one GPU"},
    {"a shared one as asked", {.shares_gpus = true}, shared_gpu, DeviceKind::Gpu, Transport::Staged, ""},
    {"a shared one with NCCL, for tests",
     {.transport = TransportChoice::Nccl, .shares_gpus = true, .separates_nccl_hosts = true},
     shared_gpu,
     DeviceKind::Gpu,
     Transport::Nccl,
     ""},
};

TEST(Placement, Table) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    const DevicePlacement placement = choose_placement(row.request, row.offers);
    EXPECT_EQ(placement.device, row.device);
    EXPECT_EQ(placement.transport, row.transport);
    EXPECT_THAT(placement.note, HasSubstr(row.note));
    EXPECT_EQ(placement.note.empty(), *row.note == '\0');
  }
  EXPECT_EQ(choose_placement({.shares_gpus = true}, shared_gpu).max_ranks_per_gpu, 2);
  EXPECT_EQ(choose_placement({}, own_gpus).max_ranks_per_gpu, 1) << "GPUs of other hosts are other GPUs";
}

struct Refusal {
  const char* said;
  const char* hint;
  PlacementRequest request;
  const std::vector<RankOffer>& offers;
};

const Refusal refusals[] = {
    {"rank 1 on b: no usable GPU", "--device cpu", {.device = DeviceChoice::Cuda}, one_without},
    {"--device cuda is not possible: rank 1", "its driver", {.device = DeviceChoice::Cuda, .shares_gpus = true}, one_without},
    {"ranks 0 and 1 on a would share one GPU (H200, 0000:17:00.0)", "--share-gpu", {.device = DeviceChoice::Cuda}, shared_gpu},
    {"--transport nccl", "--transport mpi", {.device = DeviceChoice::Cpu, .transport = TransportChoice::Nccl}, own_gpus},
    {"--transport staged", "--transport mpi", {.transport = TransportChoice::Staged}, one_without},
    {"requires a CUDA-aware MPI library", "--transport staged", {.transport = TransportChoice::Mpi}, own_gpus},
    {"several ranks on one GPU", "--transport staged", {.transport = TransportChoice::Nccl, .shares_gpus = true}, shared_gpu},
};

TEST(Placement, Refusals) {
  for (const Refusal& refusal : refusals) {
    SCOPED_TRACE(refusal.said);
    try {
      choose_placement(refusal.request, refusal.offers);
      FAIL() << "not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::Unavailable);
      EXPECT_THAT(error.what(), HasSubstr(refusal.said));
      EXPECT_THAT(error.hint(), HasSubstr(refusal.hint));
    }
  }
}

TEST(Placement, RanksTakeTheGpusOfTheirHostInTurn) {
  EXPECT_EQ(gpu_of(0, 4), 0);
  EXPECT_EQ(gpu_of(3, 4), 3);
  EXPECT_EQ(gpu_of(5, 4), 1);
  EXPECT_EQ(gpu_of(7, 1), 0) << "a launcher that shows each rank its own GPU only";
}

TEST(Placement, OffersTravelAsLines) {
  RankOffer problem = offer("b", "");
  EXPECT_EQ(offer_from(to_line(problem)), problem);
  EXPECT_EQ(offer_from(to_line(own_gpus[1])), own_gpus[1]);
  problem.gpu_problem = "two\nlines\tand a tab";
  EXPECT_EQ(offer_from(to_line(problem)).gpu_problem, "two lines and a tab");
}

TEST(Placement, RangesOfCores) {
  EXPECT_EQ(ranges_text(std::vector<int>{}), "");
  EXPECT_EQ(ranges_text(std::vector<int>{4}), "4");
  EXPECT_EQ(ranges_text(std::vector<int>{0, 1, 2, 3, 8, 10, 11}), "0-3,8,10-11");
}

TEST(Placement, ReportNamesEveryRank) {
  const std::vector<std::string> peers{"1", "0", "", ""};
  const std::string report = bind_report(choose_placement({}, own_gpus), own_gpus, peers);
  EXPECT_THAT(report, HasSubstr("messages: NCCL"));
  EXPECT_THAT(report, testing::ContainsRegex("    3  b +H200 +0000:17:00.0 +0-3 +-"));
  EXPECT_THAT(report, testing::ContainsRegex("    0  a +H200 +0000:17:00.0 +0-3 +1"));
  const std::string on_cpus = bind_report(choose_placement({.device = DeviceChoice::Cpu}, own_gpus), own_gpus, peers);
  EXPECT_THAT(on_cpus, testing::ContainsRegex("    0  a +CPU +- +0-3"));
}

}  // namespace
}  // namespace parconv::test
