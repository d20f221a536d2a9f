// SPDX-License-Identifier: Apache-2.0
// GPUs that a dry run can plan for on a machine without GPUs.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace parconv {

/// A GPU by name, with memory that programs have at least: from the vendor's data sheets, less what ECC takes of GDDR6.
struct KnownGpu {
  std::string_view name{};
  std::size_t memory_bytes = 0;
};

/// All known GPUs, sorted by name.
std::span<const KnownGpu> known_gpus();

/// Finds a GPU by name, ignoring case: "H200". Local. Throws Error(Usage) listing the names for an unknown one.
const KnownGpu& known_gpu(std::string_view name);

}  // namespace parconv
