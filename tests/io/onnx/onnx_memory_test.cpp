// SPDX-License-Identifier: Apache-2.0
// The memory for reading a model is proportional to its structure, not to its weights.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/onnx/onnx_test.hpp"

namespace parconv::test {
namespace {

constexpr index_t layers = 5;
constexpr index_t channels = 1056;  // 1056 * 1056 * 9 * 4 bytes: 40 MB a layer

void write_big(const std::string& path) {
  OnnxWriter model;
  std::string x = model.add_input("x", {1, channels, 16, 16});
  const std::vector<float> weights(static_cast<std::size_t>(channels * channels * 9), 0.5F);
  for (index_t k = 0; k < layers; ++k) {
    const std::string w = model.add_initializer(concat("w", k), float_tensor({channels, channels, 3, 3}, weights));
    x = model.add_node({.op_type = "Conv", .inputs = {x, w}});
  }
  model.add_output(x);
  model.save(path);
}

/// Peak memory in MiB of a child process that runs `action`; -1 if it failed.
long peak_mebibytes(const std::function<void()>& action) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      action();
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  int status = 1;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  return status == 0 ? usage.ru_maxrss / 1024 : -1;
}

TEST(OnnxMemory, StructureOnly) {
  const TemporaryFolder folder;
  const std::string path = folder / "big.onnx";
  const long writing = peak_mebibytes([&] { write_big(path); });
  EXPECT_GT(writing, 200);  // the measurement works
  EXPECT_GT(std::filesystem::file_size(path), 200'000'000U);
  const long nothing = peak_mebibytes([] {});
  const long reading = peak_mebibytes([&] { read_network(OnnxModel(path)); });
  ASSERT_GT(reading, 0);
  EXPECT_LT(reading - nothing, 16);
}

}  // namespace
}  // namespace parconv::test
