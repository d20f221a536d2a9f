// SPDX-License-Identifier: Apache-2.0
#include "parconv/io/hdf5/hdf5_sink.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <xxhash.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>

#include "io/hdf5/hdf5_shared_folder.hpp"
#include "io/hdf5/output/hdf5_metadata.hpp"
#include "parconv/io/hdf5/hdf5_source.hpp"
#include "parconv/io/resume/resume_record.hpp"
#include "parconv/tensor/half.hpp"

namespace parconv {
namespace {

namespace fs = std::filesystem;
using test::control;
using test::must;
using test::SharedFolder;
using testing::HasSubstr;

Provenance example_provenance() {
  return {.command = "parconv_app run model.onnx in.h5 out.h5",
          .plan_json = std::string(100000, 'p'),  // exceeds the size limit of compact attributes
          .model_sha256 = "abc",
          .input_path = "in.h5:/größe",
          .mpi_size = test::num_ranks(),
          .git_rev = "1234567",
          .libs = "",
          .started = concat("2024-01-01T00:00:0", test::rank()),
          .job = test::rank() == 0 ? "model: größe\n" : "of another rank"};
}

Hdf5SinkOptions options_for(const std::string& path, const Extents& extents, int ndims = 4) {
  return {.path = path, .job_id = "17", .name = "y", .extents = extents, .ndims = ndims, .provenance = example_provenance()};
}

/// Exit code of the Error that `work` throws; Ok if none.
template <class Work>
ExitCode code_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::Ok;
}

/// Compares the whole file with linear_index, on rank 0.
void expect_linear_indices(const std::string& path, const Extents& extents) {
  if (test::rank() != 0) return;
  Hdf5Source source(path);
  ASSERT_EQ(source.extents(), extents);
  test::DenseBlock block(Box::whole(extents));
  source.read(Box::whole(extents), block.view());
  index_t num_wrong = 0;
  test::for_each_index(extents,
                       [&](const Extents& index) { num_wrong += block.at(index) != test::linear_index(index, extents); });
  EXPECT_EQ(num_wrong, 0);
}

struct Row {
  const char* name;
  Extents extents;
  int ndims;
  Axis cut;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class EveryCut : public testing::TestWithParam<Row> {};

TEST_P(EveryCut, WritesTheSameFile) {
  const Row& row = GetParam();
  const SharedFolder folder;
  const std::string path = folder / "out.h5";
  Hdf5SinkOptions options = options_for(path, row.extents, row.ndims);
  options.threads = 1 + static_cast<int>(row.extents[Axis::H]) % 3;
  Hdf5Sink sink(control(), options);
  EXPECT_EQ(sink.extents(), row.extents);
  EXPECT_EQ(sink.partial_path(), path + ".partial-17");
  EXPECT_TRUE(fs::exists(sink.partial_path()));
  test::write_indices(sink, test::part_of_rank(row.extents, row.cut, 1));
  EXPECT_FALSE(fs::exists(path));
  sink.finish("2024-01-02");
  EXPECT_FALSE(fs::exists(sink.partial_path()));
  sink.abandon();
  EXPECT_TRUE(fs::exists(path));
  expect_linear_indices(path, row.extents);
}

INSTANTIATE_TEST_SUITE_P(
    Hdf5Sink, EveryCut,
    testing::Values(Row{"batch", {{6, 3, 1, 9, 7}}, 4, Axis::N}, Row{"rows", {{1, 8, 1, 300, 333}}, 4, Axis::H},
                    Row{"columns", {{2, 8, 1, 200, 333}}, 4, Axis::W}, Row{"channels", {{1, 9, 1, 300, 200}}, 4, Axis::C},
                    Row{"slices", {{1, 2, 40, 100, 120}}, 5, Axis::D}, Row{"rows_of_slices", {{1, 2, 40, 100, 120}}, 5, Axis::H},
                    Row{"signal", {{2, 3, 1, 1000, 1}}, 3, Axis::H}, Row{"logits", {{5, 10, 1, 1, 1}}, 2, Axis::N},
                    Row{"less_than_ranks", {{1, 1, 1, 2, 2}}, 4, Axis::H}),
    [](const auto& row) { return row.param.name; });

TEST(Hdf5Sink, ElementsOfEveryType) {
  const Extents extents{{2, 3, 1, 60, 70}};  // 25,200 elements
  for (const DType type : {DType::F16, DType::U8, DType::I16}) {
    const SharedFolder folder;
    Hdf5SinkOptions options = options_for(folder / "out.h5", extents);
    options.type = type;
    options.threads = 2;
    Hdf5Sink sink(control(), options);
    test::write_indices(sink, test::part_of_rank(extents, Axis::H, 1));
    sink.finish("");
    if (test::rank() != 0) continue;
    Hdf5Source source(folder / "out.h5");
    EXPECT_EQ(source.dtype(), type);
    test::DenseBlock block(Box::whole(extents));
    source.read(Box::whole(extents), block.view());
    test::for_each_index(extents, [&](const Extents& index) {
      const float number = test::linear_index(index, extents);
      const float stored = type == DType::U8    ? std::min(number, 255.0F)
                           : type == DType::F16 ? float_from_half(half_from_float(number))
                                                : number;
      EXPECT_EQ(block.at(index), stored);
    });
  }
}

TEST(Hdf5Sink, TakesManyBoxesOfAnyShape) {
  const SharedFolder folder;
  const Extents extents{{3, 4, 1, 50, 60}};
  Hdf5Sink sink(control(), options_for(folder / "out.h5", extents));
  int turn = 0;
  for (index_t n = 0; n < 3; ++n)
    for (index_t h = 0; h < 50; h += 17)
      for (index_t w = 0; w < 60; w += 25) {
        if (turn++ % test::num_ranks() != test::rank()) continue;
        test::write_indices(sink, Box{{Interval{n, n + 1}, Interval{0, 4}, Interval{0, 1},
                                       Interval{h, std::min<index_t>(h + 17, 50)}, Interval{w, std::min<index_t>(w + 25, 60)}}});
      }
  sink.write(Box::whole(extents).with(Axis::W, {3, 3}), {});
  sink.finish("");
  expect_linear_indices(folder / "out.h5", extents);
}

/// The samples [first, end), divided among the ranks by rows.
void write_samples(Hdf5Sink& sink, index_t first, index_t end) {
  const Box part = test::part_of_rank(sink.extents(), Axis::H, 1);
  if (!part.is_empty()) test::write_indices(sink, part.with(Axis::N, {first, end}));
}

/// The blocks of all ranks, on all ranks.
std::vector<BlockRecord> all_blocks(const std::vector<BlockRecord>& mine) {
  std::string text;
  for (const std::string& part : control().gather(packed(mine))) text += part;
  std::vector<BlockRecord> all;
  unpack(control().broadcast(text), all);
  return all;
}

/// A partial file of five samples, of which two are recorded and three written.
struct Interrupted {
  explicit Interrupted(const Hdf5SinkOptions& options) {
    Hdf5Sink sink(control(), options);
    file = sink.recorded_file();
    partial_path = sink.partial_path();
    write_samples(sink, 0, 2);
    sink.sync();
    blocks = all_blocks(sink.take_blocks(2));
    write_samples(sink, 2, 3);
    EXPECT_TRUE(sink.take_blocks(2).empty());
    sink.suspend();
    control().barrier();
  }

