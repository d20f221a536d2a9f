// SPDX-License-Identifier: Apache-2.0
#include "comm/heartbeat/board.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

constexpr mode_t only_owner = S_IRUSR | S_IWUSR;

std::size_t size_bytes(int num_ranks) { return static_cast<std::size_t>(num_ranks) * sizeof(PulseCell); }

/// A shared memory object with its memory reserved: writing to it cannot fail later. -1 if that is impossible.
int create(const std::string& name, int num_ranks) {
  const int file = ::shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, only_owner);
  if (file < 0) return -1;
  if (::posix_fallocate(file, 0, static_cast<off_t>(size_bytes(num_ranks))) == 0) return file;
  ::close(file);
  ::shm_unlink(name.c_str());
  return -1;
}

}  // namespace

std::unique_ptr<PulseBoard> PulseBoard::map(int file, int num_ranks) {
  if (file < 0) return nullptr;
  void* const address = ::mmap(nullptr, size_bytes(num_ranks), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (address == MAP_FAILED) return nullptr;
  // Zeros are cells of absent ranks, so nothing is constructed here.
  const auto cells = std::span(std::launder(static_cast<PulseCell*>(address)), static_cast<std::size_t>(num_ranks));
  return std::unique_ptr<PulseBoard>(new PulseBoard(cells));
}

std::unique_ptr<PulseBoard> PulseBoard::make(Control& control, std::span<const int> host_of_rank, const std::string& name) {
  const int host = host_of_rank[static_cast<std::size_t>(control.rank())];
  const std::string own_name = concat('/', name, '-', host);
  const auto first = std::find(host_of_rank.begin(), host_of_rank.end(), host);
  const bool creates = first - host_of_rank.begin() == control.rank();
  std::unique_ptr<PulseBoard> board;
  if (creates) board = map(create(own_name, control.size()), control.size());
  const bool is_created = control.min(!creates || board != nullptr) == 1;
  if (is_created && !creates) board = map(::shm_open(own_name.c_str(), O_RDWR, only_owner), control.size());
  const bool is_mapped = control.min(board != nullptr) == 1;
  if (creates && board != nullptr) ::shm_unlink(own_name.c_str());
  return is_mapped ? std::move(board) : nullptr;
}

PulseBoard::~PulseBoard() { ::munmap(cells_.data(), cells_.size_bytes()); }

}  // namespace parconv
