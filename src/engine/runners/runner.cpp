// SPDX-License-Identifier: Apache-2.0
#include "engine/runners/runner.hpp"

#include <numeric>

namespace parconv {

std::unique_ptr<Runner> make_runner(const RunnerParts& parts) {
  return parts.device.platform() == DevicePlatform::Host ? make_host_runner(parts) : make_device_runner(parts);
}

bool ends_early(const EngineOptions& options, const RunProgress& progress, index_t micro_batches) {
  return options.ends_early && progress.begun < micro_batches && options.ends_early(progress);
}

std::vector<std::size_t> all_steps(const Program& program) {
  std::vector<std::size_t> steps(program.steps.size());
  std::iota(steps.begin(), steps.end(), std::size_t{0});
  return steps;
}

}  // namespace parconv
