// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/compile_options.hpp"

#include "parconv/io/hdf5/hdf5_sink.hpp"
#include "parconv/session/numerics.hpp"

namespace parconv {
namespace {

/// Files are written in whole chunks of the first output.
StoreRule store_rule(StoreKind kind, const Setup& setup) {
  const ValueId output = setup.network.outputs.front();
  const Extents extents = output_extents(setup, output);
  if (kind != StoreKind::Chunks) return {.kind = kind};
  return {.kind = kind, .chunk = output_chunk(extents, setup.network.value(output).ndims)};
}

}  // namespace

MemoryRules memory_rules_on(DeviceKind device, const std::string& name) {
  // A build without CUDA has no cuDNN backend to ask: its convolutions take dense operands only.
  if (device == DeviceKind::Gpu) return {.needs_dense = true};
  return make_backend({.name = name, .threads = 1})->memory_rules();
}

Overlap overlap_of(OverlapChoice choice, int num_hosts) {
  const bool overlaps = choice == OverlapChoice::On || (choice == OverlapChoice::Auto && num_hosts > 1);
  return overlaps ? Overlap::On : Overlap::Off;
}

CompileOptions compile_options(const Request& request, const Setup& setup, const CompileTarget& target) {
  return {.overlap = overlap_of(request.overlap, target.num_hosts),
          .store = store_rule(request.store, setup),
          .needs_dense = target.rules.needs_dense,
          .type = precision_of(request.numerics).activations};
}

}  // namespace parconv
