// SPDX-License-Identifier: Apache-2.0
#include "versions.hpp"

#include "git_revision.hpp"

namespace parconv::app {

std::string version() { return PARCONV_VERSION; }
std::string git_revision() { return PARCONV_GIT_REVISION; }

std::string compiler() {
#if defined(__clang__)
  return "clang++ " __clang_version__;
#elif defined(__GNUC__)
  return "g++ " __VERSION__;
#else
  return "unknown compiler";
#endif
}

}  // namespace parconv::app
