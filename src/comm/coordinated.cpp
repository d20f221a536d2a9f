// SPDX-License-Identifier: Apache-2.0
#include "parconv/comm/coordinated.hpp"

#include <new>

namespace parconv {
namespace {

/// The place stored in `exception` if it is a JobError, otherwise this rank in `phase`.
JobPlace place_of(const std::exception_ptr& exception, const Control& control, const std::string& phase) {
  try {
    std::rethrow_exception(exception);
  } catch (const JobError& error) {
    return error.place();
  } catch (...) {
    return {.rank = control.rank(), .host = control.host_name(), .phase = phase};
  }
}

int broadcast_number(Control& control, int number, int root) {
  return std::stoi(control.broadcast(std::to_string(number), root));
}

/// Broadcasts the error of `root`.
JobError broadcast_error(Control& control, const JobError& mine, int root) {
  const auto code = static_cast<ExitCode>(broadcast_number(control, static_cast<int>(mine.code()), root));
  const std::string message = control.broadcast(mine.what(), root);
  const std::string hint = control.broadcast(mine.hint(), root);
  const int rank = broadcast_number(control, mine.rank(), root);
  const std::string host = control.broadcast(mine.host(), root);
  const std::string phase = control.broadcast(mine.phase(), root);
  return JobError(Error(code, message, hint), {.rank = rank, .host = host, .phase = phase});
}

}  // namespace

Error to_error(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ExitCode::OutOfMemory, "not enough memory", "Use more ranks, a smaller micro-batch, or hosts with more memory.");
  } catch (const std::exception& error) {
    return Error(ExitCode::Bug, error.what(), "This is a bug in parconv: please report it with the command line.");
  } catch (...) {
    return Error(ExitCode::Bug, "an exception of unknown type",
                 "This is a bug in parconv: please report it with the command line.");
  }
}

void agree_on_failure(Control& control, const std::string& phase, const std::exception_ptr& exception) {
  const int none = control.size();
  const int lowest = static_cast<int>(control.min(exception ? control.rank() : none));
  if (lowest == none) return;
  const JobError mine = exception ? JobError(to_error(exception), place_of(exception, control, phase))
                                  : JobError(Error(ExitCode::Ok, ""), JobPlace{});
  throw broadcast_error(control, mine, lowest);
}

}  // namespace parconv
