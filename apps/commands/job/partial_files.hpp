// SPDX-License-Identifier: Apache-2.0
// Partial files that earlier jobs left: named, and removed on request.
#pragma once

#include <span>
#include <string>

namespace parconv::app {

/// Names the partial files of other jobs than `job_id` in one note; empty if there are none. Local.
std::string note_of_partial_files(std::span<const std::string> outputs, const std::string& job_id);

/// Removes those whose jobs are certainly dead, and prints one line for each. Local.
void discard_partial_files(std::span<const std::string> outputs);

}  // namespace parconv::app
