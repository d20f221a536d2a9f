// SPDX-License-Identifier: Apache-2.0
#include "progress.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "parconv/core/units.hpp"

namespace parconv::app {
namespace {

constexpr std::chrono::milliseconds terminal_interval{200};
constexpr std::chrono::seconds log_interval{10};

/// Lines with a time stamp, for the logs of batch jobs.
spdlog::logger& job_log() {
  static spdlog::logger logger("parconv", std::make_shared<spdlog::sinks::stderr_sink_st>());
  return logger;
}

}  // namespace

Progress::Progress(index_t total_samples, Output output)
    : total_(total_samples), is_shown_(output == Output::Shown), is_terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::update(index_t samples) {
  const auto now = Clock::now();
  const bool is_due = is_terminal_ ? now - last_ >= terminal_interval : now - last_ >= log_interval;
  if (!is_shown_ || !is_due || samples <= 0) return;
  last_ = now;
  has_line_ = true;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  const auto done = static_cast<double>(std::min(samples, total_));
  const std::string line = fmt::format("{} of {} samples, {:.3g} samples/s, {} left", std::min(samples, total_), total_,
                                       done / seconds, format_seconds(seconds / done * (static_cast<double>(total_) - done)));
  if (is_terminal_)
    fmt::print(stderr, "\r{:<70}", line);
  else
    job_log().info(line);
  std::fflush(stderr);
}

void Progress::finish() {
  if (is_terminal_ && has_line_) fmt::print(stderr, "\r{:<70}\r", "");
}

}  // namespace parconv::app
