// SPDX-License-Identifier: Apache-2.0
#include "session/devices/rank_memory_text.hpp"

#include <algorithm>
#include <sstream>

namespace parconv {
namespace {

/// Lines end a text.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string next_line(std::istringstream& in) {
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace

std::string to_text(const RankMemory& memory) {
  const HostMemoryNeed& need = memory.need;
  std::ostringstream out;
  out.exceptions(std::ios_base::badbit);  // also of memory
  out << memory.rank << ' ' << memory.held_bytes << ' ' << need.buffer_bytes << ' ' << need.message_bytes << ' '
      << need.weight_bytes << ' ' << need.reading_bytes << ' ' << need.file_bytes << ' ' << memory.limits.size() << '\n';
  for (const MemoryLimit& limit : memory.limits)
    out << static_cast<int>(limit.scope) << ' ' << limit.total_bytes << ' ' << limit.free_bytes << '\n'
        << one_line(limit.name) << '\n'
        << one_line(limit.id) << '\n';
  return out.str();
}

RankMemory rank_memory_from(const std::string& text) {
  std::istringstream in(text);
  in.exceptions(std::ios_base::badbit);
  RankMemory memory;
  HostMemoryNeed& need = memory.need;
  std::size_t count = 0;
  in >> memory.rank >> memory.held_bytes >> need.buffer_bytes >> need.message_bytes >> need.weight_bytes >> need.reading_bytes >>
      need.file_bytes >> count;
  for (std::size_t k = 0; k < count; ++k) {
    MemoryLimit limit;
    int scope = 0;
    in >> scope >> limit.total_bytes >> limit.free_bytes >> std::ws;
    limit.scope = static_cast<LimitScope>(scope);
    limit.name = next_line(in);
    limit.id = next_line(in);
    memory.limits.push_back(std::move(limit));
  }
  PARCONV_EXPECT(!in.fail(), text);
  return memory;
}

}  // namespace parconv
