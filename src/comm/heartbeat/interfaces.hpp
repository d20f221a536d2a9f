// SPDX-License-Identifier: Apache-2.0
// The network interfaces of this host, and the network that all hosts of a job share.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace parconv {

/// An IPv4 address of an interface. Numbers are in the order of the host.
struct Interface {
  std::string name{};
  std::uint32_t address = 0;
  std::uint32_t mask = 0;

  std::uint32_t network() const { return address & mask; }
  friend bool operator==(const Interface&, const Interface&) = default;
};

/// The interfaces that are up. Local.
std::vector<Interface> interfaces_up();

/// True if a list as of Open MPI's btl_tcp_if_include has the interface: names and networks, "eth0,10.1.0.0/16".
bool includes(const std::string& list, const Interface& interface);

/// Those that MPI may use: those of OMPI_MCA_btl_tcp_if_include if that is set, otherwise all but loopback. Local.
std::vector<Interface> interfaces_of_mpi(std::vector<Interface> all, const char* included);

/// The first network in which every host has an address of its own, by host; empty if there is none. Pure. An address that two
/// hosts have (bridges of containers) connects nothing.
std::vector<std::uint32_t> shared_network(std::span<const std::vector<Interface>> hosts);

/// One line per interface. Pure.
std::string to_text(std::span<const Interface> interfaces);
std::vector<Interface> interfaces_from(const std::string& text);

}  // namespace parconv
