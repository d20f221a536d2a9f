// SPDX-License-Identifier: Apache-2.0
// A maximum over ranks that is computed while they work.
#pragma once

#include <memory>
#include <span>

#include "parconv/comm/control.hpp"

namespace parconv {

/// A non-blocking reduction over the ranks of a group. All ranks start and finish it in the same order, relative to all other
/// calls of the group.
class PendingMax {
 public:
  /// The group must outlive it. `size` values are reduced at once.
  PendingMax(Control& control, std::size_t size);
  ~PendingMax();
  PendingMax(PendingMax&&) noexcept;

  /// Starts with the values of this rank. Collective, does not block. Precondition: none is pending. Throws
  /// Error(Communication).
  void start(std::span<const index_t> values);
  bool is_pending() const;
  /// Blocks until all ranks have started; returns the maxima, valid until the next start. Precondition: one is pending. Throws
  /// Error(Communication).
  std::span<const index_t> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace parconv
