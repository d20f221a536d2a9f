// SPDX-License-Identifier: Apache-2.0
// Calls with literal results, on every backend that needs no GPU.
#include <gtest/gtest.h>

#include "compute/direct/cpu_backend.hpp"
#include "compute/elements/host_executor.hpp"
#include "compute/kind_cases.hpp"
#include "compute/local_op_case.hpp"
#include "compute/onednn/onednn_backend.hpp"

namespace parconv::test {
namespace {

/// The element functions of GPUs, on the host.
class ElementBackend final : public Backend {
 public:
  std::string name() const override { return "elements"; }
  MemoryRules memory_rules() const override { return {}; }
  std::unique_ptr<Kernel> prepare(const LocalOp& op, const FilterReader& /*read_filter*/) override {
    return element::make_element_kernel(op, HostExecutor{});
  }
};

std::vector<std::unique_ptr<Backend>> backends() {
  std::vector<std::unique_ptr<Backend>> all;
  all.push_back(make_reference_backend());
  all.push_back(make_cpu_backend(1));
  all.push_back(make_onednn_backend(1));
  all.push_back(std::make_unique<ElementBackend>());
  return all;
}

void expect_result(Backend& backend, const LiteralCall& call) {
  const std::vector<Operand> srcs{{call.src.extents, call.src.values}};
  EXPECT_EQ(run_op(backend, {.kind = call.kind}, srcs, call.dst.extents), call.dst.values) << backend.name();
}

TEST(LiteralCalls, HaveTheirResultsOnEveryBackend) {
  int num_calls = 0;
  for (const KindCase& kind : all_kinds()) {
    if (kind.literal_calls == nullptr) continue;
    for (const LiteralCall& call : kind.literal_calls()) {
      SCOPED_TRACE(concat(kind.name, " call ", num_calls++));
      for (const auto& backend : backends()) expect_result(*backend, call);
    }
  }
  EXPECT_GE(num_calls, 1);
}

}  // namespace
}  // namespace parconv::test
