// SPDX-License-Identifier: Apache-2.0
// The workload of a session: a network for any number of samples, and the data of its inputs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "parconv/io/data_source.hpp"
#include "parconv/model/network.hpp"

namespace parconv {

/// Size of all inputs together.
struct DataSize {
  index_t samples = 0;
  index_t elems_per_sample = 0;
};

/// A network with its data.
struct Workload {
  /// Creates the fused network for a number of samples, equal on all ranks. Throws Error(BadData).
  std::function<Network(index_t samples)> network{};
  /// One source per input of the network, in its order, all with the same number of samples. They must outlive the session.
  std::vector<DataSource*> sources{};
  std::string model_name{};  ///< for messages and reports
  std::string input_names{};
};

/// The size of all inputs together. Local. Precondition: there is at least one source.
DataSize size_of(const Workload& workload);

/// The extents of all sources as text, to compare the data seen by the ranks.
std::string extents_text(const Workload& workload);

}  // namespace parconv
