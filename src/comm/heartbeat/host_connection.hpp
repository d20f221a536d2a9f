// SPDX-License-Identifier: Apache-2.0
// The links between the hosts of a job, with endpoints and key exchanged by MPI.
#pragma once

#include <memory>
#include <string>

#include "comm/heartbeat/host_link.hpp"
#include "parconv/comm/control.hpp"
#include "parconv/comm/heartbeat/heartbeat.hpp"

namespace parconv {

/// A random key, the same on all ranks. Collective.
JobKey shared_key(Control& control);

/// Of one rank.
struct HostConnection {
  std::unique_ptr<HostLink> link{};  ///< on the first rank of each host of several
  std::string note{};                ///< why no host has a link, on all ranks; empty if all have or there is one host
};

/// Connects the hosts; opens nothing for one host. Collective.
HostConnection connect_hosts(Control& control, HeartbeatHosts hosts, const JobKey& key);

}  // namespace parconv