  RecordedFile file{};  // on rank 0
  std::vector<BlockRecord> blocks{};
  std::string partial_path{};
};

constexpr Extents five_samples{{5, 3, 1, 40, 30}};

TEST(Hdf5Sink, GoesOnWithAPartialFileWhateverBecameOfItsMetadata) {
  const SharedFolder folder;
  const Hdf5SinkOptions options = options_for(folder / "out.h5", five_samples);
  const Interrupted before(options);
  if (test::rank() == 0) {  // as a job that was killed while it finished the file
    std::fstream file(before.partial_path, std::ios::in | std::ios::out | std::ios::binary);
    file.write("torn metadata", 13);
    file.seekp(0, std::ios::end);
    file << std::string(10000, 'x');
  }
  Hdf5Sink sink(control(), options, {.file = before.file, .blocks = before.blocks});
  write_samples(sink, 2, 5);
  EXPECT_FALSE(sink.take_blocks(5).empty() && test::rank() == 0) << "the new blocks only";
  sink.finish("later");
  EXPECT_FALSE(fs::exists(before.partial_path));
  expect_linear_indices(folder / "out.h5", five_samples);
}

TEST(Hdf5Sink, ARecordedBlockThatChangedIsFoundBeforeAnythingIsComputed) {
  const SharedFolder folder;
  const Hdf5SinkOptions options = options_for(folder / "out.h5", five_samples);
  const Interrupted before(options);
  if (test::rank() == 0) {
    std::fstream file(before.partial_path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(before.file.elements.lo + 100);
    file.write("?", 1);
  }
  control().barrier();
  const ResumedFile resumed{.file = before.file, .blocks = before.blocks};
  EXPECT_EQ(code_of([&] { Hdf5Sink(control(), options, resumed); }), ExitCode::Io);
  EXPECT_TRUE(fs::exists(before.partial_path)) << "kept";
}

TEST(Hdf5Sink, APartialFileThatLostItsEndIsRefused) {
  const SharedFolder folder;
  const Hdf5SinkOptions options = options_for(folder / "out.h5", five_samples);
  const Interrupted before(options);
  if (test::rank() == 0) fs::resize_file(before.partial_path, fs::file_size(before.partial_path) - 1);
  control().barrier();
  const ResumedFile resumed{.file = before.file, .blocks = before.blocks};
  EXPECT_EQ(code_of([&] { Hdf5Sink(control(), options, resumed); }), ExitCode::Io);
}

TEST(Hdf5Sink, ACompleteFileNamesItsJob) {
  const SharedFolder folder;
  const std::string path = folder / "out.h5";
  const Hdf5SinkOptions options = options_for(path, five_samples);
  Hdf5Sink sink(control(), options);
  write_samples(sink, 0, 5);
  EXPECT_EQ(finished_job(path), "");
  EXPECT_EQ(finished_job(sink.partial_path()), "") << "not complete";
  sink.finish("");
  EXPECT_EQ(finished_job(path), "model: größe\n");
  if (test::rank() == 0) std::ofstream(folder / "text") << "no HDF5";
  control().barrier();
  EXPECT_EQ(finished_job(folder / "text"), "");
}

TEST(Hdf5Sink, RefusesNamesThatAreTaken) {
  const SharedFolder folder;
  const Extents extents{{1, 1, 1, 2, 2}};
  const Hdf5SinkOptions options = options_for(folder / "out.h5", extents);
  if (test::rank() == 0) {
    std::ofstream(options.path) << "precious";
    std::ofstream(options.path + ".partial-17") << "of another job";
  }
  control().barrier();
  EXPECT_EQ(code_of([&] { Hdf5Sink(control(), options); }), ExitCode::CannotCreate);
  EXPECT_TRUE(fs::exists(options.path + ".partial-17"));
  EXPECT_EQ(fs::file_size(options.path), 8u);

  Hdf5SinkOptions forced = options;
  forced.replaces_existing = true;
  Hdf5Sink sink(control(), forced);
  EXPECT_EQ(fs::file_size(options.path), 8u);
  test::write_indices(sink, test::part_of_rank(extents, Axis::H, 1));
  sink.finish("");
  expect_linear_indices(options.path, extents);
}

TEST(Hdf5Sink, RefusesFoldersAndWhatCannotBeCreated) {
  const SharedFolder folder;
  const Extents extents{{1, 1, 1, 2, 2}};
  const auto code = [&](const std::string& path) {
    Hdf5SinkOptions options = options_for(path, extents);
    options.replaces_existing = true;
    return code_of([&] { Hdf5Sink(control(), options); });
  };
  if (test::rank() == 0) fs::create_directory(folder / "sub");
  control().barrier();
  EXPECT_EQ(code(folder / "sub"), ExitCode::CannotCreate);
  EXPECT_EQ(code(folder / "missing/out.h5"), ExitCode::CannotCreate);
  EXPECT_EQ(code("/proc/out.h5"), ExitCode::CannotCreate);
}

TEST(Hdf5Sink, LeavesNoFileWhenAbandoned) {
  const SharedFolder folder;
  Hdf5Sink sink(control(), options_for(folder / "out.h5", {{1, 1, 1, 8, 8}}));
  sink.abandon();
  control().barrier();
  EXPECT_FALSE(fs::exists(sink.partial_path()));
  EXPECT_FALSE(fs::exists(folder / "out.h5"));
}

TEST(Hdf5Sink, MissingElementsAreABug) {
  const SharedFolder folder;
  const Extents extents{{1, 1, 1, 8, 8}};
  Hdf5Sink sink(control(), options_for(folder / "out.h5", extents));
  test::write_indices(sink, test::part_of_rank({{1, 1, 1, 7, 8}}, Axis::H, 1));
  EXPECT_THROW(sink.finish(""), Bug);
  EXPECT_FALSE(fs::exists(folder / "out.h5"));
  sink.abandon();
}

/// Overwrites one float in the file, simulating disk corruption.
void damage(const std::string& path, float value) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::size_t at = bytes.find(std::string(reinterpret_cast<const char*>(&value), sizeof(value)));
  ASSERT_NE(at, std::string::npos);
  file.clear();
  file.seekp(static_cast<std::streamoff>(at));
  file << "!";
}

void expect_damage_found(const Extents& extents, int threads) {
  const SharedFolder folder;
  Hdf5SinkOptions options = options_for(folder / "out.h5", extents);
  options.threads = threads;
  Hdf5Sink sink(control(), options);
  test::write_indices(sink, test::part_of_rank(extents, Axis::H, 1));
  control().barrier();
  if (test::rank() == 0) damage(sink.partial_path(), 2047.0f);
  control().barrier();
  EXPECT_EQ(code_of([&] { sink.finish(""); }), ExitCode::Io);
  EXPECT_FALSE(fs::exists(folder / "out.h5"));
  sink.abandon();
}

TEST(Hdf5Sink, FindsDataThatReadsBackDifferently) {
  expect_damage_found({{1, 1, 1, 64, 64}}, 1);
  expect_damage_found({{12, 1, 1, 512, 512}}, 3);
}

/// Changes the partial file on rank 0 after all blocks were written.
void expect_change_found(const std::function<void(const std::string&)>& change) {
  const SharedFolder folder;
  const Extents extents{{1, 1, 1, 64, 64}};
  Hdf5Sink sink(control(), options_for(folder / "out.h5", extents));
  test::write_indices(sink, test::part_of_rank(extents, Axis::H, 1));
  control().barrier();
  if (test::rank() == 0) change(sink.partial_path());
  control().barrier();
  EXPECT_EQ(code_of([&] { sink.finish(""); }), ExitCode::Io);
  EXPECT_FALSE(fs::exists(folder / "out.h5"));
  sink.abandon();
}

TEST(Hdf5Sink, FindsAPartialFileThatWasReplacedRemovedOrCut) {
  expect_change_found([](const std::string& path) {
    fs::copy_file(path, path + ".copy");
    fs::rename(path + ".copy", path);
  });
  expect_change_found([](const std::string& path) { fs::remove(path); });
  expect_change_found([](const std::string& path) { fs::resize_file(path, fs::file_size(path) / 2); });
}

/// Row of /integrity/blocks of a 4-D tensor.
struct BlockRow {
  std::array<std::int64_t, 4> first;
  std::array<std::int64_t, 4> extent;
  std::uint64_t hash;
  std::uint64_t state;
};

std::vector<BlockRow> block_rows(const std::string& path) {
  const hid_t file = must(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  const hid_t table = must(H5Dopen2(file, "/integrity/blocks", H5P_DEFAULT));
  const hid_t type = must(H5Dget_type(table));
  const hid_t space = must(H5Dget_space(table));
  EXPECT_EQ(H5Tget_size(type), sizeof(BlockRow));
  std::vector<BlockRow> rows(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  must(H5Dread(table, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data()));
  must(H5Sclose(space));
  must(H5Tclose(type));
  must(H5Dclose(table));
  must(H5Fclose(file));
  return rows;
}

std::string metadata_of_file(const std::string& path) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) return "cannot be opened";
  std::string text = "cannot be read";
  try {
    text = hdf5::metadata_of(file, "output/y_values");
  } catch (const Error&) {
  }
  must(H5Fclose(file));
  return text;
}

// One character of each: an attribute, a long attribute, the name of a data set, a scale's values, the table of hashes.
TEST(Hdf5Sink, MetadataTellWrittenFilesFromDamagedOnes) {
  const SharedFolder folder;
  const Extents extents{{2, 3, 1, 40, 50}};
  const std::string path = folder / "out.h5";
  Hdf5Sink sink(control(), options_for(path, extents));
  test::write_indices(sink, test::part_of_rank(extents, Axis::H, 1));
  sink.finish("2024-01-02");
  if (test::rank() != 0) return;
  hdf5::silence_errors();
  const std::string before = metadata_of_file(path);
  EXPECT_EQ(metadata_of_file(path), before);
  EXPECT_THAT(before, testing::AllOf(HasSubstr("@git_rev"), HasSubstr("1234567"), HasSubstr("integrity/blocks")));
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::int64_t number = 37;  // of the scales of rows and columns
  const std::string hash(reinterpret_cast<const char*>(&block_rows(path).front().hash), 8);
  for (const std::string& text : {std::string("1234567"), std::string(5000, 'p'), std::string("y_values"), hash,
                                  std::string(reinterpret_cast<const char*>(&number), 8)}) {
    const std::size_t at = bytes.find(text);
    ASSERT_NE(at, std::string::npos);
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    std::ofstream(folder / "damaged.h5", std::ios::binary) << damaged;
    EXPECT_NE(metadata_of_file(folder / "damaged.h5"), before) << text.substr(0, 20);
  }
}

/// Makes writes beyond an offset fail on this rank, for its lifetime.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    must(::getrlimit(RLIMIT_FSIZE, &before_));
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    must(::setrlimit(RLIMIT_FSIZE, &limit));
  }
  ~FileSizeLimit() {
    if (::setrlimit(RLIMIT_FSIZE, &before_) != 0) ADD_FAILURE() << "the limit of file sizes stays";
  }

