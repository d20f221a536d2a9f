// Input data in HDF5 files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "parconv/io/data_source.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv {

/// How the data of a file is understood.
struct Hdf5SourceOptions {
  /// One letter of N, C, D, H, W per axis of the data set, slowest first, in any order; an axis that is missing has extent 1.
  /// Empty: the string attribute `layout` of the data set, else NCW, NCHW or NCDHW by its rank.
  std::string layout{};
  /// Of a data set of as many axes that says nothing else: "NC" for the vectors of a model that takes such.
  std::string default_layout{};
  /// Mean and standard deviation have one number per channel of the data set, or one for all, or none.
  InputScaling scaling{};
  /// Upper bound of the memory that reading needs besides the destination.
  std::size_t staging_bytes = std::size_t{4} << 20;
};

/// A data set of rank 2 to 5 with elements f32, f64, f16, u8, i8, u16 or i16 in either byte order. Contiguous, or in chunks that
/// may be compressed with the filters of HDF5 itself. Each rank opens the file on its own and reads only the boxes it asks for.
/// Not thread-safe: HDF5 is not, so all HDF5 files of a process are used by one thread.
class Hdf5Source : public DataSource {
 public:
  /// Opens "FILE.h5" or "FILE.h5:/path/of/dataset"; without a path, the only numeric data set of rank 2 to 5. Local. Throws
  /// Error(InputMissing) if the file cannot be opened, and Error(BadData) for anything in it that cannot be used: not a whole
  /// HDF5 file, several data sets to choose from, a wrong rank, type, size or layout, or data that is kept outside the file.
  explicit Hdf5Source(const std::string& path, const Hdf5SourceOptions& options = {});
  Hdf5Source(Hdf5Source&&) noexcept;
  Hdf5Source& operator=(Hdf5Source&&) noexcept;
  ~Hdf5Source() override;

  Extents extents() const override;
  int ndims() const override;
  /// Where that is faster, reads up to 8 times the elements asked for: gaps of at most 4 KiB in a contiguous data set.
  void read(const Box& box, View dst) override;

  /// Element type in the file.
  DType dtype() const;
  /// "FILE.h5:/path", with the path that was found.
  const std::string& name() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One data set of a file, for messages and inspection.
struct Hdf5DatasetInfo {
  std::string path{};
  std::vector<index_t> dims{};
  std::string type{};       ///< "32-bit float", "compound", ...
  bool is_numeric = false;  ///< integers or floating-point numbers
};

/// All data sets of an HDF5 file in the order of their names. Local. Throws Error(InputMissing or BadData).
std::vector<Hdf5DatasetInfo> list_hdf5_datasets(const std::string& file);

}  // namespace parconv
