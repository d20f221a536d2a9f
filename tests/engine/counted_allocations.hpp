// Allocations by operator new, counted in programs that link counted_allocations.cpp. What libraries allocate for themselves is
// left out: they call malloc, or operator new from their own shared objects.
#pragma once

namespace parconv::test {

/// Counts from its construction on; one at a time.
class AllocationCounter {
 public:
  AllocationCounter();
  ~AllocationCounter();
  AllocationCounter(const AllocationCounter&) = delete;
  AllocationCounter& operator=(const AllocationCounter&) = delete;

  int count() const;
};

}  // namespace parconv::test
