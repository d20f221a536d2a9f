// SPDX-License-Identifier: Apache-2.0
// Output to one HDF5 file shared by all ranks.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "parconv/comm/control.hpp"
#include "parconv/io/data_sink.hpp"
#include "parconv/io/resume/resume_record.hpp"

namespace parconv {

/// Origin of a result, stored verbatim with it.
struct Provenance {
  std::string command{};
  std::string plan_json{};
  std::string model_sha256{};
  std::string input_path{};
  int mpi_size = 1;
  std::string git_rev{};
  std::string libs{};
  std::string started{};
  std::string job{};       ///< identifies the results: see finished_job
  std::string finished{};  ///< known at the end: see Hdf5Sink::finish
};

struct Hdf5SinkOptions {
  /// Final name of the file.
  std::string path{};
  /// The incomplete file is named PATH.partial-JOB_ID. An existing file of that name is overwritten.
  std::string job_id{};
  /// Dataset name. Invalid names, and those of an axis, are modified (see Hdf5Sink::dataset_path).
  std::string name = "output";
  Extents extents{};
  /// Of the stored elements: one of those of round_numbers.
  DType type = DType::F32;
  /// ONNX rank, 1 to 5.
  int ndims = 4;
  Provenance provenance{};
  /// Whether publishing may replace an existing file.
  bool replaces_existing = false;
  /// One writes while the others, up to three, convert and hash.
  int threads = 1;
};

/// The partial file of an earlier job, to go on with.
struct ResumedFile {
  const RecordedFile& file;
  std::span<const BlockRecord> blocks{};  ///< that were written
};

/// Provenance::job of a complete output; empty if there is no such file or it is not one of parconv. Local.
std::string finished_job(const std::string& path);

/// Extents of an output's storage blocks: 1 to 16 MiB of f32 each, independent of the number of ranks. Samples of at most 1 MiB
/// are one block each. In larger ones a block holds as many whole rows (slices in 3-D) of all channels as fit 1/64 of a sample,
/// clamped to 1 to 16 MiB. Only a row of more than 16 MiB is divided, by channels first. Ranks split along n, or along h (d in
/// 3-D) at multiples of the block, write whole blocks.
/// Example: 1x64x4096x4096 is stored in blocks of 64 channels x 16 rows x 4096 columns.
Extents output_chunk(const Extents& extents, int ndims);

/// A DataSink that writes an HDF5 file readable by h5py, xarray (h5netcdf) and ncdump, with the layout
///   /output/NAME        the tensor in ONNX order, with attribute layout ("NCHW") and a dimension scale per axis
///   /output/n,c,z,y,x   the scales
///   /provenance         attributes
///   /integrity/blocks   first index, extents, xxh64 and state (1: written) of every block; attribute `complete` = 1 once
///                       all blocks have been read back
///
/// The file is written under a temporary name, verified, then renamed, so readers see a complete file or none.
///
/// Rank 0 alone writes by HDF5: the metadata before the first element, and the rest at the end. In between, HDF5 does not have
/// the file open, and all ranks write elements by system calls. A write that fails is therefore an error of its rank alone.
///
/// After an error, only `abandon` may be called.
class Hdf5Sink : public DataSink {
 public:
  /// Creates the file and reserves its disk space. Collective. The options are the same on all ranks except the provenance,
  /// which is that of rank 0. `control` must outlive the sink. Throws the same JobError on all ranks, leaving no file:
  /// CannotCreate if the name exists or the folder is not writable (or not shared by all hosts), Io if the disk lacks space.
  Hdf5Sink(Control& control, const Hdf5SinkOptions& options);
  /// Goes on with a partial file. Collective. Everything but its elements is restored to what it was after its creation, and the
  /// recorded blocks are read and compared with their hashes. Options, file and blocks are the same on all ranks. Throws the same
  /// JobError on all ranks and leaves the partial file: CannotCreate if the name exists, Io if blocks differ from their records.
  Hdf5Sink(Control& control, const Hdf5SinkOptions& options, const ResumedFile& resumed);
  ~Hdf5Sink() override;
  Hdf5Sink(const Hdf5Sink&) = delete;
  Hdf5Sink& operator=(const Hdf5Sink&) = delete;

  Extents extents() const override;
  Extents chunk() const override;
  /// Throws Error(Io) on this rank, with the operating system's words.
  void write(const Box& box, ConstView src) override;

  /// Completes the file: writes the block records, reads every block back, syncs to disk and renames. Collective. `finished` is
  /// added to the provenance. Precondition: all ranks together have written every element once. Throws the same JobError(Io) on
  /// all ranks.
  void finish(const std::string& finished);

  /// Syncs all data to disk. Collective. Throws the same JobError(Io) on all ranks.
  void sync();
  /// The partial file as it is before any element is written. Collective; the value is that of rank 0.
  RecordedFile recorded_file();
  /// This rank's blocks of samples before `samples` that no call returned before, and that were not resumed. Local.
  std::vector<BlockRecord> take_blocks(index_t samples);
  /// Closes the file, which stays under its partial name. Collective. Only destruction may follow. Throws JobError(Io).
  void suspend();

  /// Removes the partial file, on rank 0. Local; valid after errors. No-op after finish.
  void abandon() noexcept;

  const std::string& partial_path() const;
  /// "/output/NAME".
  std::string dataset_path() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace parconv
