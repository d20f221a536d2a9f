// SPDX-License-Identifier: Apache-2.0
// A job as parconv_app runs it, or without its checks.
#pragma once

#include <memory>
#include <optional>

#include "parconv/comm/heartbeat/heartbeat.hpp"
#include "parconv/io/onnx/onnx_model.hpp"
#include "parconv/session/files/input_files.hpp"
#include "parconv/session/job/job_context.hpp"
#include "parconv/session/session.hpp"

namespace parconv::bench {

enum class Checks { On, Off };

/// Compiled when it is constructed. Collective. With checks: heartbeats, deadlines, a hook for requests to stop, agreement on the
/// request and on the contents of all files, which are watched, and progress that is kept (by a record that does nothing: what a
/// record costs is measured apart). Without them: a session on data that it did not open. Both prove the programs, compare the
/// plan and check the memory: the session does this for all its users.
class CheckedJob {
 public:
  CheckedJob(const MpiEnvironment& environment, const Request& request, Checks checks);

  JobContext& context() { return *context_; }
  Session& session() { return *session_; }
  /// Ends the session and the job. Collective.
  void end();

 private:
  void open_unchecked(const Request& request);

  std::optional<Heartbeat> heartbeat_{};
  std::unique_ptr<JobContext> context_{};
  std::optional<OnnxModel> model_{};
  std::optional<InputFiles> inputs_{};
  std::optional<Session> session_{};
};

}  // namespace parconv::bench
