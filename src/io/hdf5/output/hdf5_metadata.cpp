// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5/output/hdf5_metadata.hpp"

#include <exception>
#include <vector>

namespace parconv::hdf5 {
namespace {

constexpr Attempt reading{.action = "read back", .object = "the output's metadata", .code = ExitCode::Io};

/// Elements of a type and a space in memory. Variable-length parts are freed with it.
class Elements {
 public:
  Elements(hid_t type, hid_t space)
      : type_(type), space_(space), size_(check(H5Sget_simple_extent_npoints(space), reading)), elem_bytes_(H5Tget_size(type)) {
    bytes_.resize(static_cast<std::size_t>(size_) * elem_bytes_);
  }
  ~Elements() { H5Dvlen_reclaim(type_, space_, H5P_DEFAULT, bytes_.data()); }
  Elements(const Elements&) = delete;
  Elements& operator=(const Elements&) = delete;

  void* data() { return bytes_.data(); }

  std::string text() const {
    std::string result;
    for (hssize_t k = 0; k < size_; ++k) add(type_, bytes_.data() + static_cast<std::size_t>(k) * elem_bytes_, result);
    return result;
  }

 private:
  /// Pointers are followed, other bytes taken as they are.
  static void add(hid_t type, const char* at, std::string& result) {
    if (check(H5Tis_variable_str(type), reading) > 0) {
      const char* const text = *reinterpret_cast<const char* const*>(at);
      result += concat(text == nullptr ? "" : text, '\0');
      return;
    }
    if (H5Tget_class(type) != H5T_VLEN) {
      result.append(at, H5Tget_size(type));
      return;
    }
    const auto& list = *reinterpret_cast<const hvl_t*>(at);
    const Handle inner(H5Tget_super(type), &H5Tclose, reading);
    result += concat(list.len, " of ");
    for (std::size_t k = 0; k < list.len; ++k)
      add(inner.get(), static_cast<const char*>(list.p) + k * H5Tget_size(inner.get()), result);
  }

  hid_t type_;
  hid_t space_;
  hssize_t size_;
  std::size_t elem_bytes_;
  std::vector<char> bytes_{};
};

/// The shape, then the elements.
template <class Read>
std::string elements_text(hid_t type, hid_t space, Read&& read) {
  std::vector<hsize_t> dims(static_cast<std::size_t>(check(H5Sget_simple_extent_ndims(space), reading)));
  check(H5Sget_simple_extent_dims(space, dims.data(), nullptr), reading);
  std::string text = concat(static_cast<int>(H5Tget_class(type)), ' ', H5Tget_size(type));
  for (const hsize_t dim : dims) text += concat(" x ", dim);
  Elements elements(type, space);
  check(read(elements.data()), reading);
  return concat(text, ": ", elements.text(), '\n');
}

std::string attribute_text(hid_t object, const char* name) {
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), &H5Aclose, reading);
  const Handle type(H5Aget_type(attribute.get()), &H5Tclose, reading), space(H5Aget_space(attribute.get()), &H5Sclose, reading);
  const auto read = [&](void* to) { return H5Aread(attribute.get(), type.get(), to); };
  return concat("  @", name, ' ', elements_text(type.get(), space.get(), read));
}

std::string dataset_text(hid_t dataset, bool reads) {
  const Handle type(H5Dget_type(dataset), &H5Tclose, reading), space(H5Dget_space(dataset), &H5Sclose, reading);
  const auto read = [&](void* to) { return H5Dread(dataset, type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, to); };
  if (reads) return concat("  ", elements_text(type.get(), space.get(), read));
  return concat("  ", H5Dget_storage_size(dataset), " bytes\n");
}

/// Runs `work` inside a callback of HDF5: exceptions must not pass through C.
template <class Work>
herr_t in_callback(std::exception_ptr& failure, Work&& work) {
  try {
    work();
    return 0;
  } catch (...) {
    failure = std::current_exception();
    return -1;
  }
}

struct Walk {
  std::string tensor{};
  std::string text{};
  std::exception_ptr failure{};
};

herr_t add_attribute(hid_t object, const char* name, const H5A_info_t*, void* data) {
  Walk& walk = *static_cast<Walk*>(data);
  return in_callback(walk.failure, [&] { walk.text += attribute_text(object, name); });
}

void add_object(hid_t parent, const char* name, Walk& walk) {
  const Handle object(H5Oopen(parent, name, H5P_DEFAULT), &H5Oclose, reading);
  walk.text += concat(name, '\n');
  if (H5Iget_type(object.get()) == H5I_DATASET) walk.text += dataset_text(object.get(), name != walk.tensor);
  const herr_t status = H5Aiterate2(object.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, &add_attribute, &walk);
  if (walk.failure) std::rethrow_exception(walk.failure);
  check(status, reading);
}

template <class Info>
herr_t visit_object(hid_t file, const char* name, const Info*, void* data) {
  Walk& walk = *static_cast<Walk*>(data);
  return in_callback(walk.failure, [&] { add_object(file, name, walk); });
}

}  // namespace

std::string metadata_of(hid_t file, const std::string& tensor) {
  Walk walk{.tensor = tensor};
  const herr_t status = H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, &visit_object, &walk, H5O_INFO_BASIC);
  if (walk.failure) std::rethrow_exception(walk.failure);
  check(status, reading);
  return walk.text;
}

}  // namespace parconv::hdf5
