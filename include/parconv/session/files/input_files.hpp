// SPDX-License-Identifier: Apache-2.0
// HDF5 data sets for the inputs of a model.
#pragma once

#include <string>
#include <vector>

#include "parconv/io/hdf5/hdf5_source.hpp"
#include "parconv/io/onnx/onnx_reader.hpp"
#include "parconv/io/read_files.hpp"
#include "parconv/session/request.hpp"
#include "parconv/session/workload.hpp"

namespace parconv {

/// The data sets of all inputs of a model, open. Local.
class InputFiles {
 public:
  /// Finds the data of each input: the file named in `request.files`; else, for the first input without one, `request.file`; for
  /// the others, the data sets of `request.file` with their names. Throws Error(Usage) for a value for an unknown input,
  /// Error(InputMissing) for a missing file, and Error(BadData) for an input without data or different numbers of samples.
  /// The data are read by `threads`.
  InputFiles(const InputRequest& request, const OnnxModel& model, int threads = 1);

  /// One source per input of the network, in its order.
  std::vector<DataSource*> sources();
  /// The file of each input.
  std::vector<NamedFile> files() const;
  /// Adds the files to `watched`, and returns what the ranks of a job must have in common: shapes, element types and sampled
  /// contents. Paths may differ: hosts may have copies. Throws Error(InputMissing, BadData or Io).
  std::vector<Fact> watch(ReadFiles& watched) const;

  /// The dimensions for read_network, with another number of samples.
  std::vector<InputDims> dims(index_t samples) const;

  /// "FILE.h5:/x"; of several inputs "image=FILE.h5:/x, mask=OTHER.h5:/m".
  std::string names() const;

 private:
  std::vector<ModelInput> inputs_;
  std::vector<Hdf5Source> data_{};
};

/// The workload of a model and its input files, of the request's name and treatment of sizes that do not fit. Local. Model and
/// files must outlive the result.
Workload workload_of(const OnnxModel& model, InputFiles& files, const Request& request);

}  // namespace parconv
