// SPDX-License-Identifier: Apache-2.0
#include "parconv/core/error.hpp"

namespace parconv {

void fail_expectation(std::string_view expression, const std::string& details, std::source_location where) {
  std::string message = concat("expected ", expression, " at ", where.file_name(), ":", where.line());
  if (!details.empty()) message += concat(" (", details, ")");
  throw Bug(message);
}

}  // namespace parconv
