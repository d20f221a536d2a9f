// SPDX-License-Identifier: Apache-2.0
// Processes of this host, by the kernel's words.
#pragma once

#include "parconv/comm/heartbeat/diagnosis.hpp"

namespace parconv {

/// The state of a process of this namespace, from /proc or, without it, by signal 0. Local. Source: proc_pid_stat(5).
ProcessState process_state(index_t pid);

}  // namespace parconv
