// Writes what cuDNN needs to know about GPU 0 as JSON to standard output: with it, plans are built and tested where there is no
// GPU. parconv_device_properties > FILE; then PARCONV_DEVICE_PROPERTIES=FILE ctest -R cudnn_graph_test. Without a GPU it exits
// with 69.
#include <fmt/format.h>

#include "benchmarks/measuring.hpp"
#include "compute/cudnn_plan.hpp"
#include "parconv/device/devices.hpp"

int main() {
  return parconv::bench::guarded([] {
    const auto device = parconv::make_cuda_device(0);
    fmt::print("{}", parconv::cudnn::to_json(parconv::cudnn::device_properties(0)));
  });
}
