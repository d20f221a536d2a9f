// The data of a run: which data set gives which input of the model.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "options.hpp"
#include "parconv/io/hdf5_source.hpp"
#include "parconv/io/onnx_reader.hpp"

namespace parconv::app {

/// How much there is of the data of all inputs together.
struct DataSize {
  index_t samples = 0;
  index_t elems_per_sample = 0;
};

/// The data sets of all inputs of a model, open. Local.
class Inputs {
 public:
  /// Finds the data of each input: the file that --input names; else, for the first input without one, INPUT; for the others, the
  /// data sets of INPUT that are called as they are. Throws Error(Usage) for options that name no input, Error(InputMissing) for
  /// files that are not there, and Error(BadData) for an input without data or numbers of samples that differ.
  Inputs(const RunOptions& options, const OnnxModel& model);

  /// One for each input of the network, in its order.
  std::vector<DataSource*> sources();

  DataSize size() const;
  /// The dimensions for read_network, with another number of samples.
  std::vector<InputDims> dims(index_t samples) const;
  /// Of the first input.
  int ndims() const { return data_.front().ndims(); }

  /// "FILE.h5:/x"; of several inputs "image=FILE.h5:/x, mask=OTHER.h5:/m".
  std::string names() const;
  /// The extents of all data, for comparing what ranks see.
  std::string extents() const;

 private:
  std::vector<ModelInput> inputs_;
  std::vector<Hdf5Source> data_{};
};

}  // namespace parconv::app
