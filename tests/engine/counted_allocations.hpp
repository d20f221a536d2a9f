// SPDX-License-Identifier: Apache-2.0
// Counts allocations by operator new in programs that link counted_allocations.cpp. Allocations of libraries are excluded: they
// call malloc, or operator new from their own shared objects.
#pragma once

namespace parconv::test {

/// Counts allocations since its construction; at most one exists.
class AllocationCounter {
 public:
  AllocationCounter();
  ~AllocationCounter();
  AllocationCounter(const AllocationCounter&) = delete;
  AllocationCounter& operator=(const AllocationCounter&) = delete;

  int count() const;
};

}  // namespace parconv::test
