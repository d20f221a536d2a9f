// SPDX-License-Identifier: Apache-2.0
// parconv_onnx_fuzz: libFuzzer target; a model must end in a result or an Error that identifies the problem.
//   parconv_onnx_fuzz --write-corpus FOLDER   writes valid models as a seed corpus
//   parconv_onnx_fuzz FOLDER                  fuzzes
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "fuzz/fuzz_files.hpp"
#include "fuzz/model_mutator.hpp"
#include "fuzz/model_pipeline.hpp"
#include "fuzz/model_seeds.hpp"
#include "parconv/core/error.hpp"

namespace {

namespace fs = std::filesystem;
using namespace parconv;
using namespace parconv::test;

/// A file private to this process.
const std::string& model_path() {
  static const std::string path = (fs::temp_directory_path() / concat("parconv-fuzz-", ::getpid(), ".onnx")).string();
  return path;
}

std::string bytes_of(const std::uint8_t* data, std::size_t size) {
  return size == 0 ? std::string() : std::string(reinterpret_cast<const char*>(data), size);
}

void write_corpus(const fs::path& folder) {
  fs::create_directories(folder);
  int number = 0;
  for (const std::string& model : seed_models(folder, {PARCONV_EXAMPLES, "/usr/share/libonnx-testdata/data"}))
    write_bytes(folder / concat("seed-", number++, ".onnx"), model);
  std::printf("%d models written to %s\n", number, folder.c_str());
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  if (*count != 3 || std::strcmp((*arguments)[1], "--write-corpus") != 0) return 0;
  write_corpus((*arguments)[2]);
  std::exit(0);
}

/// Any exception other than an Error for bad data escapes, so libFuzzer stops and keeps the model.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  write_bytes(model_path(), bytes_of(data, size));
  Random random(size);
  try {
    process_model(model_path(), random);
  } catch (const Error& error) {
    if (error.code() != ExitCode::BadData && error.code() != ExitCode::InputMissing) throw;
  }
  return 0;
}

/// Structural mutations reach further than byte mutations.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  Random random(seed);
  const std::string before = bytes_of(data, size);
  const std::string after = mutated_model(before, before, random);
  if (after.size() > max_size) return size;
  std::memcpy(data, after.data(), after.size());
  return after.size();
}
