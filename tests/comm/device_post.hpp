// SPDX-License-Identifier: Apache-2.0
// Letters between device memories, for tests of communicators.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "parconv/comm/communicator.hpp"
#include "parconv/device/device.hpp"
#include "support/mpi_test.hpp"
#include "support/random.hpp"

namespace parconv::test {

/// A message between two ranks of the job, known to all ranks.
struct Letter {
  int from = 0;
  int to = 0;
  std::size_t size_bytes = 0;
};

inline std::vector<Letter> random_letters(Random& random) {
  std::vector<Letter> letters(static_cast<std::size_t>(random.integer(0, 3 * num_ranks())));
  for (Letter& letter : letters) {
    letter.from = static_cast<int>(random.integer(0, num_ranks() - 1));
    letter.to = static_cast<int>(random.integer(0, num_ranks() - 1));
    letter.size_bytes = random.once_in(4) ? 0 : static_cast<std::size_t>(random.integer(1, 3000));
  }
  return letters;
}

inline std::byte content(std::size_t letter, int round) {
  return static_cast<std::byte>((letter * 37 + static_cast<unsigned>(round) * 11 + 1) & 0xffU);
}

/// A letter of this rank in device memory, with its pinned host memory.
struct Sheet {
  Sheet(Device& device, std::size_t bytes)
      : memory(device.allocate(bytes)), outside(device.allocate(bytes, MemoryKind::Pinned)) {}

  DeviceBytes memory;
  DeviceBytes outside;
};

/// This rank's letters. All work on device memory is enqueued on the compute stream; the host does not wait for it.
class DevicePost {
 public:
  DevicePost(Communicator& communicator, Device& device, int order, std::vector<Letter> letters)
      : device_(device), letters_(std::move(letters)) {
    std::vector<SendMessage> sends;
    std::vector<ReceiveMessage> receives;
    for (const Letter& letter : letters_) {
      sent_.emplace_back(device, letter.from == rank() ? letter.size_bytes : 0);
      received_.emplace_back(device, letter.to == rank() ? letter.size_bytes : 0);
      if (letter.from == rank()) sends.push_back({letter.to, sent_.back().memory.data(), letter.size_bytes});
      if (letter.to == rank()) receives.push_back({letter.from, received_.back().memory.data(), letter.size_bytes});
    }
    exchange_ = communicator.prepare(order, sends, receives);
  }

  void start(int round) {
    run_compute_stream();  // completes the uses of `outside` in the last round
    for (std::size_t k = 0; k < letters_.size(); ++k) {
      DeviceBytes& outside = sent_[k].outside;
      std::fill(outside.data(), outside.data() + outside.size(), content(k, round));
      device_.upload(bytes_view(std::as_const(outside).data(), outside.size()),
                     bytes_view(sent_[k].memory.data(), outside.size()), DeviceStream::Compute);
    }
    exchange_->start();
  }

  /// The compute stream overwrites the sent data and copies the received data, as kernels after the exchange would.
  void finish() {
    exchange_->finish();
    for (std::size_t k = 0; k < letters_.size(); ++k) {
      DeviceBytes& outside = received_[k].outside;
      device_.download(bytes_view(std::as_const(received_[k].memory).data(), outside.size()),
                       bytes_view(outside.data(), outside.size()), DeviceStream::Compute);
    }
  }

  void expect_arrived(int round) {
    run_compute_stream();
    for (std::size_t k = 0; k < letters_.size(); ++k) {
      const DeviceBytes& outside = received_[k].outside;
      const auto num_right = std::count(outside.data(), outside.data() + outside.size(), content(k, round));
      EXPECT_EQ(num_right, static_cast<std::ptrdiff_t>(outside.size())) << "letter " << k << " in round " << round;
    }
  }

 private:
  /// Runs the compute stream and its dependencies only.
  void run_compute_stream() {
    const std::unique_ptr<DeviceEvent> event = device_.make_event();
    event->record(DeviceStream::Compute);
    while (!event->is_reached()) std::this_thread::yield();
  }

  Device& device_;
  std::vector<Letter> letters_;
  std::vector<Sheet> sent_{};
  std::vector<Sheet> received_{};
  std::unique_ptr<Exchange> exchange_{};
};

}  // namespace parconv::test
