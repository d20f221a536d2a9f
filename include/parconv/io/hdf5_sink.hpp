// Output data in one HDF5 file that all ranks write.
#pragma once

#include <memory>
#include <string>

#include "parconv/comm/control.hpp"
#include "parconv/io/data_sink.hpp"

namespace parconv {

/// How a result came about; stored with it as it is.
struct Provenance {
  std::string command{};
  std::string plan_json{};
  std::string model_sha256{};
  std::string input_path{};
  int mpi_size = 1;
  std::string git_rev{};
  std::string libs{};
  std::string started{};
  std::string finished{};  ///< known last: see Hdf5Sink::finish
};

struct Hdf5SinkOptions {
  /// The name that the complete file gets.
  std::string path{};
  /// Until then it is called PATH.partial-JOB_ID. A leftover of the same name is overwritten.
  std::string job_id{};
  /// Name of the data set. What cannot be one, or names an axis, is changed (see Hdf5Sink::dataset_path).
  std::string name = "output";
  Extents extents{};
  /// ONNX rank, 1 to 5.
  int ndims = 4;
  Provenance provenance{};
  /// Replace an existing file at the end.
  bool replaces_existing = false;
};

/// Storage blocks of an output: 1 to 16 MiB of f32, whole samples if these are not larger than 1 MiB, else as many whole rows
/// (slices in 3-D) of all channels as fit 1/64 of a sample, but at least 1 and at most 16 MiB. Only if one row of all channels is
/// larger than 16 MiB, it is divided, by channels first. Ranks that cut n, or h (d in 3-D) at multiples, get whole blocks. Does
/// not depend on the number of ranks. Example: 1x64x4096x4096 is stored in blocks of 64 channels x 16 rows x 4096 columns.
Extents output_chunk(const Extents& extents, int ndims);

/// A file of this layout, which h5py, xarray (h5netcdf) and ncdump open:
///   /output/NAME        the tensor as f32 in ONNX order, with attribute layout ("NCHW") and a dimension scale per axis
///   /output/n,c,z,y,x   the scales
///   /provenance         attributes
///   /integrity/blocks   first index, extents, xxh64 and state (1: written) of every block; attribute `complete` = 1 after all
///   were read back
/// A reader sees a complete file under its name or none: the file is written under another name, verified, then renamed.
///
/// After an error, nothing but `abandon` may be called. Open HDF5 files of a failed job are never closed, in the destructor
/// neither: closing is collective, and on a full disk it hangs. The job then ends without MPI_Finalize (MpiEnvironment::abort).
class Hdf5Sink : public DataSink {
 public:
  /// Creates the file and reserves its disk space. Collective; options are the same on all ranks but for the provenance, which
  /// rank 0 gives. `control` must live longer. Throws the same JobError on all ranks, and leaves no file then: CannotCreate if
  /// the name is taken or the folder not writable (or not shared by all hosts), Io if the disk has not enough space.
  Hdf5Sink(Control& control, const Hdf5SinkOptions& options);
  ~Hdf5Sink() override;
  Hdf5Sink(const Hdf5Sink&) = delete;
  Hdf5Sink& operator=(const Hdf5Sink&) = delete;

  Extents extents() const override;
  Extents chunk() const override;
  void write(const Box& box, ConstView src) override;

  /// Completes the file: block records, read-back of every block, sync to disk, final name. Collective. `finished` goes to the
  /// provenance. Precondition: all ranks together have written every element once. Throws the same JobError(Io) on all ranks.
  void finish(const std::string& finished);

  /// Gives up: rank 0 removes the partial file. Local; after errors, too. Does nothing after finish.
  void abandon() noexcept;

  const std::string& partial_path() const;
  /// "/output/NAME".
  std::string dataset_path() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parconv
