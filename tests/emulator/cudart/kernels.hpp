// SPDX-License-Identifier: Apache-2.0
// Kernels of the tested programs, compiled for the host.
#pragma once

#include <driver_types.h>
#include <vector_types.h>

#include <typeinfo>

#include "emulator/cudart/emulated_stream.hpp"
#include "parconv/core/types.hpp"

namespace parconv::emulator {

struct LaunchGrid {
  dim3 blocks{};
  dim3 threads{};
};

/// Creates the work of a launch from its grid and kernel arguments, which are the addresses of an index_t and of a function
/// object.
using MakeWork = Work (*)(const LaunchGrid& grid, void** arguments);

/// Registers the implementation of for_each_kernel for one function type.
bool add_kernel(const std::type_info& function, MakeWork make_work);

}  // namespace parconv::emulator
