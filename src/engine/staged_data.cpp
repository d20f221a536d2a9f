#include "engine/staged_data.hpp"

#include "engine/waiting.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

OperandLayout dense_layout(const OperandLayout& layout) {
  const Box box = Box::whole(layout.extents);
  return layout_within(box, box, layout.type);
}

std::size_t bytes_of(const OperandLayout& layout) {
  return static_cast<std::size_t>(volume(layout.extents)) * size_of(layout.type);
}

std::vector<StagingTurn> make_turns(Device& device, const OperandLayout& layout) {
  std::vector<StagingTurn> turns;
  if (device.is_host()) return turns;
  for (int turn = 0; turn < 2; ++turn) turns.emplace_back(device, layout);
  return turns;
}

std::size_t bytes_of(const std::vector<StagingTurn>& turns) {
  std::size_t bytes = 0;
  for (const StagingTurn& turn : turns) bytes += turn.memory.size();
  return bytes;
}

}  // namespace

StagingTurn::StagingTurn(Device& device, const OperandLayout& like)
    : layout(dense_layout(like)), memory(device.allocate(bytes_of(layout), MemoryKind::Pinned)), is_done(device.make_event()) {}

BlockReader::BlockReader(Device& device, Communicator& communicator, const RegionAddress& dst)
    : device_(device), communicator_(communicator), dst_(dst), turns_(make_turns(device, dst.layout)) {}

void BlockReader::read(DataSource& source, const Box& box, index_t micro_batch) {
  if (turns_.empty()) return source.read(box, dst_.view(micro_batch));
  StagingTurn& turn = turns_[now_];
  now_ = 1 - now_;
  wait_for(*turn.is_done, communicator_);
  source.read(box, turn.view());
  device_.upload(turn.view(), dst_.view(micro_batch), DeviceLane::Compute);
  turn.is_done->record(DeviceLane::Compute);
}

std::size_t BlockReader::pinned_bytes() const { return bytes_of(turns_); }

BlockWriter::BlockWriter(Device& device, Communicator& communicator, const RegionAddress& src)
    : device_(device), communicator_(communicator), src_(src), turns_(make_turns(device, src.layout)) {}

void BlockWriter::write(DataSink& sink, const Box& box, index_t micro_batch) {
  if (turns_.empty()) return sink.write(box, src_.view(micro_batch));
  StagingTurn& turn = turns_[now_];
  PARCONV_EXPECT(pending_[now_].sink == nullptr, "a block is not handed over");
  device_.download(src_.view(micro_batch), turn.view(), DeviceLane::Compute);
  turn.is_done->record(DeviceLane::Compute);
  pending_[now_] = {&sink, box};
  now_ = 1 - now_;
  hand_over(now_);
}

void BlockWriter::flush() {
  hand_over(now_);
  hand_over(1 - now_);
}

void BlockWriter::hand_over(std::size_t turn) {
  Pending& pending = pending_[turn];
  if (pending.sink == nullptr) return;
  wait_for(*turns_[turn].is_done, communicator_);
  pending.sink->write(pending.box, turns_[turn].view());
  pending.sink = nullptr;
}

std::size_t BlockWriter::pinned_bytes() const { return bytes_of(turns_); }

}  // namespace parconv
