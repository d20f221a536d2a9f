// SPDX-License-Identifier: Apache-2.0
// A network split by rows over all ranks, with input and output in memory:  mpirun -np 3 example
#include <cstdio>
#include <exception>
#include <parconv/parconv.hpp>
#include <vector>

#include "two_layers.hpp"

namespace {

void run(const parconv::MpiEnvironment& mpi) {
  std::vector<float> image(64, 1.0F), result(64);
  parconv::SpanSource source(image, {.extents = {{1, 1, 1, 8, 8}}});
  parconv::SpanSink sink(result, {{1, 1, 1, 8, 8}});
  parconv::DataSink* const sinks[] = {&sink};

  parconv::JobContext job(mpi);
  parconv::Session session(job, {.split = "h"});
  session.describe({.network = two_layers, .sources = {&source}});
  session.run(sinks);

  if (mpi.rank() > 0) return;  // the result is gathered on rank 0
  std::printf("split %s\n", session.setup().split.c_str());
  for (std::size_t k = 0; k < result.size(); ++k) std::printf("%g%c", result[k], k % 8 == 7 ? '\n' : ' ');
}

}  // namespace

int main() {
  try {
    const parconv::MpiEnvironment mpi;
    run(mpi);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    parconv::MpiEnvironment::abort(1);
  }
}
