// SPDX-License-Identifier: Apache-2.0
#include "parconv/comm/coordinated.hpp"

#include <new>
#include <stdexcept>
#include <system_error>

#include "parconv/device/resource_limits.hpp"

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

Error out_of_memory() {
  return {ExitCode::OutOfMemory, "not enough memory", "Use more ranks, a smaller micro-batch, or hosts with more memory."};
}

/// The standard library reports threads that could not be started, and files.
Error system_error(const std::system_error& error) {
  const std::string action = error.what();
  if (error.code() == std::errc::resource_unavailable_try_again) return thread_error("cannot start a thread");
  if (error.code() == std::errc::not_enough_memory) return out_of_memory();
  if (const auto limit = limit_error(action, error.code().value())) return *limit;
  return {ExitCode::Bug, action, "This is a bug in parconv: please report it with the command line."};
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
    return out_of_memory();
  } catch (const std::length_error&) {  // more elements than an address space holds
    return out_of_memory();
  } catch (const std::system_error& error) {
    return system_error(error);
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