 private:
  rlimit before_{};
};

TEST(Hdf5Sink, AFailedWriteIsAnErrorOfItsRank) {
  const SharedFolder folder;
  const Extents extents{{12, 4, 1, 256, 256}};
  Hdf5SinkOptions options = options_for(folder / "out.h5", extents);
  options.threads = 2;
  Hdf5Sink sink(control(), options);
  const int last = test::num_ranks() - 1;
  if (test::rank() == last) {
    const FileSizeLimit limit(4096);
    EXPECT_EQ(code_of([&] { test::write_indices(sink, test::part_of_rank(extents, Axis::H, 1)); }), ExitCode::Io);
  }
  sink.abandon();
  control().barrier();
  EXPECT_FALSE(fs::exists(sink.partial_path()));
}

TEST(Hdf5Sink, RecordsEveryBlockWithItsHash) {
  const SharedFolder folder;
  const Extents extents{{2, 3, 1, 400, 500}};
  Hdf5SinkOptions options = options_for(folder / "out.h5", extents);
  options.threads = 3;
  Hdf5Sink sink(control(), options);
  test::write_indices(sink, test::part_of_rank(extents, Axis::H, sink.chunk()[Axis::H]));
  sink.finish("");
  if (test::rank() != 0) return;
  index_t covered = 0;
  for (const BlockRow& row : block_rows(folder / "out.h5")) {
    std::vector<float> values;
    for (index_t n = 0; n < row.extent[0]; ++n)
      for (index_t c = 0; c < row.extent[1]; ++c)
        for (index_t h = 0; h < row.extent[2]; ++h)
          for (index_t w = 0; w < row.extent[3]; ++w)
            values.push_back(
                test::linear_index({{n + row.first[0], c + row.first[1], 0, h + row.first[2], w + row.first[3]}}, extents));
    EXPECT_EQ(row.hash, XXH64(values.data(), values.size() * sizeof(float), 0));
    EXPECT_EQ(row.state, 1u);
    covered += static_cast<index_t>(values.size());
  }
  EXPECT_EQ(covered, volume(extents));
}

