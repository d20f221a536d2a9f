// SPDX-License-Identifier: Apache-2.0
#include "benchmarks/checked_job.hpp"

namespace parconv::bench {
namespace {

constexpr double timeout_seconds = 300;
constexpr double record_seconds = 30;

JobOptions options_with(Heartbeat& heartbeat) {
  return {.timeout_seconds = timeout_seconds,
          .hooks = {.on_progress = [](JobPhase, index_t) {},
                    .stop_reason = [] { return StopReason::None; },
                    .on_lone_failure = [](const std::exception_ptr&, JobPhase) {},
                    .on_expiry = [](const std::string&, double) {}},
          .heartbeat = &heartbeat};
}

}  // namespace

CheckedJob::CheckedJob(const MpiEnvironment& environment, const Request& request, Checks checks) {
  Control control(environment);
  if (checks == Checks::On) {
    heartbeat_.emplace();
    heartbeat_->connect(control);
    context_ = std::make_unique<JobContext>(std::move(control), options_with(*heartbeat_));
    session_.emplace(*context_, request);
    session_->describe_files();
    session_->keep_progress({.record = [](index_t) {}, .interval_seconds = record_seconds});
  } else {
    context_ = std::make_unique<JobContext>(std::move(control));
    session_.emplace(*context_, request);
    open_unchecked(request);
  }
  session_->compile();
}

void CheckedJob::open_unchecked(const Request& request) {
  model_.emplace(request.model);
  inputs_.emplace(request.inputs, *model_, session_->threads());
  session_->describe(workload_of(*model_, *inputs_, request));
}

void CheckedJob::end() {
  session_.reset();
  inputs_.reset();
  model_.reset();
  context_.reset();
  heartbeat_.reset();
}

}  // namespace parconv::bench
