// SPDX-License-Identifier: Apache-2.0
#include "last_resort.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "parconv/core/error.hpp"
#include "parconv/device/resource_limits.hpp"

namespace parconv::app {
namespace {

std::atomic<LastResort*> current{nullptr};
/// The thread that ends the process; 0: none.
std::atomic<pid_t> ending_thread{0};

constexpr const char* memory_text =
    "parconv_app: error: not enough memory\n"
    "  hint: Use more ranks, a smaller micro-batch, or hosts with more memory.\n";

constexpr useconds_t pause_us = 300'000;

bool is_of_memory(const std::exception_ptr& exception) {
  if (!exception) return false;
  try {
    std::rethrow_exception(exception);
  } catch (const std::bad_alloc&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

LastResort::LastResort(std::function<void(const std::exception_ptr&)> end, std::function<bool()> may_speak)
    : end_(std::move(end)), may_speak_(std::move(may_speak)) {
  come_first();
  current = this;
}

void LastResort::come_first() { ::on_exit(&LastResort::on_exit, nullptr); }

LastResort::~LastResort() { current = nullptr; }

void LastResort::install() { std::set_terminate(&LastResort::on_terminate); }

void LastResort::begin_end() {
  pid_t ending = 0;
  if (ending_thread.compare_exchange_strong(ending, ::gettid()) || ending == ::gettid()) return;
  while (true) ::pause();
}

void LastResort::take_over() { ending_thread = ::gettid(); }

/// The second time on one thread, the memory did not suffice for the message of the first.
void LastResort::on_terminate() {
  LastResort* const resort = current;
  if (resort == nullptr && is_of_memory(std::current_exception())) end_without_memory(true);
  if (resort == nullptr) std::abort();
  if (ending_thread == ::gettid()) end_without_memory(resort->may_speak_());
  begin_end();
  resort->end_(std::current_exception());
  std::abort();
}

void LastResort::on_exit(int status, void*) {
  LastResort* const resort = current.exchange(nullptr);
  if (resort != nullptr && ending_thread == 0) resort->end_(std::make_exception_ptr(library_error(status)));
}

void LastResort::end_without_memory(bool speaks) {
  if (speaks) {
    const ssize_t written = ::write(STDERR_FILENO, memory_text, std::strlen(memory_text));
    static_cast<void>(written);
    ::usleep(pause_us);  // keeps the turn until the launcher ends the other ranks
  }
  ::_exit(static_cast<int>(ExitCode::OutOfMemory));
}

}  // namespace parconv::app
