// SPDX-License-Identifier: Apache-2.0
// The version of this build.
#pragma once

#include <string>

namespace parconv::app {

std::string version();
/// The commit, with "-dirty" for a modified work tree.
std::string git_revision();
std::string compiler();

}  // namespace parconv::app
