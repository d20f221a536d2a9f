// SPDX-License-Identifier: Apache-2.0
// Invalid input files and their error messages.
#include <gmock/gmock.h>

#include <fstream>
#include <functional>

#include "io/hdf5/hdf5_test_files.hpp"
#include "parconv/io/hdf5/hdf5_source.hpp"

namespace parconv {
namespace {

using test::must;
using test::TemporaryFolder;
using testing::AllOf;
using testing::HasSubstr;

/// The error on opening `path`; fails the test if there is none.
Error error_of(const std::string& path, const Hdf5SourceOptions& options = {}) {
  try {
    const Hdf5Source source(path, options);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << path << " was opened";
  return Error(ExitCode::Ok, "");
}

void expect_error(const Error& error, ExitCode code, const testing::Matcher<std::string>& message) {
  EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
  EXPECT_THAT(std::string(error.what()) + " " + error.hint(), message);
}

TEST(BadInput, FileThatCannotBeOpened) {
  const TemporaryFolder folder;
  expect_error(error_of(folder / "no.h5"), ExitCode::InputMissing, HasSubstr("no.h5 does not exist"));
  expect_error(error_of(folder / "no.h5:/x"), ExitCode::InputMissing, HasSubstr("no.h5 does not exist"));
  expect_error(error_of(folder / "."), ExitCode::InputMissing, HasSubstr("is a directory"));
}

/// Drops root's permission to read every file, for its lifetime.
class OrdinaryUser {
 public:
  OrdinaryUser() {
    if (::geteuid() == 0) must(::seteuid(65534));
  }
  ~OrdinaryUser() {
    if (::getuid() == 0 && ::seteuid(0) != 0) ADD_FAILURE() << "could not become root again";
  }
};

TEST(BadInput, FileThatMayNotBeRead) {
  const TemporaryFolder folder;
  test::write_h5<float>(folder / "a.h5", "x", {.dims = {1, 1, 1}}, {1});
  std::filesystem::permissions(folder / ".", std::filesystem::perms::all);
  std::filesystem::permissions(folder / "a.h5", std::filesystem::perms::none);
  const OrdinaryUser user;
  expect_error(error_of(folder / "a.h5"), ExitCode::InputMissing, HasSubstr("Permission denied"));
}

TEST(BadInput, FileThatIsNotHdf5) {
  const TemporaryFolder folder;
  std::ofstream(folder / "text.h5") << "not a data file";
  expect_error(error_of(folder / "text.h5"), ExitCode::BadData, HasSubstr("not a complete HDF5 file"));
  std::ofstream(folder / "empty.h5").flush();
  expect_error(error_of(folder / "empty.h5"), ExitCode::BadData, HasSubstr("not a complete HDF5 file"));
}

TEST(BadInput, TruncatedFile) {
  const TemporaryFolder folder;
  test::write_h5(folder / "a.h5", "x", {.dims = {1, 1, 64, 64}}, std::vector<float>(4096));
  std::filesystem::resize_file(folder / "a.h5", 9000);
  expect_error(error_of(folder / "a.h5"), ExitCode::BadData, HasSubstr("truncated file"));
}

TEST(BadInput, DamagedCompressedData) {
  const TemporaryFolder folder;
  test::write_h5(folder / "a.h5", "x", {.dims = {1, 1, 64, 64}, .chunk = {1, 1, 64, 64}, .is_compressed = true},
                 std::vector<float>(4096, 1.5f));
  const auto size = std::filesystem::file_size(folder / "a.h5");
  {
    std::fstream file(folder / "a.h5", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(size) - 20);
    file << "damaged";
  }
  Hdf5Source source(folder / "a.h5");
  test::DenseBlock block(Box::whole(source.extents()));
  try {
    source.read(Box::whole(source.extents()), block.view());
    ADD_FAILURE() << "damaged data was read";
  } catch (const Error& error) {
    expect_error(error, ExitCode::BadData, HasSubstr("cannot read " + folder / "a.h5:/x"));
  }
}

TEST(BadInput, SeveralDatasetsOrNone) {
  const TemporaryFolder folder;
  const hid_t file = test::create_h5(folder / "a.h5");
  must(H5Gclose(must(H5Gcreate2(file, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT))));
  must(H5Fflush(file, H5F_SCOPE_GLOBAL));
  must(H5Fclose(file));
  expect_error(error_of(folder / "a.h5"), ExitCode::BadData, HasSubstr("no data sets"));

  const hid_t two = test::create_h5(folder / "b.h5");
  test::write_dataset<float>(two, "g/first", {.dims = {1, 1, 2}}, {1, 2});
  test::write_dataset<float>(two, "second", {.dims = {1, 1, 2, 1}, .file_type = H5T_STD_U8LE}, {1, 2});
  must(H5Fclose(two));
  expect_error(error_of(folder / "b.h5"), ExitCode::BadData,
               AllOf(HasSubstr("2 data sets"), HasSubstr("/g/first (1x1x2, 32-bit float)"),
                     HasSubstr("/second (1x1x2x1, 8-bit unsigned integer)"), HasSubstr("b.h5:/g/first")));
}

TEST(BadInput, NameThatIsNoDataset) {
  const TemporaryFolder folder;
  test::write_h5<float>(folder / "a.h5", "g/x", {.dims = {1, 1, 2}}, {1, 2});
  expect_error(error_of(folder / "a.h5:/y"), ExitCode::BadData,
               AllOf(HasSubstr("a.h5:/y cannot be opened"), HasSubstr("/g/x (1x1x2, 32-bit float)")));
  expect_error(error_of(folder / "a.h5:/g"), ExitCode::BadData, HasSubstr("a.h5:/g cannot be opened as a data set"));
}

TEST(BadInput, WrongRank) {
  const TemporaryFolder folder;
  test::write_h5<float>(folder / "one.h5", "x", {.dims = {4}}, {1, 2, 3, 4});
  expect_error(error_of(folder / "one.h5:/x"), ExitCode::BadData, HasSubstr("has 1 axes; an input has 2 to 5"));
  expect_error(error_of(folder / "one.h5"), ExitCode::BadData, HasSubstr("it has /x (4, 32-bit float)"));
  test::write_h5<float>(folder / "six.h5", "x", {.dims = {1, 1, 1, 1, 1, 2}}, {1, 2});
  expect_error(error_of(folder / "six.h5:/x"), ExitCode::BadData, HasSubstr("has 6 axes"));
  test::write_h5<float>(folder / "scalar.h5", "x", {}, {1});
  expect_error(error_of(folder / "scalar.h5:/x"), ExitCode::BadData, HasSubstr("has 0 axes"));
  test::write_h5<float>(folder / "two.h5", "x", {.dims = {2, 2}}, {1, 2, 3, 4});
  expect_error(error_of(folder / "two.h5"), ExitCode::BadData,
               AllOf(HasSubstr("2 axes and no layout"), HasSubstr("--layout HW")));
}

TEST(BadInput, WrongType) {
  const TemporaryFolder folder;
  test::write_h5<float>(folder / "a.h5", "x", {.dims = {1, 1, 2}, .file_type = H5T_STD_I32LE}, {1, 2});
  expect_error(error_of(folder / "a.h5"), ExitCode::BadData,
               AllOf(HasSubstr("32-bit signed integer"), HasSubstr("f32, f64, f16, u8, i8, u16 or i16")));
  const hid_t bfloat = must(H5Tcopy(H5T_IEEE_F32LE));
  must(H5Tset_fields(bfloat, 15, 7, 8, 0, 7));
  must(H5Tset_size(bfloat, 2));
  test::write_h5<float>(folder / "b.h5", "x", {.dims = {1, 1, 2}, .file_type = bfloat}, {1, 2});
  expect_error(error_of(folder / "b.h5"), ExitCode::BadData, HasSubstr("16-bit float of unusual format"));
  const hid_t text = must(H5Tcopy(H5T_C_S1));
  test::write_h5<char>(folder / "c.h5", "x", {.dims = {1, 1, 2}, .file_type = text, .memory_type = text}, {'a', 'b'});
  expect_error(error_of(folder / "c.h5:/x"), ExitCode::BadData, HasSubstr("string"));
}

TEST(BadInput, SizesOfZeroAndBeyond64Bits) {
  const TemporaryFolder folder;
  test::write_h5<float>(folder / "a.h5", "x", {.dims = {1, 0, 2, 2}}, {});
  expect_error(error_of(folder / "a.h5"), ExitCode::BadData, HasSubstr("an axis of size 0"));
  const hsize_t big = hsize_t{1} << 31;
  test::write_h5<float>(folder / "b.h5", "x", {.dims = {1, 4, big, big}, .file_type = H5T_STD_U8LE, .chunk = {1, 1, 16, 16}}, {});
  expect_error(error_of(folder / "b.h5"), ExitCode::BadData, HasSubstr("does not fit in 64 bits"));
}

TEST(BadInput, WrongLayout) {
  const TemporaryFolder folder;
  test::write_h5<float>(folder / "a.h5", "x", {.dims = {1, 1, 2}}, {1, 2});
  expect_error(error_of(folder / "a.h5", {.layout = "NCHW"}), ExitCode::BadData,
               AllOf(HasSubstr("'NCHW' names 4 axes"), HasSubstr("has 3"), HasSubstr("--layout")));
  expect_error(error_of(folder / "a.h5", {.layout = "NNW"}), ExitCode::BadData, HasSubstr("'NNW'"));
  expect_error(error_of(folder / "a.h5", {.layout = "XYZ"}), ExitCode::BadData, HasSubstr("'XYZ'"));
  test::write_h5<float>(folder / "b.h5", "x", {.dims = {1, 1, 2}, .layout = "rows"}, {1, 2});
  expect_error(error_of(folder / "b.h5"), ExitCode::BadData, HasSubstr("'rows'"));
}

TEST(BadInput, WrongScaling) {
  const TemporaryFolder folder;
  test::write_h5<float>(folder / "a.h5", "x", {.dims = {1, 3, 1}}, {1, 2, 3});
  expect_error(error_of(folder / "a.h5", {.scaling = {.mean = {1, 2}}}), ExitCode::BadData,
               HasSubstr("the mean has 2 values, but the input has 3 channels"));
  expect_error(error_of(folder / "a.h5", {.scaling = {.std = {1, 0, 1}}}), ExitCode::BadData, HasSubstr("is 0"));
}

TEST(BadInput, DataOutsideTheFile) {
  const TemporaryFolder folder;
  test::write_h5<float>(folder / "target.h5", "x", {.dims = {1, 1, 2}}, {1, 2});

  const hid_t linked = test::create_h5(folder / "link.h5");
  must(H5Lcreate_external("target.h5", "/x", linked, "x", H5P_DEFAULT, H5P_DEFAULT));
  must(H5Lcreate_external("target.h5", "/", linked, "group", H5P_DEFAULT, H5P_DEFAULT));
  must(H5Fclose(linked));
  expect_error(error_of(folder / "link.h5:/x"), ExitCode::BadData, HasSubstr("external link"));
  expect_error(error_of(folder / "link.h5:/group/x"), ExitCode::BadData, HasSubstr("external link"));
  expect_error(error_of(folder / "link.h5"), ExitCode::BadData, HasSubstr("no data sets"));
}

/// Writes a file whose dataset "x" of 1 x 1 x 2 has creation properties set by `configure`.
void write_configured(const std::string& path, const std::function<void(hid_t)>& configure) {
  const hid_t file = test::create_h5(path);
  const std::vector<hsize_t> dims{1, 1, 2};
  const hid_t space = must(H5Screate_simple(3, dims.data(), nullptr));
  const hid_t creation = must(H5Pcreate(H5P_DATASET_CREATE));
  configure(creation);
  must(H5Dclose(must(H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT))));
  must(H5Pclose(creation));
  must(H5Sclose(space));
  must(H5Fclose(file));
}

TEST(BadInput, ExternalStorageAndVirtualDatasets) {
  const TemporaryFolder folder;
  write_configured(folder / "external.h5", [](hid_t creation) { must(H5Pset_external(creation, "/etc/hostname", 0, 8)); });
  expect_error(error_of(folder / "external.h5"), ExitCode::BadData, HasSubstr("external storage"));

  test::write_h5<float>(folder / "target.h5", "x", {.dims = {1, 1, 2}}, {1, 2});
  write_configured(folder / "virtual.h5", [](hid_t creation) {
    const std::vector<hsize_t> dims{1, 1, 2};
    const hid_t space = must(H5Screate_simple(3, dims.data(), nullptr));
    must(H5Pset_virtual(creation, space, "target.h5", "x", space));
    must(H5Sclose(space));
  });
  expect_error(error_of(folder / "virtual.h5"), ExitCode::BadData, HasSubstr("virtual data set"));
}

TEST(BadInput, FilterThatIsNotPartOfHdf5) {
  const TemporaryFolder folder;
  write_configured(folder / "a.h5", [](hid_t creation) {
    const std::vector<hsize_t> chunk{1, 1, 2};
    must(H5Pset_chunk(creation, 3, chunk.data()));
    must(H5Pset_filter(creation, 32001, H5Z_FLAG_OPTIONAL, 0, nullptr));
  });
  expect_error(error_of(folder / "a.h5"), ExitCode::BadData, HasSubstr("filter 32001"));
}

}  // namespace
}  // namespace parconv
