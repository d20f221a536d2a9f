// SPDX-License-Identifier: Apache-2.0
// Input from HDF5 files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "parconv/io/data_source.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv {

/// Interpretation of a dataset.
struct Hdf5SourceOptions {
  /// One letter of N, C, D, H, W per axis of the dataset, slowest first, in any order; absent axes have extent 1. If empty: the
  /// dataset's string attribute `layout`, else NCW, NCHW or NCDHW by its rank.
  std::string layout{};
  /// Fallback for a dataset of the same rank without `layout`: "NC" for models whose input is a matrix.
  std::string default_layout{};
  /// Mean and standard deviation have one value per channel of the dataset, a single value, or none.
  InputScaling scaling{};
  /// Upper bound on the memory for reading of each thread, in addition to the destination.
  std::size_t staging_bytes = std::size_t{1} << 20;
  /// Threads that read and convert. A contiguous dataset is read by all of them, another one by the calling thread while the
  /// others, up to three, convert.
  int threads = 1;
};

/// An HDF5 dataset of rank 2 to 5 with elements f32, f64, f16, u8, i8, u16 or i16 in either byte order, contiguous or chunked,
/// optionally compressed with HDF5's built-in filters. Each rank opens the file independently and reads only the boxes it
/// requests. HDF5 locates the elements of a contiguous dataset in native byte order, and pread reads them. Not thread-safe: as
/// HDF5 is not, a process may use HDF5 files from one thread only.
class Hdf5Source : public DataSource {
 public:
  /// Opens "FILE.h5" or "FILE.h5:/path/of/dataset"; without a path, the only numeric dataset of rank 2 to 5. Local. Throws
  /// Error(InputMissing) if the file cannot be opened, and Error(BadData) for unusable content: not an HDF5 file or a truncated
  /// one, an ambiguous dataset, an unsupported rank, type, size or layout, or data stored outside the file.
  explicit Hdf5Source(const std::string& path, const Hdf5SourceOptions& options = {});
  Hdf5Source(Hdf5Source&&) noexcept;
  Hdf5Source& operator=(Hdf5Source&&) noexcept;
  ~Hdf5Source() override;

  Extents extents() const override;
  int ndims() const override;
  /// Reads across gaps of at most 4 KiB in a contiguous dataset, up to 8 times the requested elements, since that is faster.
  void read(const Box& box, View dst) override;

  /// Element type in the file.
  DType dtype() const;
  /// The file that was opened.
  const std::string& file() const;
  /// "FILE.h5:/path" with the resolved path.
  const std::string& name() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Description of a dataset, for messages and inspection.
struct Hdf5DatasetInfo {
  std::string path{};
  std::vector<index_t> dims{};
  std::string type{};       ///< "32-bit float", "compound", ...
  bool is_numeric = false;  ///< integers or floating-point values
};

/// All datasets of an HDF5 file, ordered by name. Local. Throws Error(InputMissing or BadData).
std::vector<Hdf5DatasetInfo> list_hdf5_datasets(const std::string& file);

}  // namespace parconv