/// Opens outputs with h5py, xarray and ncdump. Fails if they are not installed.
TEST(Hdf5Sink, OthersOpenIt) {
  const SharedFolder folder;
  std::string command = concat(PARCONV_TEST_PYTHON, " ", PARCONV_TEST_SCRIPT, " ", test::num_ranks());
  for (const auto& [extents, ndims, axes] : {std::tuple<Extents, int, const char*>{{{2, 3, 1, 40, 50}}, 4, "ncyx"},
                                             {{{1, 2, 4, 30, 20}}, 5, "nczyx"},
                                             {{{2, 3, 1, 40, 1}}, 3, "ncx"},
                                             {{{4, 10, 1, 1, 1}}, 2, "nc"},
                                             {{{4, 1, 1, 1, 1}}, 1, "n"}}) {
    const std::string path = folder / axes;
    Hdf5Sink sink(control(), options_for(path, extents, ndims));
    EXPECT_EQ(sink.dataset_path(), ndims < 4 ? "/output/y" : "/output/y_values");  // y is the name of an axis of images
    test::write_indices(sink, test::part_of_rank(extents, Axis::N, 1));
    sink.finish("2024-01-02");
    command += " " + path;
  }
  if (test::rank() != 0) return;
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
}

}  // namespace
}  // namespace parconv
