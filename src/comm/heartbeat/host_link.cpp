// SPDX-License-Identifier: Apache-2.0
#include "comm/heartbeat/host_link.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// A rank and its pulse.
struct Entry {
  index_t rank;
  PulseFields fields;
};

/// Fits into one frame of an Ethernet network. All hosts have the same byte order, as MPI jobs do.
constexpr std::size_t max_entries = 12;

struct Datagram {
  std::uint64_t magic;
  JobKey key;
  std::uint64_t count;
  std::array<Entry, max_entries> entries;
};

static_assert(sizeof(Datagram) <= 1472 && std::is_trivially_copyable_v<Datagram>);

constexpr std::uint64_t magic = 0x3170'7672'6e6f'6370;  // "pconrvp1"
constexpr double shortest_period_seconds = 0.25;
constexpr double datagrams_per_second = 400;

std::size_t size_of(std::size_t count) { return offsetof(Datagram, entries) + count * sizeof(Entry); }

sockaddr_in address_of(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(endpoint.address);
  address.sin_port = htons(endpoint.port);
  return address;
}

Endpoint endpoint_of(const sockaddr_in& address) { return {ntohl(address.sin_addr.s_addr), ntohs(address.sin_port)}; }

}  // namespace

std::unique_ptr<HostLink> HostLink::open(std::uint32_t address) {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return nullptr;
  sockaddr_in name = address_of({address, 0});
  socklen_t size = sizeof(name);
  const bool is_bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&name), size) == 0 &&
                        ::getsockname(socket, reinterpret_cast<sockaddr*>(&name), &size) == 0;
  auto link = std::unique_ptr<HostLink>(new HostLink(socket, endpoint_of(name)));
  return is_bound ? std::move(link) : nullptr;
}

HostLink::~HostLink() { ::close(socket_); }

void HostLink::join(Job job) {
  PARCONV_EXPECT(job.own_host >= 0 && job.own_host < std::ssize(job.hosts), job.own_host, " of ", job.hosts.size(), " hosts");
  job_ = std::move(job);
  for (int rank = 0; rank < std::ssize(job_.host_of_rank); ++rank)
    if (job_.host_of_rank[static_cast<std::size_t>(rank)] == job_.own_host) own_ranks_.push_back(rank);
}

double HostLink::period_seconds() const {
  const std::size_t datagrams = (job_.host_of_rank.size() + max_entries - 1) / max_entries + job_.hosts.size();
  return std::max(shortest_period_seconds, static_cast<double>(datagrams) / datagrams_per_second);
}

void HostLink::send(std::span<const PulseCell> cells) const {
  for (std::size_t first = 0; first < own_ranks_.size(); first += max_entries)
    send_part(cells, first, std::min(max_entries, own_ranks_.size() - first));
}

void HostLink::send_part(std::span<const PulseCell> cells, std::size_t first, std::size_t count) const {
  Datagram datagram{.magic = magic, .key = job_.key, .count = count, .entries = {}};
  for (std::size_t k = 0; k < count; ++k) {
    const int rank = own_ranks_[first + k];
    datagram.entries[k] = {.rank = rank, .fields = fields_of(cells[static_cast<std::size_t>(rank)].load())};
  }
  for (std::size_t host = 0; host < job_.hosts.size(); ++host) {
    if (static_cast<int>(host) == job_.own_host) continue;
    const sockaddr_in to = address_of(job_.hosts[host]);
    // Lost datagrams are followed by others.
    static_cast<void>(
        ::sendto(socket_, &datagram, size_of(count), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to), sizeof(to)));
  }
}

int HostLink::host_at(const Endpoint& endpoint) const {
  const auto found = std::find(job_.hosts.begin(), job_.hosts.end(), endpoint);
  return found == job_.hosts.end() ? -1 : static_cast<int>(found - job_.hosts.begin());
}

void HostLink::receive(std::span<PulseCell> cells) const {
  while (true) {
    Datagram datagram{};
    sockaddr_in name{};
    socklen_t name_size = sizeof(name);
    const ssize_t size =
        ::recvfrom(socket_, &datagram, sizeof(datagram), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&name), &name_size);
    if (size < 0) return;
    const bool is_ours = size >= static_cast<ssize_t>(size_of(0)) && datagram.magic == magic && datagram.key == job_.key &&
                         datagram.count <= max_entries && size == static_cast<ssize_t>(size_of(datagram.count));
    const int host = is_ours ? host_at(endpoint_of(name)) : -1;
    if (host < 0) continue;
    for (const Entry& entry : std::span(datagram.entries).first(datagram.count)) {
      const bool is_known = entry.rank >= 0 && entry.rank < std::ssize(job_.host_of_rank);
      if (is_known && job_.host_of_rank[static_cast<std::size_t>(entry.rank)] == host)
        cells[static_cast<std::size_t>(entry.rank)].store(pulse_of(entry.fields));
    }
  }
}

}  // namespace parconv
