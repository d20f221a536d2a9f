// SPDX-License-Identifier: Apache-2.0
// Runs three 3x3 convolutions of 64 channels over a generated image and prints the largest peak memory of a rank:
//   engine_memory SIZE SPLIT
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>

#include "parconv/comm/coordinated.hpp"
#include "parconv/comm/mpi/mpi_communicator.hpp"
#include "parconv/engine/engine.hpp"
#include "parconv/engine/rank_plan.hpp"
#include "parconv/io/constants.hpp"
#include "support/network_builder.hpp"
#include "support/no_sink.hpp"

namespace parconv::test {
namespace {

constexpr index_t channels = 64;

/// A source whose elements are computed from their index: stores no image.
class GeneratedSource final : public DataSource {
 public:
  explicit GeneratedSource(const Extents& extents) : extents_(extents) {}

  Extents extents() const override { return extents_; }
  int ndims() const override { return 4; }
  void read(const Box& box, View dst) override {
    auto* const out = reinterpret_cast<float*>(dst.data);
    for (index_t h = 0; h < box[Axis::H].size(); ++h)
      for (index_t w = 0; w < box[Axis::W].size(); ++w) {
        float* const pixel = out + h * dst.layout.strides[Axis::H] + w * dst.layout.strides[Axis::W];
        for (index_t c = 0; c < box[Axis::C].size(); ++c) pixel[c] = static_cast<float>((box[Axis::H].lo + h + w + c) % 7 - 3);
      }
  }

 private:
  Extents extents_;
};

Network three_layers(index_t size) {
  RandomNetworkBuilder builder(2, Weights::Reals);
  const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  ValueId value = builder.input(Extents{{1, channels, 1, size, size}});
  for (int k = 0; k < 3; ++k)
    value = builder.relu(builder.conv(value, {.oc = channels, .window = {{WindowAxis{}, three, three}}}));
  return fuse(builder.build({value}));
}

/// The peak memory of this process as reported by the kernel.
index_t peak_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    index_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib;
  }
  throw Error(ExitCode::Config, "/proc/self/status has no VmHWM");
}

void run(Control& control, index_t size, const std::string& spec) {
  const Network network = three_layers(size);
  const Plan plan = make_plan(network, parse_split(spec, control.size(), 2), control.size());
  RankPlan job = make_rank_plan(network, plan, {.overlap = Overlap::On}, control.rank());
  const auto backend = make_backend({});
  const auto communicator = make_mpi_communicator(control);
  Engine engine(job.network, std::move(job.program), *communicator, *backend, {.read_filter = make_filter_reader()});
  GeneratedSource source(network.value(network.inputs[0]).extents);
  NoSink sink(network.value(network.outputs[0]).extents);
  std::array<DataSource*, 1> sources{&source};
  std::array<DataSink*, 1> sinks{&sink};
  engine.run({sources, sinks}, 1);
}

int run_program(int argc, char** argv) {
  if (argc != 3) throw Error(ExitCode::Usage, "usage: engine_memory SIZE SPLIT");
  const MpiEnvironment environment;
  Control control(environment);
  run(control, std::atoll(argv[1]), argv[2]);
  const index_t most = control.max(peak_kib());
  if (control.rank() == 0) std::printf("peak_kib=%lld\n", static_cast<long long>(most));
  return 0;
}

}  // namespace
}  // namespace parconv::test

int main(int argc, char** argv) {
  try {
    return parconv::test::run_program(argc, argv);
  } catch (...) {
    const parconv::Error error = parconv::to_error(std::current_exception());
    std::fprintf(stderr, "%s\n", error.what());
    parconv::MpiEnvironment::abort(static_cast<int>(error.code()));
  }
}
