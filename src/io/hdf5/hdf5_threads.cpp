// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/hdf5_threads.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <vector>

#include "parconv/tensor/threads.hpp"

namespace parconv::hdf5 {
namespace {

/// Further threads than these would wait for the calling one.
constexpr int most_helpers = 3;

int helpers_of(int threads) { return std::min(threads - 1, most_helpers); }

/// Both stages at the same time. A thread that waits for another one sleeps.
class ConcurrentStages {
 public:
  ConcurrentStages(index_t items, std::size_t buffers, const Stages& stages)
      : items_(items), buffers_(static_cast<index_t>(buffers)), stages_(stages), done_(2) {
    for (auto& stage : done_) stage.resize(static_cast<std::size_t>(items));
  }

  void run(int helpers) {
    on_throwing_threads(helpers + 1, [this](int thread) {
      try {
        thread == 0 ? call() : help();
      } catch (...) {
        stop();
        throw;
      }
    });
  }

 private:
  using Number = std::size_t;  // 0: the first stage

  Number number_of_caller() const { return stages_.caller == CallerStage::First ? 0 : 1; }

  void call() {
    for (index_t item = 0; item < items_; ++item)
      if (!run_item(number_of_caller(), item)) return;
  }

  void help() {
    while (true) {
      index_t item = 0;
      {
        const std::lock_guard lock(mutex_);
        item = next_of_helpers_++;
      }
      if (item >= items_ || !run_item(1 - number_of_caller(), item)) return;
    }
  }

  /// False if another thread failed.
  bool run_item(Number stage, index_t item) {
    if (!await(stage, item)) return false;
    (stage == 0 ? stages_.first : stages_.second)(item, static_cast<std::size_t>(item % buffers_));
    const std::lock_guard lock(mutex_);
    done_[stage][static_cast<std::size_t>(item)] = true;
    changed_.notify_all();
    return true;
  }

  /// The second stage waits for the first one, the first one for its buffer.
  bool await(Number stage, index_t item) {
    const Number other = 1 - stage;
    const index_t needed = stage == 0 ? item - buffers_ : item;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return has_failed_ || needed < 0 || done_[other][static_cast<std::size_t>(needed)]; });
    return !has_failed_;
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    has_failed_ = true;
    changed_.notify_all();
  }

  index_t items_;
  index_t buffers_;
  const Stages& stages_;
  std::mutex mutex_{};
  std::condition_variable changed_{};
  std::vector<std::vector<bool>> done_;
  index_t next_of_helpers_ = 0;
  bool has_failed_ = false;
};

}  // namespace

void on_throwing_threads(int threads, const std::function<void(int thread)>& work) {
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(threads));
  on_threads(threads, [&](int thread) {
    try {
      work(thread);
    } catch (...) {
      errors[static_cast<std::size_t>(thread)] = std::current_exception();
    }
  });
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

std::size_t num_stage_buffers(int threads) { return threads == 1 ? 1 : 1 + static_cast<std::size_t>(helpers_of(threads)); }

void run_stages(index_t items, int threads, const Stages& stages) {
  if (threads > 1 && items > 1) return ConcurrentStages(items, num_stage_buffers(threads), stages).run(helpers_of(threads));
  for (index_t item = 0; item < items; ++item) {
    stages.first(item, 0);
    stages.second(item, 0);
  }
}

}  // namespace parconv::hdf5
