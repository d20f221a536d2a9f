// SPDX-License-Identifier: Apache-2.0
// docs/results/operators.md lists the operators that the ONNX reader accepts. With PARCONV_WRITE_PAGES set, the test writes the
// page.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "io/onnx/constants/fold.hpp"
#include "io/onnx/ops/onnx_ops.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

constexpr const char* path = PARCONV_DOCS "/results/operators.md";

std::string page() {
  std::string text =
      "# Operators\n\n"
      "The ONNX operators that are read, and the oldest operator set whose form of each is accepted. Written by\n"
      "`PARCONV_WRITE_PAGES=1 ctest -R operators_page_test`.\n\n"
      "| operator | operator set |\n|---|---|\n";
  std::istringstream names(supported_operators());
  for (std::string name; std::getline(names >> std::ws, name, ',');)
    text += concat("| ", name, " | ", oldest_opset(name), " |\n");
  text += "\n## On constants\n\nThese are evaluated when a model is read, if all their inputs are constants:\n\n";
  for (const std::string_view name : foldable_operators()) text += concat("* ", name, "\n");
  return text;
}

std::string contents() {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(OperatorsPage, IsCurrent) {
  if (std::getenv("PARCONV_WRITE_PAGES") != nullptr) std::ofstream(path) << page();
  EXPECT_EQ(contents(), page());
}

}  // namespace
}  // namespace parconv
