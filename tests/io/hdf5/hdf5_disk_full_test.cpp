// SPDX-License-Identifier: Apache-2.0
// A disk too small for the output, set up by hdf5_disk_full.sh, which runs this program.
#include <gtest/gtest.h>

#include <cstdlib>

#include "io/hdf5/hdf5_shared_folder.hpp"

namespace parconv {
namespace {

TEST(DiskFull, IsReportedBeforeComputation) {
  const char* disk = std::getenv("PARCONV_TEST_SMALL_DISK");
  if (disk == nullptr) GTEST_SKIP() << "a small disk takes the right to mount one: run hdf5_disk_full.sh as root";
  const std::string path = std::string(disk) + "/out.h5";
  try {
    Hdf5Sink sink(test::control(), {.path = path, .job_id = "1", .extents = {{1, 16, 1, 512, 512}}});
    ADD_FAILURE() << "16 MiB fit a disk of 2 MiB";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::Io);
    EXPECT_NE(std::string(error.what()).find("no space for the output"), std::string::npos) << error.what();
  }
  test::control().barrier();
  EXPECT_TRUE(std::filesystem::is_empty(disk));
}

}  // namespace
}  // namespace parconv
