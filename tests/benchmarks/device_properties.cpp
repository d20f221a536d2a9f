// SPDX-License-Identifier: Apache-2.0
// Prints the device properties of GPU 0 as JSON, for building and testing cuDNN plans on machines without a GPU:
// parconv_device_properties > FILE; then PARCONV_DEVICE_PROPERTIES=FILE ctest -R cudnn_graph_test. Exits with 69 without a GPU.
#include <fmt/format.h>

#include "benchmarks/measuring.hpp"
#include "compute/cudnn/cudnn_plan.hpp"
#include "parconv/device/devices.hpp"

int main() {
  return parconv::bench::guarded([] {
    const auto device = parconv::make_cuda_device(0);
    fmt::print("{}", parconv::cudnn::to_json(parconv::cudnn::device_properties(0)));
  });
}
