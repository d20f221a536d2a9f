// SPDX-License-Identifier: Apache-2.0
#include "parconv/comm/control.hpp"

#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "comm/mpi/mpi_check.hpp"
#include "comm/mpi/mpi_handle.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using mpi::check;

constexpr index_t max_count = std::numeric_limits<int>::max();

MPI_Op op_of(ReduceOp op) {
  switch (op) {
    case ReduceOp::Min:
      return MPI_MIN;
    case ReduceOp::Max:
      return MPI_MAX;
    case ReduceOp::Sum:
      return MPI_SUM;
  }
  return MPI_OP_NULL;
}

template <class T>
void all_reduce_in_place(MPI_Comm comm, MPI_Op op, MPI_Datatype type, std::span<T> values) {
  if (values.empty()) return;
  PARCONV_EXPECT(values.size() <= static_cast<std::size_t>(max_count), values.size(), " elements");
  check(MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), type, op, comm), "MPI_Allreduce");
}

/// The names of all hosts by rank, exchanged as fields of one fixed width.
std::vector<std::string> gather_host_names(MPI_Comm comm, int size) {
  constexpr std::size_t width = MPI_MAX_PROCESSOR_NAME + 1;
  std::string mine = mpi::processor_name();
  mine.resize(width);
  std::vector<char> all(width * static_cast<std::size_t>(size));
  check(MPI_Allgather(mine.data(), static_cast<int>(width), MPI_CHAR, all.data(), static_cast<int>(width), MPI_CHAR, comm),
        "MPI_Allgather");
  std::vector<std::string> names;
  for (std::size_t at = 0; at < all.size(); at += width) names.emplace_back(all.data() + at);
  return names;
}

mpi::Handle split_by_node(MPI_Comm comm, int rank) {
  MPI_Comm node = MPI_COMM_NULL;
  check(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node), "MPI_Comm_split_type");
  return mpi::Handle(node);
}

/// The lowest rank of each rank's node, renumbered from 0.
std::vector<int> gather_nodes(MPI_Comm comm, int size, int first_rank_of_node) {
  std::vector<int> nodes(static_cast<std::size_t>(size));
  check(MPI_Allgather(&first_rank_of_node, 1, MPI_INT, nodes.data(), 1, MPI_INT, comm), "MPI_Allgather");
  std::map<int, int> numbers;
  for (int& node : nodes) node = numbers.try_emplace(node, static_cast<int>(numbers.size())).first->second;
  return nodes;
}

/// A collective call, published as a wait.
class Meeting {
 public:
  explicit Meeting(RankPulse* pulse) : scope_(pulse, Activity::Waiting) {
    if (pulse != nullptr) pulse->count_meeting();
  }

 private:
  ActivityScope scope_;
};

/// The offset of each text in the concatenation of all.
std::vector<int> offsets_of(const std::vector<int>& lengths) {
  std::vector<int> offsets(lengths.size());
  std::exclusive_scan(lengths.begin(), lengths.end(), offsets.begin(), 0);
  return offsets;
}

std::vector<std::string> parts_of(const std::string& all, const std::vector<int>& lengths, const std::vector<int>& offsets) {
  std::vector<std::string> parts;
  for (std::size_t k = 0; k < lengths.size(); ++k)
    parts.push_back(all.substr(static_cast<std::size_t>(offsets[k]), static_cast<std::size_t>(lengths[k])));
  return parts;
}

}  // namespace

struct Control::State {
  explicit State(mpi::Handle made) : handle(std::move(made)), rank(handle.rank()), size(handle.size()) {
    host_names = gather_host_names(handle.get(), size);
    const mpi::Handle node = split_by_node(handle.get(), rank);
    node_rank = node.rank();
    node_size = node.size();
    int first_rank = rank;
    check(MPI_Bcast(&first_rank, 1, MPI_INT, 0, node.get()), "MPI_Bcast");
    nodes = gather_nodes(handle.get(), size, first_rank);
  }

  mpi::Handle handle;
  int rank = 0;
  int size = 1;
  int node_rank = 0;
  int node_size = 1;
  std::vector<int> nodes{};
  std::vector<std::string> host_names{};
  RankPulse* pulse = nullptr;
};

