// SPDX-License-Identifier: Apache-2.0
#include "parconv/session/machine.hpp"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <thread>

namespace parconv {
namespace {

int num_cores_allowed() {
  const auto allowed = static_cast<int>(cores_allowed().size());
  return allowed > 0 ? allowed : num_cores();
}

}  // namespace

std::vector<int> cores_allowed() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (::sched_getaffinity(0, sizeof(set), &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  return cores;
}

int default_threads(const Control& control) {
  const int allowed = num_cores_allowed();
  const bool is_bound = allowed < num_cores();
  return std::max(1, is_bound ? allowed : allowed / control.node_size());
}

int num_hosts(const Control& control) {
  const std::set<std::string> names(control.host_names().begin(), control.host_names().end());
  return static_cast<int>(names.size());
}

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (const std::size_t colon = line.find(": "); colon != std::string::npos) return line.substr(colon + 2);
  return "unknown CPU";
}

int num_cores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

index_t peak_process_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<index_t>(usage.ru_maxrss) * 1024;
}

}  // namespace parconv
