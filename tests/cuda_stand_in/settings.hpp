// What the environment asks of the stand-in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace parconv::stand_in {

struct Settings {
  int gpus = 1;                            ///< PARCONV_STAND_IN_GPUS
  std::size_t memory_bytes = 4ULL << 30U;  ///< PARCONV_STAND_IN_MEMORY, of each GPU and in each process
  std::chrono::microseconds delay{0};      ///< PARCONV_STAND_IN_DELAY, the longest wait of a stream before some of its work
  std::uint64_t seed = 1;           ///< PARCONV_STAND_IN_SEED, of the delays and of the order in graphs; each rank has others
  std::uint64_t faulty_launch = 0;  ///< PARCONV_STAND_IN_FAULT, the number of the launch that reads a wrong address; 0 is none
  std::uint64_t lost_exchange = 0;  ///< PARCONV_STAND_IN_LOST, the number of the group of messages before which connections break
};

const Settings& settings();

/// Ends the process where a program asks for what CUDA does not allow, or what the stand-in does not know.
[[noreturn]] void give_up(const char* what);

}  // namespace parconv::stand_in
