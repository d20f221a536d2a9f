// A network of two layers, made in memory, run over all ranks with the engine: each rank makes its rows of both layers.
//   mpirun -np 4 run_network
#include <exception>
#include <iostream>
#include <memory>
#include <vector>

#include "parconv/comm/mpi_communicator.hpp"
#include "parconv/comm/mpi_environment.hpp"
#include "parconv/engine/engine.hpp"
#include "parconv/engine/job.hpp"
#include "parconv/io/constants.hpp"

namespace {

using namespace parconv;

constexpr Extents image{{1, 1, 1, 8, 8}};

/// A 3x3 convolution of one channel that keeps the size, all weights 1, then max(x, 0).
Node convolution(const char* name, ValueId src, ValueId dst) {
  const WindowAxis three{.kernel = 3, .pad_lo = 1, .pad_hi = 1};
  Conv conv{.window = {{WindowAxis{}, three, three}}};
  conv.filter = {.data = {.values = std::make_shared<const std::vector<float>>(9, 1.0F), .count = 9},
                 .oc = 1,
                 .ic_per_group = 1,
                 .kernel = {1, 3, 3},
                 .strides = {9, 9, 9, 3, 1}};
  return {.name = name, .op = conv, .inputs = {src}, .output = dst, .finish = {.activation = {.kind = ActivationKind::Relu}}};
}

Network two_layers() {
  Network network{.name = "two layers"};
  network.values = {{.name = "image", .kind = ValueKind::Input, .extents = image},
                    {.name = "first", .extents = image},
                    {.name = "second", .extents = image}};
  network.nodes = {convolution("conv1", 0, 1), convolution("conv2", 1, 2)};
  network.inputs = {0};
  network.outputs = {2};
  validate(network);
  return network;
}

/// An image of ones.
MemorySource ones() {
  HostTensor tensor(Box::whole(image));
  for (index_t h = 0; h < image[Axis::H]; ++h)
    for (index_t w = 0; w < image[Axis::W]; ++w) tensor.at(0, 0, 0, h, w) = 1;
  return {std::move(tensor), 4};
}

void print(const HostTensor& tensor) {
  for (index_t h = 0; h < image[Axis::H]; ++h) {
    for (index_t w = 0; w < image[Axis::W]; ++w) std::cout << tensor.at(0, 0, 0, h, w) << (w + 1 < image[Axis::W] ? ' ' : '\n');
  }
}

void run(const MpiEnvironment& mpi) {
  const Network network = two_layers();
  const Plan plan = make_plan(network, parse_split("spatial", mpi.size(), 2), mpi.size());
  const auto backend = make_backend({});
  const CompileOptions options{.store = {.kind = StoreKind::Root}, .needs_dense = backend->memory_rules().needs_dense};
  const Job job = make_job(network, plan, options, mpi.rank());

  const Control control(mpi);
  const auto communicator = make_mpi_communicator(control);
  Engine engine(job.network, job.program, *communicator, *backend, {.read_filter = make_filter_reader()});

  MemorySource source = ones();
  MemorySink sink(image);
  DataSource* const sources[] = {&source};
  DataSink* const sinks[] = {&sink};
  engine.run({.sources = sources, .sinks = sinks}, 1);
  if (mpi.rank() == 0) {
    std::cout << "split " << plan.nodes[0].grid << ", rank 0 sends " << sent_bytes(job.program) << " bytes\n";
    print(sink.tensor());
  }
}

}  // namespace

int main() {
  try {
    const MpiEnvironment mpi;
    run(mpi);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    MpiEnvironment::abort(1);
  }
}
