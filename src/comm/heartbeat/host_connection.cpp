// SPDX-License-Identifier: Apache-2.0
#include "comm/heartbeat/host_connection.hpp"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <span>
#include <sstream>
#include <utility>
#include <vector>

#include "comm/heartbeat/interfaces.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

int num_hosts(std::span<const int> host_of_rank) { return *std::max_element(host_of_rank.begin(), host_of_rank.end()) + 1; }

/// The lowest rank of each host.
std::vector<std::size_t> first_ranks(std::span<const int> host_of_rank) {
  std::vector<std::size_t> ranks;
  for (int host = 0; host < num_hosts(host_of_rank); ++host)
    ranks.push_back(static_cast<std::size_t>(std::find(host_of_rank.begin(), host_of_rank.end(), host) - host_of_rank.begin()));
  return ranks;
}

/// By host; empty if the hosts share no network.
std::vector<std::uint32_t> find_addresses(Control& control, std::span<const std::size_t> leaders) {
  const char* included = std::getenv("OMPI_MCA_btl_tcp_if_include");
  const std::vector<std::string> all = control.all_gather(to_text(interfaces_of_mpi(interfaces_up(), included)));
  std::vector<std::vector<Interface>> hosts;
  for (const std::size_t leader : leaders) hosts.push_back(interfaces_from(all[leader]));
  return shared_network(hosts);
}

/// The link of the first rank of each host; null elsewhere. Null everywhere if one host fails to open its socket.
std::unique_ptr<HostLink> make_link(Control& control, const HeartbeatHosts& hosts, const JobKey& key) {
  const auto own_rank = static_cast<std::size_t>(control.rank());
  const int own_host = hosts.host_of_rank[own_rank];
  const std::vector<std::size_t> leaders = first_ranks(hosts.host_of_rank);
  const bool is_leader = leaders[static_cast<std::size_t>(own_host)] == own_rank;
  auto link = is_leader ? HostLink::open(hosts.addresses[static_cast<std::size_t>(own_host)]) : nullptr;
  const Endpoint own = link ? link->endpoint() : Endpoint{};
  const std::vector<std::string> all = control.all_gather(concat(own.address, ' ', own.port));
  HostLink::Job job{.key = key, .hosts = {}, .host_of_rank = hosts.host_of_rank, .own_host = own_host};
  for (const std::size_t leader : leaders) {
    std::istringstream in(all[leader]);
    in >> job.hosts.emplace_back().address >> job.hosts.back().port;
  }
  const bool is_complete = std::all_of(job.hosts.begin(), job.hosts.end(), [](const Endpoint& host) { return host.port != 0; });
  if (!is_complete || !link) return nullptr;
  link->join(std::move(job));
  return link;
}

}  // namespace

HostConnection connect_hosts(Control& control, HeartbeatHosts hosts, const JobKey& key) {
  if (num_hosts(hosts.host_of_rank) == 1) return {};
  const std::vector<std::size_t> leaders = first_ranks(hosts.host_of_rank);
  if (hosts.addresses.empty()) hosts.addresses = find_addresses(control, leaders);
  auto link = hosts.addresses.empty() ? nullptr : make_link(control, hosts, key);
  const auto own_rank = static_cast<std::size_t>(control.rank());
  const bool is_leader = leaders[static_cast<std::size_t>(hosts.host_of_rank[own_rank])] == own_rank;
  if (control.min(!is_leader || link != nullptr) == 1) return {.link = std::move(link), .note = {}};
  return {.link = nullptr,
          .note =
              "the hosts share no network for heartbeats (OMPI_MCA_btl_tcp_if_include names one): a hang on another host is "
              "reported without the name of the rank"};
}

JobKey shared_key(Control& control) {
  std::random_device random;
  const auto number = [&] { return (std::uint64_t{random()} << 32U) | random(); };
  std::istringstream in(control.broadcast(concat(number(), ' ', number())));
  JobKey key{};
  in >> key[0] >> key[1];
  return key;
}

}  // namespace parconv
