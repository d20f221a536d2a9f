// SPDX-License-Identifier: Apache-2.0
#include "support/threaded_run.hpp"

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>

#include "parconv/comm/communicator.hpp"
#include "parconv/core/error.hpp"
#include "parconv/engine/engine.hpp"
#include "parconv/io/constants.hpp"
#include "support/fakes/fake_device.hpp"
#include "support/fakes/queued_communicator.hpp"

namespace parconv::test {
namespace {

/// Messages on their way between threads, in order for each sender, receiver and place in the global order.
class Mailboxes {
 public:
  explicit Mailboxes(double timeout_seconds) : timeout_(timeout_seconds) {}

  using Key = std::tuple<int, int, int>;  // from, to, order

  void put(const Key& key, std::vector<std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    boxes_[key].push_back(std::move(bytes));
    changed_.notify_all();
  }

  /// Waits until there is one.
  std::vector<std::byte> take(const Key& key) {
    std::unique_lock lock(mutex_);
    const bool is_there = changed_.wait_for(lock, timeout_, [&] { return has_failed_ || !boxes_[key].empty(); });
    if (has_failed_) throw Error(ExitCode::Communication, "another rank failed");
    if (!is_there) throw Error(ExitCode::Communication, concat("no message of order ", std::get<2>(key)));
    std::vector<std::byte> bytes = std::move(boxes_[key].front());
    boxes_[key].pop_front();
    return bytes;
  }

  /// Keeps the first error and ends all waits.
  void fail(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (!has_failed_) error_ = what;
    has_failed_ = true;
    changed_.notify_all();
  }
  std::string error() const { return error_; }

 private:
  std::chrono::duration<double> timeout_;
  std::mutex mutex_{};
  std::condition_variable changed_{};
  std::map<Key, std::deque<std::vector<std::byte>>> boxes_{};
  bool has_failed_ = false;
  std::string error_{};
};

class MailboxExchange final : public UncapturedExchange {
 public:
  MailboxExchange(Mailboxes& mailboxes, int rank, int order, std::span<const SendMessage> sends,
                  std::span<const ReceiveMessage> receives)
      : mailboxes_(mailboxes),
        rank_(rank),
        order_(order),
        sends_(sends.begin(), sends.end()),
        receives_(receives.begin(), receives.end()) {}

  void start() override {
    for (const SendMessage& message : sends_)
      mailboxes_.put({rank_, message.peer, order_}, {message.data, message.data + message.size_bytes});
  }
  void finish() override {
    for (const ReceiveMessage& message : receives_) {
      const std::vector<std::byte> bytes = mailboxes_.take({message.peer, rank_, order_});
      PARCONV_EXPECT(bytes.size() == message.size_bytes, bytes.size(), " bytes instead of ", message.size_bytes);
      if (!bytes.empty()) std::memcpy(message.data, bytes.data(), bytes.size());
    }
  }
  bool test() override {
    finish();
    return true;
  }

 private:
  Mailboxes& mailboxes_;
  int rank_;
  int order_;
  std::vector<SendMessage> sends_;
  std::vector<ReceiveMessage> receives_;
};

class MailboxCommunicator final : public Communicator {
 public:
  MailboxCommunicator(Mailboxes& mailboxes, int rank, int size) : mailboxes_(mailboxes), rank_(rank), size_(size) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override {
    return std::make_unique<MailboxExchange>(mailboxes_, rank_, order, sends, receives);
  }
  void progress() override {}
  void poll() override {}
  std::string capture_problem() const override { return "mailboxes cannot be captured"; }
  void barrier() override {}

 private:
  Mailboxes& mailboxes_;
  int rank_;
  int size_;
};

void run_rank(const ThreadedRun& run, const Program& program, Mailboxes& mailboxes) {
  FakeDevice device;
  const auto host = make_reference_backend();
  const auto backend = make_fake_backend(device, *host);
  const auto communicator =
      make_queued_communicator(std::make_unique<MailboxCommunicator>(mailboxes, program.rank, program.num_ranks), device);
  Engine engine(run.network, program, *communicator, *backend, {.read_filter = make_filter_reader(), .device = &device});
  engine.run({.sources = run.sources, .sinks = run.sinks}, run.micro_batches);
}

}  // namespace

std::string run_on_fake_devices(const ThreadedRun& run) {
  Mailboxes mailboxes(run.timeout_seconds);
  std::vector<std::thread> threads;
  for (const Program& program : run.programs)
    threads.emplace_back([&run, &program, &mailboxes] {
      try {
        run_rank(run, program, mailboxes);
      } catch (const std::exception& error) {
        mailboxes.fail(concat("rank ", program.rank, ": ", error.what()));
      }
    });
  for (std::thread& thread : threads) thread.join();
  return mailboxes.error();
}

}  // namespace parconv::test
