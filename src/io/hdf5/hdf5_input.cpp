// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/hdf5_input.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>

#include "io/file_errors.hpp"
#include "io/hdf5/hdf5_types.hpp"
#include "parconv/core/checked.hpp"

namespace parconv::hdf5 {
namespace {

namespace fs = std::filesystem;

constexpr const char* types_hint = "Store the data as f32, f64, f16, u8, i8, u16 or i16.";

bool is_usable_rank(std::size_t rank) { return rank >= 2 && rank <= 5; }

/// The two ways in which HDF5 keeps readers away from a writer: locks of the file, and marks that a writer leaves in it.
void throw_if_in_use(const std::string& path, const StackTop& top) {
  if (top.message.find("unable to lock") != std::string::npos)
    throw Error(ExitCode::BadData, concat(path, " is locked by another program (", std::strerror(top.call.error), ")"),
                "Wait until that program has closed it. parconv itself takes no lock unless HDF5_USE_FILE_LOCKING asks for it: "
                "HDF5_USE_FILE_LOCKING=FALSE reads without.");
  if (top.message.find("already open for") != std::string::npos)
    throw Error(ExitCode::BadData,
                concat(path, " is marked as open for writing: by a program that still runs, or that ended without closing it"),
                concat("Wait until that program has closed it. If none runs: h5clear -s ", path,
                       ". HDF5_USE_FILE_LOCKING does not change these marks."));
}

/// Throws unless the process may read `path` as a regular file.
void expect_readable_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && (errno == ENOENT || errno == ENOTDIR))
    throw Error(ExitCode::InputMissing, concat("the input file ", path, " does not exist"),
                "Check the name; FILE.h5:/path names a data set in a file.");
  if (descriptor < 0) throw opening_error(path, errno);
  ::close(descriptor);
  std::error_code error;
  if (fs::is_directory(path, error)) throw Error(ExitCode::InputMissing, concat(path, " is a directory, not an HDF5 file"));
}

std::vector<index_t> dims_of(hid_t dataset, const Attempt& attempt) {
  const Handle space(H5Dget_space(dataset), &H5Sclose, attempt);
  const int rank = check(H5Sget_simple_extent_ndims(space.get()), attempt);
  std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
  check(H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr), attempt);
  std::vector<index_t> dims;
  for (hsize_t size : sizes) {
    if (size > static_cast<hsize_t>(std::numeric_limits<index_t>::max()))
      throw Error(ExitCode::BadData, concat(attempt.object, " has an axis of ", size, " elements, more than 2^63 - 1"));
    dims.push_back(static_cast<index_t>(size));
  }
  return dims;
}

/// Appends the visited object if it is a dataset. A template over HDF5's versioned `Info` types.
template <class Info>
herr_t add_dataset_name(hid_t, const char* name, const Info* info, void* names) {
  if (info->type == H5O_TYPE_DATASET) static_cast<std::vector<std::string>*>(names)->emplace_back(concat("/", name));
  return 0;
}

Hdf5DatasetInfo info_of(hid_t file, const std::string& path) {
  const Attempt attempt{.action = "look at data set", .object = path, .code = ExitCode::BadData};
  const Handle dataset(H5Dopen2(file, path.c_str(), H5P_DEFAULT), &H5Dclose, attempt);
  const Handle type(H5Dget_type(dataset.get()), &H5Tclose, attempt);
  return {.path = path,
          .dims = dims_of(dataset.get(), attempt),
          .type = describe_type(type.get()),
          .is_numeric = is_numeric(type.get())};
}

std::string describe(const Hdf5DatasetInfo& info) {
  std::string text = concat(info.path, " (");
  for (std::size_t k = 0; k < info.dims.size(); ++k) text += concat(k == 0 ? "" : "x", info.dims[k]);
  return text + (info.dims.empty() ? "scalar, " : ", ") + info.type + ")";
}

std::string describe(const std::vector<Hdf5DatasetInfo>& infos) {
  std::string text;
  for (const Hdf5DatasetInfo& info : infos) text += (text.empty() ? "" : ", ") + describe(info);
  return text.empty() ? "no data sets" : text;
}

std::string only_numeric_dataset(hid_t file, const std::string& file_name) {
  const std::vector<Hdf5DatasetInfo> all = list_datasets(file);
  std::vector<Hdf5DatasetInfo> usable;
  for (const Hdf5DatasetInfo& info : all) {
    if (info.is_numeric && is_usable_rank(info.dims.size())) usable.push_back(info);
  }
  if (usable.size() == 1) return usable.front().path;
  if (usable.empty())
    throw Error(ExitCode::BadData, concat(file_name, " has no numeric data set with 2 to 5 axes; it has ", describe(all)),
                types_hint);
  throw Error(ExitCode::BadData, concat(file_name, " has ", usable.size(), " data sets to choose from: ", describe(usable)),
              concat("Name one of them, for example ", file_name, ":", usable.front().path));
}

