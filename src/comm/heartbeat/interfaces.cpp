// SPDX-License-Identifier: Apache-2.0
#include "comm/heartbeat/interfaces.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>
#include <sstream>

namespace parconv {
namespace {

std::uint32_t number_of(const sockaddr* address) { return ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr); }

bool is_loopback(const Interface& interface) { return interface.address >> 24U == 127; }

/// "10.1.0.0/16".
bool is_in_network(const std::string& text, const Interface& interface) {
  const std::size_t slash = text.find('/');
  in_addr network{};
  if (slash == std::string::npos || ::inet_pton(AF_INET, text.substr(0, slash).c_str(), &network) != 1) return false;
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(text.data() + slash + 1, text.data() + text.size(), bits);
  if (error != std::errc() || bits > 32) return false;
  const std::uint32_t mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
  return (interface.address & mask) == (ntohl(network.s_addr) & mask);
}

/// The address of each host in the network of `wanted`; empty unless all have one of their own.
std::vector<std::uint32_t> addresses_in(std::span<const std::vector<Interface>> hosts, const Interface& wanted) {
  std::vector<std::uint32_t> addresses;
  for (const std::vector<Interface>& host : hosts) {
    const auto found = std::find_if(host.begin(), host.end(), [&](const Interface& each) {
      return each.mask == wanted.mask && each.network() == wanted.network();
    });
    if (found == host.end()) return {};
    addresses.push_back(found->address);
  }
  const std::set<std::uint32_t> distinct(addresses.begin(), addresses.end());
  return distinct.size() == addresses.size() ? addresses : std::vector<std::uint32_t>{};
}

}  // namespace

std::vector<Interface> interfaces_up() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  std::vector<Interface> result;
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    const bool is_usable = each->ifa_addr != nullptr && each->ifa_netmask != nullptr && each->ifa_addr->sa_family == AF_INET;
    if (is_usable && (each->ifa_flags & IFF_UP) != 0)
      result.push_back({each->ifa_name, number_of(each->ifa_addr), number_of(each->ifa_netmask)});
  }
  return result;
}

bool includes(const std::string& list, const Interface& interface) {
  std::istringstream in(list);
  for (std::string entry; std::getline(in, entry, ',');)
    if (entry == interface.name || is_in_network(entry, interface)) return true;
  return false;
}

std::vector<Interface> interfaces_of_mpi(std::vector<Interface> all, const char* included) {
  std::erase_if(all, [&](const Interface& each) { return included != nullptr ? !includes(included, each) : is_loopback(each); });
  return all;
}

std::vector<std::uint32_t> shared_network(std::span<const std::vector<Interface>> hosts) {
  if (hosts.empty()) return {};
  for (const Interface& wanted : hosts.front())
    if (std::vector<std::uint32_t> addresses = addresses_in(hosts, wanted); !addresses.empty()) return addresses;
  return {};
}

std::string to_text(std::span<const Interface> interfaces) {
  std::ostringstream out;
  for (const Interface& each : interfaces) out << each.name << ' ' << each.address << ' ' << each.mask << '\n';
  return out.str();
}

std::vector<Interface> interfaces_from(const std::string& text) {
  std::istringstream in(text);
  std::vector<Interface> interfaces;
  for (Interface each; in >> each.name >> each.address >> each.mask;) interfaces.push_back(each);
  return interfaces;
}

}  // namespace parconv
