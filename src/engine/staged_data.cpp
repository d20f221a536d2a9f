#include "engine/staged_data.hpp"

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
  for (index_t turn = 0; turn < staging_turns; ++turn) turns.emplace_back(device, layout);
  return turns;
}

StagingTurn& turn_of(std::vector<StagingTurn>& turns, index_t micro_batch) {
  return turns[static_cast<std::size_t>(micro_batch % staging_turns)];
}

std::size_t bytes_of(const std::vector<StagingTurn>& turns) {
  std::size_t bytes = 0;
  for (const StagingTurn& turn : turns) bytes += turn.memory.size();
  return bytes;
}

}  // namespace

StagingTurn::StagingTurn(Device& device, const OperandLayout& like)
    : layout(dense_layout(like)), memory(device.allocate(bytes_of(layout), MemoryKind::Pinned)) {}

BlockReader::BlockReader(Device& device, const RegionAddress& dst)
    : device_(device), dst_(dst), turns_(make_turns(device, dst.layout)) {}

void BlockReader::fetch(DataSource& source, const Box& box, index_t micro_batch) {
  source.read(box, turns_.empty() ? dst_.view(micro_batch) : turn_of(turns_, micro_batch).view());
}

void BlockReader::upload(index_t micro_batch) {
  if (!turns_.empty()) device_.upload(turn_of(turns_, micro_batch).view(), dst_.view(micro_batch), DeviceLane::Compute);
}

std::size_t BlockReader::pinned_bytes() const { return bytes_of(turns_); }

BlockWriter::BlockWriter(Device& device, const RegionAddress& src)
    : device_(device), src_(src), turns_(make_turns(device, src.layout)) {}

void BlockWriter::download(index_t micro_batch) {
  if (!turns_.empty()) device_.download(src_.view(micro_batch), turn_of(turns_, micro_batch).view(), DeviceLane::Compute);
}

void BlockWriter::hand_over(DataSink& sink, const Box& box, index_t micro_batch) {
  sink.write(box, turns_.empty() ? src_.view(micro_batch) : turn_of(turns_, micro_batch).view());
}

std::size_t BlockWriter::pinned_bytes() const { return bytes_of(turns_); }

}  // namespace parconv
