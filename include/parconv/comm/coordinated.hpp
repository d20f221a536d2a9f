// SPDX-License-Identifier: Apache-2.0
// Runs work that may fail on one rank, so that all ranks fail together and none deadlocks.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "parconv/comm/control.hpp"
#include "parconv/comm/job_error.hpp"

namespace parconv {

/// Converts any exception to an Error: an Error is unchanged, std::bad_alloc and limits of the system become
/// ExitCode::OutOfMemory, Bug and all others become ExitCode::Bug. Local. Precondition: not null.
Error to_error(const std::exception_ptr& exception);

/// Agrees on failure. Collective, blocking. `exception` is null on ranks that succeeded. If any rank failed, all throw the
/// JobError of the lowest failed rank. An exception that already is a JobError keeps its place.
void agree_on_failure(Control& control, const std::string& phase, const std::exception_ptr& exception);

/// Runs `work` on every rank and returns its result. Collective, blocking. Throws the same JobError on every rank if `work`
/// throws on any. `phase` names the work in the error ("reading the model"). If `work` itself makes collective calls, agree
/// before each of them: a rank that throws earlier would deadlock the others.
template <class Work>
auto coordinated(Control& control, const std::string& phase, Work&& work) -> std::invoke_result_t<Work&> {
  using Result = std::invoke_result_t<Work&>;
  static_assert(!std::is_reference_v<Result>, "coordinated work returns a value or nothing");
  std::exception_ptr failure;
  if constexpr (std::is_void_v<Result>) {
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
    agree_on_failure(control, phase, failure);
  } else {
    std::optional<Result> result;
    try {
      result.emplace(work());
    } catch (...) {
      failure = std::current_exception();
    }
    agree_on_failure(control, phase, failure);
    return *std::move(result);
  }
}

}  // namespace parconv
