// SPDX-License-Identifier: Apache-2.0
// Threads around HDF5, which may be called from one thread only: the one that calls these functions.
#pragma once

#include <functional>

#include "parconv/core/types.hpp"

namespace parconv::hdf5 {

/// Calls work(thread) for each thread number below `threads` at the same time, and rethrows the first exception.
void on_throwing_threads(int threads, const std::function<void(int thread)>& work);

/// Work on an item with the buffer of this number.
using Stage = std::function<void(index_t item, std::size_t buffer)>;

/// Which of two stages runs on the calling thread.
enum class CallerStage { First, Second };

/// Two stages of work on items 0, 1, ...: one on the calling thread, in order, the other on further threads at the same time.
struct Stages {
  CallerStage caller = CallerStage::First;
  Stage first{};
  Stage second{};
};

/// The number of buffers that run_stages uses with so many threads.
std::size_t num_stage_buffers(int threads);

/// Runs both stages of every item, the first one before the second; a buffer belongs to an item until its second stage is over.
/// Rethrows the first exception, without beginning further items.
void run_stages(index_t items, int threads, const Stages& stages);

}  // namespace parconv::hdf5
