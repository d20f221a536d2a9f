// SPDX-License-Identifier: Apache-2.0
#include "nccl_sockets.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <thread>

#include "emulator/settings.hpp"

namespace parconv::emulator {
namespace {

struct Address {
  sockaddr_un value{};
  socklen_t bytes = 0;
};

/// An address in the abstract namespace: no file, and it vanishes with the socket.
Address address_of(const std::string& name, int rank) {
  const std::string text = name + "/" + std::to_string(rank);
  Address address{.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size())};
  address.value.sun_family = AF_UNIX;
  if (text.size() + 1 > sizeof address.value.sun_path) abort_with("the name of a communicator is too long");
  std::copy(text.begin(), text.end(), address.value.sun_path + 1);
  return address;
}

Socket make_socket() {
  Socket made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!made.is_open()) abort_with("cannot create a socket");
  return made;
}

/// Reads the handshake, blocking briefly.
Hello read_hello(const Socket& from) {
  Hello hello;
  if (::recv(from.get(), &hello, sizeof hello, MSG_WAITALL) != static_cast<ssize_t>(sizeof hello)) return {.rank = -1};
  return hello;
}

}  // namespace

Socket::~Socket() {
  if (is_open()) ::close(descriptor_);
}

Connections::Connections(std::string name, const Hello& own)
    : name_(std::move(name)),
      own_(own),
      listening_(make_socket()),
      to_(static_cast<std::size_t>(own.size)),
      from_(static_cast<std::size_t>(own.size)) {
  const Address address = address_of(name_, own_.rank);
  if (::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address.value), address.bytes) != 0 ||
      ::listen(listening_.get(), own_.size) != 0)
    abort_with("two ranks of a communicator have the same number");
}

bool Connections::connect_to(int rank) {
  Socket socket = make_socket();
  const Address address = address_of(name_, rank);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.value), address.bytes) != 0) return false;
  if (::send(socket.get(), &own_, sizeof own_, MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof own_)) return false;
  to_[static_cast<std::size_t>(rank)] = std::move(socket);
  return true;
}

std::vector<Hello> Connections::connect(const std::atomic<bool>& is_aborted) {
  std::vector<Hello> hellos;
  int connected = 0;
  while (!is_aborted && (connected < own_.size || std::ssize(hellos) < own_.size)) {
    if (connected < own_.size && connect_to(connected)) ++connected;
    pollfd waiting{.fd = listening_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, connected < own_.size ? 1 : 10) <= 0) continue;
    Socket socket(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const Hello hello = read_hello(socket);
    if (hello.rank < 0 || hello.rank >= own_.size || hello.size != own_.size) abort_with("ranks of a communicator disagree");
    from_[static_cast<std::size_t>(hello.rank)] = std::move(socket);
    hellos.push_back(hello);
  }
  return hellos;
}

void Connections::shut_down() {
  for (const std::vector<Socket>* all : {&to_, &from_})
    for (const Socket& socket : *all)
      if (socket.is_open()) ::shutdown(socket.get(), SHUT_RDWR);
}

}  // namespace parconv::emulator
