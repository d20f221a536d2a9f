// SPDX-License-Identifier: Apache-2.0
#include "parconv/comm/pending_max.hpp"

#include <algorithm>
#include <vector>

#include "comm/mpi/mpi_check.hpp"
#include "comm/mpi/mpi_handle.hpp"
#include "parconv/core/error.hpp"

namespace parconv {

struct PendingMax::State {
  Control& control;
  std::vector<index_t> own;
  std::vector<index_t> all;
  MPI_Request request = MPI_REQUEST_NULL;
  bool is_pending = false;
};

PendingMax::PendingMax(Control& control, std::size_t size)
    : state_(new State{.control = control, .own = std::vector<index_t>(size), .all = std::vector<index_t>(size)}) {}
PendingMax::~PendingMax() = default;
PendingMax::PendingMax(PendingMax&&) noexcept = default;

bool PendingMax::is_pending() const { return state_->is_pending; }

void PendingMax::start(std::span<const index_t> values) {
  State& state = *state_;
  PARCONV_EXPECT(!state.is_pending && values.size() == state.own.size(), values.size());
  std::copy(values.begin(), values.end(), state.own.begin());
  state.is_pending = true;
  if (state.control.size() == 1) {
    state.all = state.own;
    return;
  }
  const MPI_Comm comm = *static_cast<const MPI_Comm*>(state.control.native_handle());
  mpi::check(MPI_Iallreduce(state.own.data(), state.all.data(), static_cast<int>(state.own.size()), MPI_INT64_T, MPI_MAX, comm,
                            &state.request),
             "MPI_Iallreduce");
}

std::span<const index_t> PendingMax::finish() {
  PARCONV_EXPECT(state_->is_pending);
  RankPulse* const pulse = state_->control.pulse();
  const ActivityScope waiting(pulse, Activity::Waiting);
  if (pulse != nullptr) pulse->count_meeting();
  mpi::check(MPI_Wait(&state_->request, MPI_STATUS_IGNORE), "MPI_Wait");
  state_->is_pending = false;
  return state_->all;
}

}  // namespace parconv