Control::Control(const MpiEnvironment&) : Control(std::make_unique<State>(mpi::Handle::duplicate(MPI_COMM_WORLD))) {}
Control::Control(std::unique_ptr<State> state) : state_(std::move(state)) {}
Control::~Control() = default;
Control::Control(Control&&) noexcept = default;
Control& Control::operator=(Control&&) noexcept = default;

Control Control::split(int color) {
  const Meeting meeting(state_->pulse);
  MPI_Comm part = MPI_COMM_NULL;
  check(MPI_Comm_split(state_->handle.get(), color, state_->rank, &part), "MPI_Comm_split");
  Control group(std::make_unique<State>(mpi::Handle(part)));
  group.publish(state_->pulse);
  return group;
}

int Control::rank() const { return state_->rank; }
int Control::size() const { return state_->size; }
int Control::node_rank() const { return state_->node_rank; }
int Control::node_size() const { return state_->node_size; }
const std::vector<int>& Control::nodes() const { return state_->nodes; }
const std::vector<std::string>& Control::host_names() const { return state_->host_names; }
const std::string& Control::host_name() const { return state_->host_names[static_cast<std::size_t>(state_->rank)]; }
const void* Control::native_handle() const { return state_->handle.address(); }

RankPulse* Control::pulse() const { return state_->pulse; }
void Control::publish(RankPulse* pulse) { state_->pulse = pulse; }

void Control::barrier() {
  const Meeting meeting(state_->pulse);
  check(MPI_Barrier(state_->handle.get()), "MPI_Barrier");
}

void Control::all_reduce(ReduceOp op, std::span<index_t> values) {
  const Meeting meeting(state_->pulse);
  all_reduce_in_place(state_->handle.get(), op_of(op), MPI_INT64_T, values);
}

void Control::all_reduce(ReduceOp op, std::span<double> values) {
  const Meeting meeting(state_->pulse);
  all_reduce_in_place(state_->handle.get(), op_of(op), MPI_DOUBLE, values);
}

std::string Control::broadcast(const std::string& text, int root) {
  PARCONV_EXPECT(root >= 0 && root < size(), "root ", root, " of ", size(), " ranks");
  const Meeting meeting(state_->pulse);
  index_t length = static_cast<index_t>(text.size());
  check(MPI_Bcast(&length, 1, MPI_INT64_T, root, state_->handle.get()), "MPI_Bcast");
  PARCONV_EXPECT(length <= max_count, length, " bytes");
  std::string result = rank() == root ? text : std::string(static_cast<std::size_t>(length), '\0');
  check(MPI_Bcast(result.data(), static_cast<int>(length), MPI_CHAR, root, state_->handle.get()), "MPI_Bcast");
  return result;
}

std::vector<std::string> Control::gather(const std::string& text) {
  const index_t total = sum(text.size());  // known to all ranks, so that all throw
  PARCONV_EXPECT(total <= max_count, total, " bytes");
  const Meeting meeting(state_->pulse);
  const int length = static_cast<int>(text.size());
  std::vector<int> lengths(rank() == 0 ? static_cast<std::size_t>(size()) : 0);
  check(MPI_Gather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, 0, state_->handle.get()), "MPI_Gather");
  const std::vector<int> offsets = offsets_of(lengths);
  std::string all(rank() == 0 ? static_cast<std::size_t>(total) : 0, '\0');
  check(MPI_Gatherv(text.data(), length, MPI_CHAR, all.data(), lengths.data(), offsets.data(), MPI_CHAR, 0, state_->handle.get()),
        "MPI_Gatherv");
  return parts_of(all, lengths, offsets);
}

std::vector<std::string> Control::all_gather(const std::string& text) {
  const index_t total = sum(text.size());
  PARCONV_EXPECT(total <= max_count, total, " bytes");
  const Meeting meeting(state_->pulse);
  const int length = static_cast<int>(text.size());
  std::vector<int> lengths(static_cast<std::size_t>(size()));
  check(MPI_Allgather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, state_->handle.get()), "MPI_Allgather");
  const std::vector<int> offsets = offsets_of(lengths);
  std::string all(static_cast<std::size_t>(total), '\0');
  check(MPI_Allgatherv(text.data(), length, MPI_CHAR, all.data(), lengths.data(), offsets.data(), MPI_CHAR, state_->handle.get()),
        "MPI_Allgatherv");
  return parts_of(all, lengths, offsets);
}

bool Control::all_equal(const std::string& text) { return min(text == broadcast(text) ? 1 : 0) == 1; }

}  // namespace parconv
