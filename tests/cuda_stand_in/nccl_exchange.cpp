#include "nccl_exchange.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <deque>
#include <map>
#include <memory>

#include "settings.hpp"

namespace parconv::stand_in {
namespace {

enum class Step { Moved, Blocked, Lost };

/// Sends or receives up to `bytes`, and adds what was moved to `moved`.
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

/// The messages to or from one rank that are not done. On the wire: the size, the bytes; and back one byte when all are received.
class Line {
 public:
  virtual ~Line() = default;
  virtual Step advance() = 0;
  virtual short events() const = 0;
  bool is_done() const { return messages_.empty(); }
  int socket() const { return socket_; }
  void add(const Message& message) { messages_.push_back(message); }

 protected:
  explicit Line(int socket) : socket_(socket) {}
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

class SendLine final : public Line {
 public:
  explicit SendLine(int socket) : Line(socket) {}

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

class ReceiveLine final : public Line {
 public:
  explicit ReceiveLine(int socket) : Line(socket) {}

  Step advance() override {
    if (!is_size_moved()) return receive_some(socket(), size_bytes() + size_moved_, sizeof size_ - size_moved_, size_moved_);
    if (size_ != message().bytes) give_up("a message meets a receive of another size");
    if (moved_ < size_) return receive_some(socket(), message().data + moved_, size_ - moved_, moved_);
    const Step step = send_some(socket(), &receipt_, 1, receipt_moved_);
    if (step == Step::Moved) end_message();
    return step;
  }
  short events() const override { return moved_ == message().bytes && is_size_moved() ? POLLOUT : POLLIN; }
};

using Lines = std::vector<std::unique_ptr<Line>>;

Lines lines_of(const Connections& connections, const std::vector<Message>& messages) {
  std::map<std::pair<bool, int>, std::unique_ptr<Line>> lines;
  for (const Message& message : messages) {
    std::unique_ptr<Line>& line = lines[{message.is_sent, message.peer}];
    if (!line && message.is_sent) line = std::make_unique<SendLine>(connections.to(message.peer).get());
    if (!line && !message.is_sent) line = std::make_unique<ReceiveLine>(connections.from(message.peer).get());
    line->add(message);
  }
  Lines all;
  for (auto& [key, line] : lines) all.push_back(std::move(line));
  return all;
}

/// Moved if any line moved, Lost if a rank was.
Step advance(const Lines& lines) {
  Step best = Step::Blocked;
  for (const auto& line : lines) {
    const Step step = line->advance();
    if (step == Step::Lost) return step;
    if (step == Step::Moved) best = step;
  }
  return best;
}

void wait_for(const Lines& lines) {
  std::vector<pollfd> waiting;
  for (const auto& line : lines) waiting.push_back({.fd = line->socket(), .events = line->events(), .revents = 0});
  ::poll(waiting.data(), waiting.size(), 5);
}

}  // namespace

ExchangeEnd exchange(const Connections& connections, const std::vector<Message>& messages, const std::atomic<bool>& is_aborted) {
  Lines lines = lines_of(connections, messages);
  while (!is_aborted) {
    std::erase_if(lines, [](const auto& line) { return line->is_done(); });
    if (lines.empty()) return ExchangeEnd::Done;
    const Step step = advance(lines);
    if (step == Step::Lost) return ExchangeEnd::PeerLost;
    std::erase_if(lines, [](const auto& line) { return line->is_done(); });
    if (step == Step::Blocked) wait_for(lines);
  }
  return ExchangeEnd::Aborted;
}

}  // namespace parconv::stand_in
