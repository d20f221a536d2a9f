// What was built.
#pragma once

#include <string>

namespace parconv::app {

std::string version();
/// The commit, with "-dirty" if files were changed.
std::string git_revision();
std::string compiler();

}  // namespace parconv::app
