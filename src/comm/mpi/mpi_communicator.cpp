// SPDX-License-Identifier: Apache-2.0
#include "parconv/comm/mpi/mpi_communicator.hpp"

#include <algorithm>
#include <limits>
#include <thread>
#include <vector>

#include "comm/mpi/mpi_check.hpp"
#include "comm/mpi/mpi_handle.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using mpi::check;

/// Calls visit(offset, bytes) for the chunks of a message: 10 bytes in chunks of 4 are 4, 4 and 2. None for an empty message.
template <class Visit>
void for_each_chunk(std::size_t size_bytes, std::size_t chunk_bytes, Visit&& visit) {
  for (std::size_t offset = 0; offset < size_bytes; offset += chunk_bytes)
    visit(offset, static_cast<int>(std::min(chunk_bytes, size_bytes - offset)));
}

/// Polls of MPI, about 50 us in total, before a waiting rank yields: longer than a message between idle cores, shorter than a
/// time slice. Ranks may share a core with the peer that they wait for.
constexpr int polls_before_yielding = 200;

class MpiExchange final : public UncapturedExchange {
 public:
  MpiExchange() = default;
  ~MpiExchange() override { release(); }
  MpiExchange(const MpiExchange&) = delete;
  MpiExchange& operator=(const MpiExchange&) = delete;

  /// Receives are added before sends, so that they are posted first.
  void add(MPI_Request request, int received_bytes) {
    requests_.push_back(request);
    received_bytes_.push_back(received_bytes);
    statuses_.resize(requests_.size());
  }

  void start() override {
    PARCONV_EXPECT(!is_active_, "an exchange is started before it is finished");
    is_active_ = true;
    reset_statuses();
    // One by one: MPI_Startall may start in any order, and messages between two ranks match in the order they are started.
    for (MPI_Request& request : requests_) check(MPI_Start(&request), "MPI_Start");
  }

  void finish() override {
    // Not MPI_Waitall: Open MPI 4.1 hangs if a message fails during the wait (test: ReportsALetterThatIsTooLong).
    for (int poll = 0; !test(); ++poll)
      if (poll >= polls_before_yielding) std::this_thread::yield();
  }

  bool test() override {
    if (!is_active_) return true;
    int is_complete = 0;
    const int status = MPI_Testall(num_requests(), requests_.data(), &is_complete, statuses_.data());
    if (status == MPI_ERR_IN_STATUS || is_complete != 0) check_statuses();
    check(status, "MPI_Testall");
    if (is_complete == 0) return false;
    check_sizes();
    is_active_ = false;
    return true;
  }

 private:
  int num_requests() const { return static_cast<int>(requests_.size()); }

  /// Checked even after MPI_SUCCESS, which Open MPI 4.1 returns for failed persistent requests. Libraries that do not write the
  /// field leave the value of reset_statuses.
  void check_statuses() const {
    for (const MPI_Status& status : statuses_)
      if (status.MPI_ERROR != MPI_ERR_PENDING) check(status.MPI_ERROR, "MPI_Testall");
  }

  void reset_statuses() {
    for (MPI_Status& status : statuses_) status.MPI_ERROR = MPI_SUCCESS;
  }

  /// MPI accepts a message that is shorter than its buffer, but the rest of the buffer keeps stale bytes.
  void check_sizes() const {
    for (std::size_t i = 0; i < statuses_.size() && received_bytes_[i] > 0; ++i) {
      int count = 0;
      check(MPI_Get_count(&statuses_[i], MPI_BYTE, &count), "MPI_Get_count");
      PARCONV_EXPECT(count == received_bytes_[i], "rank ", statuses_[i].MPI_SOURCE, " sent ", count, " bytes, ",
                     received_bytes_[i], " were expected");
    }
  }

  /// Active requests, as after an error, are leaked: completing them could deadlock.
  void release() {
    if (is_active_ || !mpi::is_running()) return;
    for (MPI_Request& request : requests_)
      if (request != MPI_REQUEST_NULL) MPI_Request_free(&request);
  }

  std::vector<MPI_Request> requests_{};
  std::vector<MPI_Status> statuses_{};
  std::vector<int> received_bytes_{};  // 0 for a send
  bool is_active_ = false;
};

int library_tags() {
  void* value = nullptr;
  int is_found = 0;
  check(MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &value, &is_found), "MPI_Comm_get_attr");
  const int largest = is_found != 0 ? *static_cast<const int*>(value) : 32767;  // the minimum of the MPI standard
  return std::min(largest, std::numeric_limits<int>::max() - 1) + 1;
}

class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator(mpi::Handle handle, const MpiOptions& options)
      : handle_(std::move(handle)), rank_(handle_.rank()), size_(handle_.size()), options_(options), num_tags_(library_tags()) {
    if (options_.num_tags > 0) num_tags_ = std::min(num_tags_, options_.num_tags);
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  std::unique_ptr<Exchange> prepare(int order, std::span<const SendMessage> sends,
                                    std::span<const ReceiveMessage> receives) override {
    PARCONV_EXPECT(order >= 0, "order ", order);
    auto exchange = std::make_unique<MpiExchange>();
    for (const ReceiveMessage& message : receives) add_receive(*exchange, message, order % num_tags_);
    for (const SendMessage& message : sends) add_send(*exchange, message, order % num_tags_);
    return exchange;
  }

  void progress() override {
    int is_found = 0;
    check(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, handle_.get(), &is_found, MPI_STATUS_IGNORE), "MPI_Iprobe");
  }

  void poll() override { progress(); }
  std::string capture_problem() const override { return host_takes_part; }

  void barrier() override { check(MPI_Barrier(handle_.get()), "MPI_Barrier"); }

 private:
  void add_receive(MpiExchange& exchange, const ReceiveMessage& message, int tag) const {
    expect_peer(message.peer);
    for_each_chunk(message.size_bytes, options_.chunk_bytes, [&](std::size_t offset, int bytes) {
      MPI_Request request = MPI_REQUEST_NULL;
      check(MPI_Recv_init(message.data + offset, bytes, MPI_BYTE, message.peer, tag, handle_.get(), &request), "MPI_Recv_init");
      exchange.add(request, bytes);
    });
  }

  void add_send(MpiExchange& exchange, const SendMessage& message, int tag) const {
    expect_peer(message.peer);
    for_each_chunk(message.size_bytes, options_.chunk_bytes, [&](std::size_t offset, int bytes) {
      MPI_Request request = MPI_REQUEST_NULL;
      check(MPI_Send_init(message.data + offset, bytes, MPI_BYTE, message.peer, tag, handle_.get(), &request), "MPI_Send_init");
      exchange.add(request, 0);
    });
  }

  void expect_peer(int peer) const { PARCONV_EXPECT(peer >= 0 && peer < size_, "peer ", peer, " of ", size_, " ranks"); }

  mpi::Handle handle_;
  int rank_;
  int size_;
  MpiOptions options_;
  int num_tags_;
};

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator(const Control& control, const MpiOptions& options) {
  PARCONV_EXPECT(options.chunk_bytes > 0 && options.chunk_bytes <= std::size_t{std::numeric_limits<int>::max()},
                 options.chunk_bytes, " bytes");
  const MPI_Comm comm = *static_cast<const MPI_Comm*>(control.native_handle());
  return std::make_unique<MpiCommunicator>(mpi::Handle::duplicate(comm), options);
}

}  // namespace parconv
