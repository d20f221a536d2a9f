// SPDX-License-Identifier: Apache-2.0
// Builds without CUDA: there is no NCCL.
#include "parconv/comm/device_communicators.hpp"

#include "parconv/core/error.hpp"

#ifndef PARCONV_HAVE_CUDA
namespace parconv {

std::unique_ptr<Communicator> make_nccl_communicator(Control&, Device&, const NcclOptions&) {
  throw Error(ExitCode::Unavailable, "this build has no NCCL support (PARCONV_CUDA=OFF)", "Use --transport staged or mpi.");
}

}  // namespace parconv
#endif