/// Link callback that rejects external links and records that one was found. Parameters as HDF5 wants them.
// NOLINTNEXTLINE(readability-function-size)
herr_t refuse_external_link(const char*, const char*, const char*, const char*, unsigned*, hid_t, void* has_external_link) {
  *static_cast<bool*>(has_external_link) = true;
  return -1;
}

Handle open_object(hid_t file, const std::string& path, const std::string& name) {
  bool has_external_link = false;
  const Attempt opening{.action = "open data set", .object = name, .code = ExitCode::BadData};
  const Handle access(H5Pcreate(H5P_DATASET_ACCESS), &H5Pclose, opening);
  check(H5Pset_elink_cb(access.get(), &refuse_external_link, &has_external_link), opening);
  const hid_t dataset = H5Dopen2(file, path.c_str(), access.get());
  if (dataset >= 0) return Handle(dataset, &H5Dclose, opening);
  if (has_external_link)
    throw Error(ExitCode::BadData, concat(name, " is an external link to another file; external links are refused"),
                "Name the file that holds the data.");
  const StackTop top = innermost_error();
  if (top.call.error != 0) fail(opening);
  throw Error(ExitCode::BadData, concat(name, " cannot be opened as a data set (HDF5: ", top.message, ")"),
              concat("The file has ", describe(list_datasets(file))));
}

/// Rejects data stored outside the file, and filters outside HDF5.
void expect_plain_storage(hid_t creation, const Attempt& attempt) {
  if (check(H5Pget_layout(creation), attempt) == H5D_VIRTUAL)
    throw Error(ExitCode::BadData, concat(attempt.object, " is a virtual data set; its data is in other files"),
                "Copy it into one file, for example with h5repack.");
  if (check(H5Pget_external_count(creation), attempt) > 0)
    throw Error(ExitCode::BadData, concat(attempt.object, " has external storage; its data is in other files"),
                "Copy it into one file, for example with h5repack.");
  const int num_filters = check(H5Pget_nfilters(creation), attempt);
  for (int k = 0; k < num_filters; ++k) {
    std::size_t num_values = 0;
    const H5Z_filter_t filter =
        check(H5Pget_filter2(creation, static_cast<unsigned>(k), nullptr, &num_values, nullptr, 0, nullptr, nullptr), attempt);
    if (filter >= H5Z_FILTER_RESERVED || H5Zfilter_avail(filter) <= 0)
      throw Error(ExitCode::BadData,
                  concat(attempt.object, " is compressed with filter ", filter, ", which HDF5 does not include"),
                  "Store it uncompressed or with gzip: h5repack -f GZIP=1 IN.h5 OUT.h5");
  }
}

/// Reopens the dataset with a chunk cache: one compressed chunk, so that it is decompressed once for all hyperslabs; none for
/// uncompressed chunks, which are read in place.
Handle with_chunk_cache(const InputDataset& input, const std::string& path, bool is_filtered, const Attempt& attempt) {
  constexpr index_t max_cache_bytes = index_t{1} << 30;
  index_t cache_bytes = is_filtered ? static_cast<index_t>(size_of(input.dtype)) : 0;
  for (index_t extent : input.chunk) cache_bytes *= extent;  // HDF5 limits chunks to 4 GiB
  const Handle access(H5Pcreate(H5P_DATASET_ACCESS), &H5Pclose, attempt);
  check(H5Pset_chunk_cache(access.get(), 101, static_cast<std::size_t>(std::min(cache_bytes, max_cache_bytes)), 1.0), attempt);
  return Handle(H5Dopen2(input.file.get(), path.c_str(), access.get()), &H5Dclose, attempt);
}

std::vector<index_t> chunk_of(hid_t creation, std::size_t rank, const Attempt& attempt) {
  if (H5Pget_layout(creation) != H5D_CHUNKED) return {};
  std::vector<hsize_t> sizes(rank);
  check(H5Pget_chunk(creation, static_cast<int>(rank), sizes.data()), attempt);
  return {sizes.begin(), sizes.end()};
}

void expect_usable_dims(const InputDataset& input) {
  if (!is_usable_rank(input.dims.size()))
    throw Error(ExitCode::BadData, concat(input.name, " has ", input.dims.size(), " axes; an input has 2 to 5"));
  for (index_t dim : input.dims) {
    if (dim == 0) throw Error(ExitCode::BadData, concat(input.name, " has an axis of size 0"));
  }
  // An element takes 4 bytes in memory and at most 8 in the file.
  checked_mul(checked_product(input.dims, "elements of the input"), 8, "bytes of the input");
}

DType dtype_of(hid_t type, const std::string& name) {
  const std::optional<DType> dtype = readable_dtype(type);
  if (!dtype) throw Error(ExitCode::BadData, concat(name, " holds elements of type ", describe_type(type)), types_hint);
  return *dtype;
}

