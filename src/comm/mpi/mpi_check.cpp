// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi/mpi_check.hpp"

#include <array>
#include <string_view>

#include "parconv/core/error.hpp"

namespace parconv::mpi {
namespace {

std::string text_of(int status) {
  std::array<char, MPI_MAX_ERROR_STRING + 1> text{};
  int length = 0;
  if (MPI_Error_string(status, text.data(), &length) != MPI_SUCCESS) return concat("error ", status);
  return {text.data(), static_cast<std::size_t>(length)};
}

bool is_out_of_memory(int status) {
  int error_class = MPI_SUCCESS;
  return MPI_Error_class(status, &error_class) == MPI_SUCCESS && error_class == MPI_ERR_NO_MEM;
}

std::string_view file_name_of(const std::source_location& where) {
  const std::string_view path = where.file_name();
  return path.substr(path.find_last_of('/') + 1);
}

}  // namespace

void check(int status, const char* call, std::source_location where) {
  if (status == MPI_SUCCESS) return;
  if (is_out_of_memory(status))
    throw Error(ExitCode::OutOfMemory,
                concat(call, " failed: ", text_of(status), " (", file_name_of(where), ":", where.line(), ")"),
                "Use more hosts, or a smaller micro-batch.");
  throw Error(ExitCode::Communication,
              concat(call, " failed: ", text_of(status), " (", file_name_of(where), ":", where.line(), ")"),
              "Check which rank ended first, and the network between the hosts.");
}

bool is_running() {
  int is_initialized = 0;
  int is_finalized = 0;
  MPI_Initialized(&is_initialized);
  MPI_Finalized(&is_finalized);
  return is_initialized != 0 && is_finalized == 0;
}

std::string processor_name() {
  std::array<char, MPI_MAX_PROCESSOR_NAME + 1> name{};
  int length = 0;
  check(MPI_Get_processor_name(name.data(), &length), "MPI_Get_processor_name");
  return {name.data(), static_cast<std::size_t>(length)};
}

}  // namespace parconv::mpi
