// Work that can fail on one rank, so that all ranks fail together and none is left waiting.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "parconv/comm/control.hpp"
#include "parconv/comm/job_error.hpp"

namespace parconv {

/// The Error that stands for any exception: an Error as it is, Bug and all that is unknown with ExitCode::Bug, std::bad_alloc
/// with ExitCode::OutOfMemory. Precondition: not null.
Error to_error(const std::exception_ptr& exception);

/// Collective: every rank tells whether it failed (null: it did not). If any did, all throw the JobError of the lowest one. The
/// place of an error that is a JobError already is kept.
void agree_on_failure(Control& control, const std::string& phase, const std::exception_ptr& exception);

/// Collective: runs `work` on every rank and returns its result, or throws the same JobError on every rank if it threw on any.
/// `phase` names the work in the error ("reading the model"). A rank that throws must not leave others inside a collective call
/// that `work` makes: agree before each of those.
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
