#include "settings.hpp"

#include <cstdio>
#include <cstdlib>

namespace parconv::stand_in {
namespace {

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  if (text == nullptr || *text == '\0') return otherwise;
  char* end = nullptr;
  const std::uint64_t value = std::strtoull(text, &end, 10);
  if (*end != '\0') give_up(name);
  return value;
}

Settings read_settings() {
  Settings read;
  read.gpus = static_cast<int>(number("PARCONV_STAND_IN_GPUS", static_cast<std::uint64_t>(read.gpus)));
  read.memory_bytes = number("PARCONV_STAND_IN_MEMORY", read.memory_bytes);
  read.delay = std::chrono::microseconds(number("PARCONV_STAND_IN_DELAY", 0));
  read.seed = number("PARCONV_STAND_IN_SEED", read.seed) * 1000 + number("OMPI_COMM_WORLD_RANK", 0);
  read.faulty_launch = number("PARCONV_STAND_IN_FAULT", 0);
  read.lost_exchange = number("PARCONV_STAND_IN_LOST", 0);
  return read;
}

}  // namespace

const Settings& settings() {
  static const auto& read = *new Settings(read_settings());
  return read;
}

void give_up(const char* what) {
  std::fprintf(stderr, "CUDA stand-in: %s\n", what);
  std::abort();
}

}  // namespace parconv::stand_in
