// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/hdf5/hdf5_source.hpp"

#include <gmock/gmock.h>

#include <numeric>
#include <utility>

#include "io/hdf5/hdf5_test_files.hpp"
#include "parconv/tensor/convert.hpp"
#include "parconv/tensor/half.hpp"
#include "support/random.hpp"

namespace parconv {
namespace {

using test::DenseBlock;
using test::Stored;
using test::TemporaryFolder;

std::vector<float> counting(index_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

std::vector<float> read_box(Hdf5Source& source, const Box& box) {
  DenseBlock block(box);
  source.read(box, block.view());
  return block.values;
}

std::vector<float> read_all(Hdf5Source& source) { return read_box(source, Box::whole(source.extents())); }

TEST(Hdf5Source, ReadsRowsOfAnImageWithChannelsLast) {
  const TemporaryFolder folder;
  test::write_h5(folder / "a.h5", "x", {.dims = {1, 2, 3, 2}}, counting(12));
  Hdf5Source source(folder / "a.h5");
  EXPECT_EQ(source.extents(), (Extents{{1, 2, 1, 3, 2}}));
  EXPECT_EQ(source.ndims(), 4);
  EXPECT_EQ(source.dtype(), DType::F32);
  EXPECT_EQ(source.name(), folder / "a.h5" + std::string(":/x"));
  EXPECT_THAT(read_box(source, Box::whole(source.extents()).with(Axis::H, {1, 3})),
              testing::ElementsAre(2, 8, 3, 9, 4, 10, 5, 11));
}

TEST(Hdf5Source, ReadsScaledValuesByChannel) {
  const TemporaryFolder folder;
  test::write_h5(folder / "a.h5", "x", {.dims = {1, 2, 1, 2}}, std::vector<float>{1, 2, 3, 4});
  Hdf5Source source(folder / "a.h5", {.scaling = {.scale = 10, .mean = {1, 2}, .std = {3, 4}}});
  EXPECT_THAT(read_all(source), testing::ElementsAre(9.0f / 3, 28.0f / 4, 19.0f / 3, 38.0f / 4));
  Hdf5Source one_mean(folder / "a.h5", {.scaling = {.mean = {1}}});
  EXPECT_THAT(read_box(one_mean, Box::whole(source.extents()).with(Axis::C, {1, 2})), testing::ElementsAre(2, 3));
}

TEST(Hdf5Source, ScalesChannelsOfEveryLayoutAlike) {
  const TemporaryFolder folder;
  test::write_h5(folder / "a.h5", "x", {.dims = {1, 2, 2}, .layout = "HWC"}, std::vector<float>{1, 3, 2, 4});
  Hdf5Source source(folder / "a.h5", {.scaling = {.scale = 10, .mean = {1, 2}, .std = {3, 4}}});
  EXPECT_THAT(read_all(source), testing::ElementsAre(9.0f / 3, 28.0f / 4, 19.0f / 3, 38.0f / 4));
  EXPECT_THAT(read_box(source, Box::whole(source.extents()).with(Axis::C, {1, 2})), testing::ElementsAre(28.0f / 4, 38.0f / 4));
}

TEST(Hdf5Source, RoundsToBfloat16OnceAfterScaling) {
  const TemporaryFolder folder;
  const std::vector<float> thirds{1.0F / 3, 2.0F / 3, 4.0F / 3, 5.0F / 3};
  test::write_h5(folder / "rows.h5", "x", {.dims = {1, 2, 1, 2}}, thirds);
  test::write_h5(folder / "pixels.h5", "x", {.dims = {1, 2, 2}, .layout = "HWC"}, thirds);
  for (const char* name : {"rows.h5", "pixels.h5"})
    for (const InputScaling& scaling : {InputScaling{}, InputScaling{.scale = 10, .mean = {1, 2}, .std = {3, 7}}}) {
      Hdf5Source source(folder / name, {.scaling = scaling});
      std::vector<float> expected = read_all(source);
      for (float& value : expected) value = rounded_to_bfloat16(value);
      HostTensor rounded(Box::whole(source.extents()), DType::BF16);
      source.read(rounded.box(), rounded.view());
      HostTensor widened(rounded.box());
      convert(std::as_const(rounded).view(), widened.view());
      const auto* const first = reinterpret_cast<const float*>(std::as_const(widened).view().data);
      EXPECT_EQ(std::vector<float>(first, first + expected.size()), expected) << name;
    }
}

struct TypeRow {
  const char* name;
  DType dtype;
  hid_t (*file_type)();
  std::vector<float> values;
};

hid_t half(H5T_order_t order) {
  const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(type, 15, 10, 5, 0, 10);
  H5Tset_size(type, 2);
  H5Tset_ebias(type, 15);
  H5Tset_order(type, order);
  return type;
}

void PrintTo(const TypeRow& row, std::ostream* out) { *out << row.name; }

class EveryType : public testing::TestWithParam<TypeRow> {};

TEST_P(EveryType, IsReadAsItIs) {
  const TemporaryFolder folder;
  const TypeRow& row = GetParam();
  test::write_h5(folder / "a.h5", "x", {.dims = {1, 1, 2, 2}, .file_type = row.file_type()}, row.values);
  Hdf5Source source(folder / "a.h5");
  EXPECT_EQ(source.dtype(), row.dtype);
  EXPECT_EQ(read_all(source), row.values);
}

INSTANTIATE_TEST_SUITE_P(
    Hdf5Source, EveryType,
    testing::Values(TypeRow{"f32", DType::F32, [] { return H5T_IEEE_F32LE; }, {0.1f, -2, 3e30f, 4}},
                    TypeRow{"f32_big_endian", DType::F32, [] { return H5T_IEEE_F32BE; }, {0.1f, -2, 3e30f, 4}},
                    TypeRow{"f64", DType::F64, [] { return H5T_IEEE_F64LE; }, {0.1f, -2, 3e30f, 4}},
                    TypeRow{"f64_big_endian", DType::F64, [] { return H5T_IEEE_F64BE; }, {0.1f, -2, 3e30f, 4}},
                    TypeRow{"f16", DType::F16, [] { return half(H5T_ORDER_LE); }, {0.5f, -2, 65504, 0x1p-24f}},
                    TypeRow{"f16_big_endian", DType::F16, [] { return half(H5T_ORDER_BE); }, {0.5f, -2, 65504, 0x1p-24f}},
                    TypeRow{"u8", DType::U8, [] { return H5T_STD_U8LE; }, {0, 1, 200, 255}},
                    TypeRow{"i8", DType::I8, [] { return H5T_STD_I8BE; }, {-128, -1, 0, 127}},
                    TypeRow{"u16", DType::U16, [] { return H5T_STD_U16LE; }, {0, 1, 256, 65535}},
                    TypeRow{"u16_big_endian", DType::U16, [] { return H5T_STD_U16BE; }, {0, 1, 256, 65535}},
                    TypeRow{"i16", DType::I16, [] { return H5T_STD_I16LE; }, {-32768, -1, 256, 32767}},
                    TypeRow{"i16_big_endian", DType::I16, [] { return H5T_STD_I16BE; }, {-32768, -1, 256, 32767}}),
    [](const auto& row) { return row.param.name; });

/// Value of an element in layout tests: its own index, one decimal digit per axis.
float digits(const Extents& index) {
  float value = 0;
  for (index_t i : index.values) value = value * 10 + static_cast<float>(i);
  return value;
}

struct LayoutRow {
  const char* layout;
  Extents extents;
  int ndims;
};

void PrintTo(const LayoutRow& row, std::ostream* out) { *out << row.layout; }

class EveryLayout : public testing::TestWithParam<LayoutRow> {};

/// Tensor axis of a letter; a single spatial letter is h.
Axis axis_of(char letter, int ndims) {
  if (ndims == 3 && letter == 'W') return Axis::H;
  return all_axes[std::string("NCDHW").find(letter)];
}

std::vector<float> file_values(const LayoutRow& row, std::vector<hsize_t>& dims) {
  std::vector<Axis> axes;
  for (const char* letter = row.layout; *letter != '\0'; ++letter) {
    axes.push_back(axis_of(*letter, row.ndims));
    dims.push_back(static_cast<hsize_t>(row.extents[axes.back()]));
  }
  std::vector<float> values(static_cast<std::size_t>(volume(row.extents)));
  test::for_each_index(row.extents, [&](const Extents& index) {
    index_t offset = 0;
    for (Axis axis : axes) offset = offset * row.extents[axis] + index[axis];
    values[static_cast<std::size_t>(offset)] = digits(index);
  });
  return values;
}

TEST_P(EveryLayout, ReadsTheSameTensor) {
  const TemporaryFolder folder;
  const LayoutRow& row = GetParam();
  Stored how{.layout = row.layout};
  const std::vector<float> values = file_values(row, how.dims);
  test::write_h5(folder / "a.h5", "x", how, values);
  Hdf5Source source(folder / "a.h5");
  EXPECT_EQ(source.extents(), row.extents);
  EXPECT_EQ(source.ndims(), row.ndims);
  DenseBlock block(Box::whole(row.extents));
  source.read(Box::whole(row.extents), block.view());
  test::for_each_index(row.extents, [&](const Extents& index) { EXPECT_EQ(block.at(index), digits(index)); });
}

INSTANTIATE_TEST_SUITE_P(Hdf5Source, EveryLayout,
                         testing::Values(LayoutRow{"NCHW", {{2, 3, 1, 4, 5}}, 4}, LayoutRow{"NHWC", {{2, 3, 1, 4, 5}}, 4},
                                         LayoutRow{"NCDHW", {{2, 3, 4, 5, 2}}, 5}, LayoutRow{"NDHWC", {{2, 3, 4, 5, 2}}, 5},
                                         LayoutRow{"WHDCN", {{2, 3, 4, 5, 2}}, 5}, LayoutRow{"CDHW", {{1, 3, 4, 5, 2}}, 5},
                                         LayoutRow{"DHW", {{1, 1, 4, 5, 2}}, 5}, LayoutRow{"NHW", {{2, 1, 1, 4, 5}}, 4},
                                         LayoutRow{"HW", {{1, 1, 1, 4, 5}}, 4}, LayoutRow{"CHW", {{1, 3, 1, 4, 5}}, 4},
                                         LayoutRow{"HWC", {{1, 3, 1, 4, 5}}, 4}, LayoutRow{"NCW", {{2, 3, 1, 5, 1}}, 3},
                                         LayoutRow{"NWC", {{2, 3, 1, 5, 1}}, 3}, LayoutRow{"CW", {{1, 3, 1, 5, 1}}, 3},
                                         LayoutRow{"NC", {{2, 3, 1, 1, 1}}, 2}),
                         [](const auto& row) { return row.param.layout; });

TEST(Hdf5Source, OptionBeatsAttributeBeatsRank) {
  const TemporaryFolder folder;
  test::write_h5(folder / "a.h5", "x", {.dims = {2, 3, 4}, .layout = "HWC"}, counting(24));
  EXPECT_EQ(Hdf5Source(folder / "a.h5").extents(), (Extents{{1, 4, 1, 2, 3}}));
  EXPECT_EQ(Hdf5Source(folder / "a.h5", {.layout = "chw"}).extents(), (Extents{{1, 2, 1, 3, 4}}));
  test::write_h5(folder / "b.h5", "x", {.dims = {2, 3, 4}}, counting(24));
  EXPECT_EQ(Hdf5Source(folder / "b.h5").extents(), (Extents{{2, 3, 1, 4, 1}}));
}

TEST(Hdf5Source, UnderstandsVariableLengthLayoutAttributes) {
  const TemporaryFolder folder;
  const hid_t file = test::create_h5(folder / "a.h5");
  test::write_dataset(file, "x", {.dims = {2, 3, 4}}, counting(24));
  const hid_t dataset = test::must(H5Dopen2(file, "x", H5P_DEFAULT));
  const hid_t type = test::must(H5Tcopy(H5T_C_S1));
  test::must(H5Tset_size(type, H5T_VARIABLE));
  test::must(H5Tset_cset(type, H5T_CSET_UTF8));
  const hid_t space = test::must(H5Screate(H5S_SCALAR));
  const hid_t attribute = test::must(H5Acreate2(dataset, "layout", type, space, H5P_DEFAULT, H5P_DEFAULT));
  const char* text = "HWC";
  test::must(H5Awrite(attribute, type, &text));
  test::must(H5Aclose(attribute));
  test::must(H5Dclose(dataset));
  test::must(H5Fclose(file));
  EXPECT_EQ(Hdf5Source(folder / "a.h5").extents(), (Extents{{1, 4, 1, 2, 3}}));
}

/// Reads random boxes with a small staging buffer, so that hyperslabs begin and end anywhere.
void expect_random_boxes(const std::string& path, test::Random& random, const LayoutRow& row) {
  for (int trial = 0; trial < 40; ++trial) {
    const auto staging = static_cast<std::size_t>(random.integer(1, 3000));
    const auto threads = static_cast<int>(random.integer(1, 4));
    Hdf5Source source(path, {.layout = row.layout, .staging_bytes = staging, .threads = threads});
    Box box;
    for (Axis axis : all_axes) {
      box[axis].lo = random.integer(0, row.extents[axis] - 1);
      box[axis].hi = random.integer(box[axis].lo + 1, row.extents[axis]);
    }
    DenseBlock block(box);
    source.read(box, block.view());
    test::for_each_index(block.extents, [&](Extents index) {
      const float found = block.at(index);
      for (Axis axis : all_axes) index[axis] += box[axis].lo;
      ASSERT_EQ(found, digits(index)) << box << " staging " << staging << " " << row.layout;
    });
  }
}

TEST(Hdf5Source, ReadsRandomBoxesOfEveryStorage) {
  const TemporaryFolder folder;
  test::Random random(7);
  for (const LayoutRow& row : {LayoutRow{"NCHW", {{3, 5, 1, 7, 9}}, 4}, LayoutRow{"NHWC", {{3, 5, 1, 7, 9}}, 4},
                               LayoutRow{"NCDHW", {{2, 3, 5, 4, 6}}, 5}, LayoutRow{"DCWNH", {{2, 3, 5, 4, 6}}, 5}}) {
    Stored how;
    const std::vector<float> values = file_values(row, how.dims);
    test::write_h5(folder / "contiguous.h5", "x", how, values);
    expect_random_boxes(folder / "contiguous.h5", random, row);
    for (hsize_t dim : how.dims) how.chunk.push_back(static_cast<hsize_t>(random.integer(1, static_cast<index_t>(dim))));
    test::write_h5(folder / "chunked.h5", "x", how, values);
    expect_random_boxes(folder / "chunked.h5", random, row);
    how.is_compressed = true;
    test::write_h5(folder / "gzip.h5", "x", how, values);
    expect_random_boxes(folder / "gzip.h5", random, row);
  }
}

TEST(Hdf5Source, ReadsNarrowColumnsOfWideRows) {
  const TemporaryFolder folder;
  test::write_h5(folder / "a.h5", "x", {.dims = {1, 3, 20, 600}}, counting(36000));
  Hdf5Source source(folder / "a.h5", {.staging_bytes = 10000});
  for (const Interval columns : {Interval{0, 100}, Interval{250, 350}, Interval{599, 600}}) {
    const Box box = Box::whole(source.extents()).with(Axis::W, columns).with(Axis::H, {3, 17});
    DenseBlock block(box);
    source.read(box, block.view());
    test::for_each_index(block.extents, [&](const Extents& i) {
      const index_t expected = (i[Axis::C] * 20 + i[Axis::H] + 3) * 600 + i[Axis::W] + columns.lo;
      ASSERT_EQ(block.at(i), static_cast<float>(expected));
    });
  }
}

TEST(Hdf5Source, FillsViewsInsideLargerBuffersOnly) {
  const TemporaryFolder folder;
  test::write_h5(folder / "a.h5", "x", {.dims = {1, 2, 2, 2}}, counting(8));
  Hdf5Source source(folder / "a.h5");
  std::vector<float> buffer(3 * 4 * 2, -1.0f);  // rows of 4 pixels with 2 channels; the view is columns [1, 3) of rows [1, 3)
  View view{reinterpret_cast<std::byte*>(buffer.data() + 8 + 2),
            {.extents = source.extents(), .strides = {{24, 1, 24, 8, 2}}, .type = DType::F32}};
  source.read(Box::whole(source.extents()), view);
  EXPECT_THAT(buffer, testing::ElementsAre(-1, -1, -1, -1, -1, -1, -1, -1,  //
                                           -1, -1, 0, 4, 1, 5, -1, -1,      //
                                           -1, -1, 2, 6, 3, 7, -1, -1));
}

TEST(Hdf5Source, ReadsLargeBoxesPastTheCaches) {
  const TemporaryFolder folder;
  const std::vector<hsize_t> dims{1, 3, 1000, 800};
  test::write_h5(folder / "a.h5", "x", {.dims = dims}, counting(2'400'000));
  test::write_h5(folder / "chunked.h5", "x", {.dims = dims, .chunk = {1, 2, 300, 800}}, counting(2'400'000));
  for (const char* name : {"a.h5", "chunked.h5"})
    for (const int threads : {1, 3}) {
      Hdf5Source source(folder / name, {.threads = threads});
      const Box box = Box::whole(source.extents()).with(Axis::H, {10, 999});
      DenseBlock block(box);
      source.read(box, block.view());
      index_t num_wrong = 0;
      test::for_each_index(block.extents, [&](const Extents& i) {
        const index_t expected = (i[Axis::C] * 1000 + i[Axis::H] + 10) * 800 + i[Axis::W];
        num_wrong += block.at(i) != static_cast<float>(expected);
      });
      EXPECT_EQ(num_wrong, 0) << name << " by " << threads;
    }
}

TEST(Hdf5Source, AFileThatEndsEarlyIsAnError) {
  const TemporaryFolder folder;
  test::write_h5(folder / "a.h5", "x", {.dims = {1, 2, 300, 300}}, counting(180000));
  for (const int threads : {1, 2}) {
    Hdf5Source source(folder / "a.h5", {.staging_bytes = 10000, .threads = threads});
    const auto size = std::filesystem::file_size(folder / "a.h5");
    std::filesystem::resize_file(folder / "a.h5", size / 2);
    try {
      read_all(source);
      ADD_FAILURE() << "half of the data is missing";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::BadData);
      EXPECT_NE(std::string(error.what()).find("a.h5:/x: the file ends at byte "), std::string::npos) << error.what();
    }
    std::filesystem::resize_file(folder / "a.h5", size);
  }
}

TEST(Hdf5Source, EmptyBoxesReadNothingAndOutsideIsABug) {
  const TemporaryFolder folder;
  test::write_h5(folder / "a.h5", "x", {.dims = {1, 1, 2, 2}}, counting(4));
  Hdf5Source source(folder / "a.h5");
  const Box whole = Box::whole(source.extents());
  DenseBlock block(whole);
  source.read(whole.with(Axis::H, {1, 1}), {});
  EXPECT_THROW(source.read(whole.with(Axis::H, {1, 3}), block.view()), Bug);
  EXPECT_THROW(source.read(whole.with(Axis::H, {1, 2}), block.view()), Bug);
}

TEST(Hdf5Source, TakesTheOnlyNumericDatasetOrTheNamedOne) {
  const TemporaryFolder folder;
  const hid_t file = test::create_h5(folder / "a.h5");
  test::write_dataset(file, "scale", {.dims = {4}}, counting(4));
  test::write_dataset(file, "group/image", {.dims = {1, 1, 2, 2}}, counting(4));
  test::must(H5Fclose(file));
  EXPECT_EQ(Hdf5Source(folder / "a.h5").name(), folder / "a.h5:/group/image");
  EXPECT_EQ(Hdf5Source(folder / "a.h5:/group/image").ndims(), 4);
}

TEST(Hdf5Source, ListsDatasets) {
  const TemporaryFolder folder;
  const hid_t file = test::create_h5(folder / "a.h5");
  test::write_dataset(file, "b", {.dims = {4}, .file_type = H5T_STD_I64LE}, counting(4));
  test::write_dataset(file, "a/x", {.dims = {1, 2}}, counting(2));
  test::must(H5Fclose(file));
  const std::vector<Hdf5DatasetInfo> infos = list_hdf5_datasets(folder / "a.h5");
  ASSERT_EQ(infos.size(), 2u);
  EXPECT_EQ(infos[0].path, "/a/x");
  EXPECT_EQ(infos[0].dims, (std::vector<index_t>{1, 2}));
  EXPECT_EQ(infos[1].type, "64-bit signed integer");
}

}  // namespace
}  // namespace parconv
