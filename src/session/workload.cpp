// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/workload.hpp"

#include "parconv/core/error.hpp"

namespace parconv {

DataSize size_of(const Workload& workload) {
  PARCONV_EXPECT(!workload.sources.empty());
  DataSize size{.samples = workload.sources.front()->extents()[Axis::N]};
  PARCONV_EXPECT(size.samples > 0, workload.sources.front()->extents());
  for (const DataSource* source : workload.sources) size.elems_per_sample += volume(source->extents()) / size.samples;
  return size;
}

std::string extents_text(const Workload& workload) {
  std::string text;
  for (const DataSource* source : workload.sources) text += concat(text.empty() ? "" : ", ", source->extents());
  return text;
}

}  // namespace parconv
