// SPDX-License-Identifier: Apache-2.0
// Settings of the emulator, from environment variables.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace parconv::emulator {

struct Settings {
  int gpus = 1;                            ///< PARCONV_EMULATOR_GPUS
  std::size_t memory_bytes = 4ULL << 30U;  ///< PARCONV_EMULATOR_MEMORY, per GPU and process
  std::chrono::microseconds delay{0};      ///< PARCONV_EMULATOR_DELAY, the longest random delay before work of a stream
  std::uint64_t seed = 1;                  ///< PARCONV_EMULATOR_SEED, for delays and graph order; combined with the rank
  std::uint64_t faulty_launch = 0;         ///< PARCONV_EMULATOR_FAULT, index of the launch with an illegal address; 0 for none
  std::uint64_t lost_exchange = 0;  ///< PARCONV_EMULATOR_LOST, index of the message group that breaks connections; 0 for none
};

const Settings& settings();

/// Aborts the process: the program violated a rule of CUDA or used what the emulator does not support.
[[noreturn]] void abort_with(const char* what);

}  // namespace parconv::emulator
