// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/devices/known_gpus.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Data sheets state GB of 10^9 bytes. A program that fits here fits there: GPUs with HBM report more to CUDA (V100-32GB: 31.7
/// GiB). Those with GDDR6 report up to 2 % less, because of ECC (L40S: 44.4 GiB), so they have 1 GB less here.
constexpr std::size_t gb = 1'000'000'000;

constexpr std::array gpus{
    KnownGpu{"A100-40GB", 40 * gb},  // NVIDIA A100 Tensor Core GPU data sheet: 40 GB HBM2
    KnownGpu{"A100-80GB", 80 * gb},  // NVIDIA A100 Tensor Core GPU data sheet: 80 GB HBM2e
    KnownGpu{"H100", 80 * gb},       // NVIDIA H100 Tensor Core GPU data sheet: 80 GB (SXM, PCIe)
    KnownGpu{"H100-NVL", 94 * gb},   // NVIDIA H100 Tensor Core GPU data sheet: 94 GB (NVL)
    KnownGpu{"H200", 150754820096},  // totalGlobalMem of tests/compute/cudnn/gpus/h200.json; data sheet: 141 GB HBM3e
    KnownGpu{"L4", 23 * gb},         // NVIDIA L4 Tensor Core GPU data sheet: 24 GB GDDR6
    KnownGpu{"L40S", 47 * gb},       // NVIDIA L40S GPU data sheet: 48 GB GDDR6
    KnownGpu{"V100-16GB", 16 * gb},  // NVIDIA V100 Tensor Core GPU data sheet: 16 GB HBM2
    KnownGpu{"V100-32GB", 32 * gb},  // NVIDIA V100 Tensor Core GPU data sheet: 32 GB HBM2
};

bool equal_names(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char left, unsigned char right) { return std::toupper(left) == std::toupper(right); });
}

}  // namespace

std::span<const KnownGpu> known_gpus() { return gpus; }

const KnownGpu& known_gpu(std::string_view name) {
  const auto found = std::find_if(gpus.begin(), gpus.end(), [&](const KnownGpu& gpu) { return equal_names(gpu.name, name); });
  if (found != gpus.end()) return *found;
  std::string names;
  for (const KnownGpu& gpu : gpus) names += concat(names.empty() ? "" : ", ", gpu.name);
  throw Error(ExitCode::Usage, concat("--gpu '", name, "' is not a known GPU"), concat("Known GPUs are ", names, "."));
}

}  // namespace parconv
