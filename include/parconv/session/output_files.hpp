// SPDX-License-Identifier: Apache-2.0
// The HDF5 files of a run, one for each output of the network.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "parconv/io/hdf5/hdf5_sink.hpp"
#include "parconv/session/job_context.hpp"
#include "parconv/session/request.hpp"
#include "parconv/session/setup.hpp"

namespace parconv {

/// The output files of a job, from creation to the final rename.
class OutputFiles {
 public:
  /// Contents of the files. `provenance` is called on rank 0 and returns the application's part: command, digest of the model,
  /// versions, inputs. Plan, ranks and times are added to it.
  struct Contents {
    const Request& request;
    const Setup& setup;
    std::function<Provenance()> provenance{};
    int threads = 1;  ///< that convert and write
  };

  /// Creates all files and reserves their space. Collective. Throws JobError(CannotCreate or Io). The job must outlive it.
  OutputFiles(JobContext& job, const Contents& contents);

  /// One sink per output of the network, in its order.
  std::vector<DataSink*> sinks() const;
  /// Completes and renames all files, the first output's last. Collective. Throws JobError(Io).
  void finish();
  /// Path and data set of each output.
  const std::vector<std::string>& names() const { return names_; }

 private:
  JobContext& job_;
  std::vector<std::unique_ptr<Hdf5Sink>> files_{};
  std::vector<std::string> names_{};
  double extra_seconds_ = 0;  // for reserving and reading back large files
};

}  // namespace parconv
