// SPDX-License-Identifier: Apache-2.0
#include "nccl_exchange.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <deque>
#include <map>
#include <memory>

#include "emulator/settings.hpp"

namespace parconv::emulator {
namespace {

enum class Step { Moved, Blocked, Lost };

/// Sends up to `bytes` without blocking, and adds the count to `moved`.
Step send_some(int socket, const std::byte* data, std::size_t bytes, std::size_t& moved) {
  const ssize_t count = ::send(socket, data, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0) return errno == EAGAIN || errno == EINTR ? Step::Blocked : Step::Lost;
  moved += static_cast<std::size_t>(count);
  return Step::Moved;
}

Step receive_some(int socket, std::byte* data, std::size_t bytes, std::size_t& moved) {
  const ssize_t count = ::recv(socket, data, bytes, MSG_DONTWAIT);
  if (count < 0) return errno == EAGAIN || errno == EINTR ? Step::Blocked : Step::Lost;
  if (count == 0) return Step::Lost;
  moved += static_cast<std::size_t>(count);
  return Step::Moved;
}

/// Pending messages to or from one rank. Wire format: size, bytes, and a one-byte receipt in return.
class Channel {
 public:
  virtual ~Channel() = default;
  virtual Step advance() = 0;
  virtual short events() const = 0;
  bool is_done() const { return messages_.empty(); }
  int socket() const { return socket_; }
  void add(const Message& message) { messages_.push_back(message); }

 protected:
  explicit Channel(int socket) : socket_(socket) {}
  const Message& message() const { return messages_.front(); }
  void end_message() {
    messages_.pop_front();
    size_moved_ = moved_ = receipt_moved_ = 0;
  }
  bool is_size_moved() const { return size_moved_ == sizeof size_; }
  std::byte* size_bytes() { return reinterpret_cast<std::byte*>(&size_); }

  std::uint64_t size_ = 0;
  std::size_t size_moved_ = 0;
  std::size_t moved_ = 0;
  std::size_t receipt_moved_ = 0;
  std::byte receipt_{1};

 private:
  int socket_;
  std::deque<Message> messages_{};
};

class SendChannel final : public Channel {
 public:
  explicit SendChannel(int socket) : Channel(socket) {}

  Step advance() override {
    size_ = message().bytes;
    if (!is_size_moved()) return send_some(socket(), size_bytes() + size_moved_, sizeof size_ - size_moved_, size_moved_);
    if (moved_ < size_) return send_some(socket(), message().data + moved_, size_ - moved_, moved_);
    const Step step = receive_some(socket(), &receipt_, 1, receipt_moved_);
    if (step == Step::Moved) end_message();
    return step;
  }
  short events() const override { return moved_ < message().bytes || !is_size_moved() ? POLLOUT : POLLIN; }
};

class ReceiveChannel final : public Channel {
 public:
  explicit ReceiveChannel(int socket) : Channel(socket) {}

  Step advance() override {
    if (!is_size_moved()) return receive_some(socket(), size_bytes() + size_moved_, sizeof size_ - size_moved_, size_moved_);
    if (size_ != message().bytes) abort_with("a message meets a receive of another size");
    if (moved_ < size_) return receive_some(socket(), message().data + moved_, size_ - moved_, moved_);
    const Step step = send_some(socket(), &receipt_, 1, receipt_moved_);
    if (step == Step::Moved) end_message();
    return step;
  }
  short events() const override { return moved_ == message().bytes && is_size_moved() ? POLLOUT : POLLIN; }
};

using Channels = std::vector<std::unique_ptr<Channel>>;

Channels channels_of(const Connections& connections, const std::vector<Message>& messages) {
  std::map<std::pair<bool, int>, std::unique_ptr<Channel>> channels;
  for (const Message& message : messages) {
    std::unique_ptr<Channel>& channel = channels[{message.is_sent, message.peer}];
    if (!channel && message.is_sent) channel = std::make_unique<SendChannel>(connections.to(message.peer).get());
    if (!channel && !message.is_sent) channel = std::make_unique<ReceiveChannel>(connections.from(message.peer).get());
    channel->add(message);
  }
  Channels all;
  for (auto& [key, channel] : channels) all.push_back(std::move(channel));
  return all;
}

/// Moved if any channel made progress, Lost if a rank was lost.
Step advance(const Channels& channels) {
  Step best = Step::Blocked;
  for (const auto& channel : channels) {
    const Step step = channel->advance();
    if (step == Step::Lost) return step;
    if (step == Step::Moved) best = step;
  }
  return best;
}

void wait_for(const Channels& channels) {
  std::vector<pollfd> waiting;
  for (const auto& channel : channels) waiting.push_back({.fd = channel->socket(), .events = channel->events(), .revents = 0});
  ::poll(waiting.data(), waiting.size(), 5);
}

}  // namespace

ExchangeEnd exchange(const Connections& connections, const std::vector<Message>& messages, const std::atomic<bool>& is_aborted) {
  Channels channels = channels_of(connections, messages);
  while (!is_aborted) {
    std::erase_if(channels, [](const auto& channel) { return channel->is_done(); });
    if (channels.empty()) return ExchangeEnd::Done;
    const Step step = advance(channels);
    if (step == Step::Lost) return ExchangeEnd::PeerLost;
    std::erase_if(channels, [](const auto& channel) { return channel->is_done(); });
    if (step == Step::Blocked) wait_for(channels);
  }
  return ExchangeEnd::Aborted;
}

}  // namespace parconv::emulator
