// SPDX-License-Identifier: Apache-2.0
// The model and the input files of a session, which stay what they were when they were opened.
#pragma once

#include <optional>
#include <vector>

#include "parconv/comm/agreement.hpp"
#include "parconv/io/onnx/onnx_model.hpp"
#include "parconv/io/read_files.hpp"
#include "parconv/session/files/input_files.hpp"
#include "parconv/session/job/job_context.hpp"
#include "parconv/session/request.hpp"

namespace parconv {

/// Open files, empty for a workload that comes from elsewhere. All methods but open_model are local.
class OpenFiles {
 public:
  /// Opens the model and watches it and the files of its weights from now on. Returns their contents, in which ranks must agree.
  /// Collective. Throws JobError(InputMissing, BadData or Io).
  std::vector<Fact> open_model(JobContext& job, const Request& request);
  /// The same of the inputs. Precondition: the model is open.
  std::vector<Fact> open_inputs(const Request& request, int threads);
  /// Model and inputs as a workload, which references them.
  Workload workload(const Request& request);

  /// The contents of all files, which results depend on.
  const std::vector<Fact>& facts() const { return facts_; }
  std::vector<NamedFile> names() const { return watched_.files(); }

  /// Weights are read by name, after the contents were compared. Throws Error(BadData) if a name has come to mean another file.
  void expect_weights_in_place() const;
  /// Throws Error(BadData) if a file has changed.
  void expect_unchanged() const { watched_.expect_unchanged(); }

 private:
  std::vector<Fact> note(std::vector<Fact> facts);

  ReadFiles watched_{};
  std::vector<Fact> facts_{};
  std::optional<OnnxModel> model_{};
  std::optional<InputFiles> inputs_{};
};

}  // namespace parconv
