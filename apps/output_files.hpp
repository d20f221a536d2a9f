// The HDF5 files of a run, one for each output of the network.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app_job.hpp"
#include "parconv/io/hdf5_sink.hpp"
#include "run_setup.hpp"

namespace parconv::app {

class OutputFiles {
 public:
  /// Creates all files; `input_names` goes to the provenance. Collective.
  OutputFiles(AppJob& job, const RunOptions& options, const RunSetup& setup, const std::string& input_names);

  std::vector<DataSink*> sinks() const;
  /// Completes and renames all files, that of the first output last. Collective.
  void finish();
  /// Path and data set of each output.
  const std::vector<std::string>& names() const { return names_; }

 private:
  AppJob& job_;
  std::vector<std::unique_ptr<Hdf5Sink>> files_{};
  std::vector<std::string> names_{};
  double extra_seconds_ = 0;  // large files take time to reserve and to read back
};

}  // namespace parconv::app
