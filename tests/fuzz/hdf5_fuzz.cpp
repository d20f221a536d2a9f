// SPDX-License-Identifier: Apache-2.0
// parconv_hdf5_fuzz: libFuzzer target; an input file must end in numbers, or in an Error that identifies the problem.
//   parconv_hdf5_fuzz --write-corpus FOLDER   writes valid files as a seed corpus
//   parconv_hdf5_fuzz FOLDER                  fuzzes
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "fuzz/fuzz_files.hpp"
#include "fuzz/hdf5_seeds.hpp"
#include "parconv/core/error.hpp"
#include "parconv/geometry/box.hpp"
#include "parconv/io/hdf5/hdf5_sink.hpp"
#include "parconv/io/hdf5/hdf5_source.hpp"
#include "parconv/tensor/view.hpp"
#include "support/random.hpp"

namespace {

namespace fs = std::filesystem;
using namespace parconv;
using namespace parconv::test;

constexpr index_t max_extent = 12;

/// A file private to this process, in memory.
const std::string& file_path() {
  static const std::string path = concat("/dev/shm/parconv-fuzz-", ::getpid(), ".h5");
  return path;
}

/// A box within extents that may be those of a hostile file.
Box random_box(const Extents& extents, Random& random) {
  Box box;
  for (const Axis axis : all_axes) {
    const index_t lo = random.once_in(2) ? 0 : random.integer(0, extents[axis] - 1);
    box[axis] = {lo, lo + random.integer(1, std::min(max_extent, extents[axis] - lo))};
  }
  return box;
}

void process(const std::string& path, Random& random) {
  static_cast<void>(finished_job(path));
  static_cast<void>(list_hdf5_datasets(path));
  const int threads = static_cast<int>(random.integer(1, 2));
  Hdf5Source source(path, {.staging_bytes = 4096, .threads = threads});
  for (int round = 0; round < 3; ++round) {
    const Box box = random_box(source.extents(), random);
    HostTensor tensor(box);
    source.read(box, tensor.view());
  }
}

bool is_expected(ExitCode code) {
  return code == ExitCode::BadData || code == ExitCode::InputMissing || code == ExitCode::Io || code == ExitCode::OutOfMemory;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  if (*count != 3 || std::strcmp((*arguments)[1], "--write-corpus") != 0) return 0;
  write_hdf5_seeds((*arguments)[2]);
  std::exit(0);
}

/// Any exception other than an Error for the file escapes, so libFuzzer stops and keeps it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  write_bytes(file_path(), std::string(reinterpret_cast<const char*>(data), size));
  Random random(size);
  try {
    process(file_path(), random);
  } catch (const Error& error) {
    if (!is_expected(error.code())) throw;
  }
  ::unlink(file_path().c_str());
  return 0;
}