std::string read_string(hid_t attribute, const Attempt& attempt) {
  const Handle type(H5Aget_type(attribute), &H5Tclose, attempt);
  const Handle space(H5Aget_space(attribute), &H5Sclose, attempt);
  if (H5Tget_class(type.get()) != H5T_STRING || H5Sget_simple_extent_npoints(space.get()) != 1)
    throw Error(ExitCode::BadData, concat("the attribute 'layout' of ", attempt.object, " is not a single string"));
  if (check(H5Tis_variable_str(type.get()), attempt) > 0) {
    char* text = nullptr;
    check(H5Aread(attribute, type.get(), &text), attempt);
    std::string result = text == nullptr ? "" : text;
    H5free_memory(text);
    return result;
  }
  std::string text(H5Tget_size(type.get()), '\0');
  check(H5Aread(attribute, type.get(), text.data()), attempt);
  text.resize(std::strlen(text.c_str()));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::string layout_attribute(hid_t dataset, const Attempt& attempt) {
  if (check(H5Aexists(dataset, "layout"), attempt) == 0) return {};
  const Handle attribute(H5Aopen(dataset, "layout", H5P_DEFAULT), &H5Aclose, attempt);
  return read_string(attribute.get(), attempt);
}

}  // namespace

InputPath split_input_path(const std::string& text) {
  std::error_code error;
  const std::size_t colon = text.rfind(":/");
  if (colon == std::string::npos || fs::exists(text, error)) return {.file = text, .dataset = {}};
  return {.file = text.substr(0, colon), .dataset = text.substr(colon + 1)};
}

/// Without file locks, which many cluster file systems lack and read-only access does not need. Without a sieve buffer: for
/// every shorter run it would read 64 KiB, which halves the speed of column cuts; `widened` decides on reading across gaps.
Handle reading_access(const Attempt& opening) {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), &H5Pclose, opening);
  check(H5Pset_fapl_sec2(access.get()), opening);
  check(H5Pset_sieve_buf_size(access.get(), 0), opening);
#if H5_VERSION_GE(1, 10, 7) && !(H5_VERS_MAJOR == 1 && H5_VERS_MINOR == 12 && H5_VERS_RELEASE < 1)
  check(H5Pset_file_locking(access.get(), false, true), opening);
#endif
  return access;
}

Handle open_input_file(const std::string& path) {
  silence_errors();
  expect_readable_file(path);
  const Attempt opening{.action = "open", .object = path, .code = ExitCode::BadData};
  const Handle access = reading_access(opening);
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get());
  if (file >= 0) return Handle(file, &H5Fclose, opening);
  const StackTop top = innermost_error();
  throw_if_in_use(path, top);
  const bool is_found = top.call.error == 0 || !top.call.offset.empty();
  if (!is_found) throw opening_error(path, top.call.error);
  if (top.call.error != 0) fail(opening);
  throw Error(ExitCode::BadData, concat(path, " is not a complete HDF5 file (HDF5: ", top.message, ")"),
              "Check that it was written to its end, for example with h5ls.");
}

std::vector<Hdf5DatasetInfo> list_datasets(hid_t file) {
  std::vector<std::string> names;
  const Attempt listing{.action = "list", .object = "the data sets of a file", .code = ExitCode::BadData};
  check(H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, &add_dataset_name, &names, H5O_INFO_BASIC), listing);
  std::vector<Hdf5DatasetInfo> infos;
  for (const std::string& name : names) infos.push_back(info_of(file, name));
  return infos;
}

InputDataset open_input_dataset(const InputPath& path) {
  InputDataset input;
  input.file = open_input_file(path.file);
  const std::string dataset = path.dataset.empty() ? only_numeric_dataset(input.file.get(), path.file) : path.dataset;
  input.path = path.file;
  input.name = concat(path.file, ":", dataset);
  input.dataset = open_object(input.file.get(), dataset, input.name);

  const Attempt attempt{.action = "look at data set", .object = input.name, .code = ExitCode::BadData};
  const Handle type(H5Dget_type(input.dataset.get()), &H5Tclose, attempt);
  const Handle creation(H5Dget_create_plist(input.dataset.get()), &H5Pclose, attempt);
  input.dtype = dtype_of(type.get(), input.name);
  input.memory_type = native_type(input.dtype);
  input.dims = dims_of(input.dataset.get(), attempt);
  expect_usable_dims(input);
  expect_plain_storage(creation.get(), attempt);
  input.chunk = chunk_of(creation.get(), input.dims.size(), attempt);
  input.layout = layout_attribute(input.dataset.get(), attempt);
  if (!input.chunk.empty()) input.dataset = with_chunk_cache(input, dataset, H5Pget_nfilters(creation.get()) > 0, attempt);
  return input;
}

}  // namespace parconv::hdf5
