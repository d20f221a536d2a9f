// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <cstdio>
#include <cstdlib>

namespace parconv::emulator {
namespace {

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  if (text == nullptr || *text == '\0') return otherwise;
  char* end = nullptr;
  const std::uint64_t value = std::strtoull(text, &end, 10);
  if (*end != '\0') abort_with(name);
  return value;
}

Settings read_settings() {
  Settings read;
  read.gpus = static_cast<int>(number("PARCONV_EMULATOR_GPUS", static_cast<std::uint64_t>(read.gpus)));
  read.memory_bytes = number("PARCONV_EMULATOR_MEMORY", read.memory_bytes);
  read.delay = std::chrono::microseconds(number("PARCONV_EMULATOR_DELAY", 0));
  read.seed = number("PARCONV_EMULATOR_SEED", read.seed) * 1000 + number("OMPI_COMM_WORLD_RANK", 0);
  read.faulty_launch = number("PARCONV_EMULATOR_FAULT", 0);
  read.lost_exchange = number("PARCONV_EMULATOR_LOST", 0);
  return read;
}

}  // namespace

const Settings& settings() {
  static const auto& read = *new Settings(read_settings());
  return read;
}

void abort_with(const char* what) {
  std::fprintf(stderr, "CUDA emulator: %s\n", what);
  std::abort();
}

}  // namespace parconv::emulator
