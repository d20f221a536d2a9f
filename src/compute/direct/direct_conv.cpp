// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/direct_conv.hpp"

#include <algorithm>
#include <utility>

#include "compute/cpu/cpu_threads.hpp"
#include "compute/on_threads.hpp"

namespace parconv::direct {
namespace {

/// The bias of a block, followed by zeros up to the padded width.
std::vector<float> bias_of(const FilterBlock& block, index_t group_oc, std::span<const float> bias, index_t width) {
  const auto first = static_cast<std::size_t>(block.group * group_oc + block.first);
  const std::span<const float> own = bias.subspan(first, static_cast<std::size_t>(block.channels));
  std::vector<float> padded(static_cast<std::size_t>((block.channels + width - 1) / width * width));
  std::copy(own.begin(), own.end(), padded.begin());
  return padded;
}

}  // namespace

DirectConv::DirectConv(const ConvShape& shape, std::shared_ptr<const PackedFilter> filter, const TileEpilogue& epilogue,
                       int threads)
    : shape_(shape),
      filter_(std::move(filter)),
      kernels_(tile_kernels(filter_->layout().set)),
      chunks_(shape),
      is_relu_(epilogue.is_relu) {
  if (!epilogue.bias.empty())
    for (const FilterBlock& block : filter_->blocks()) bias_.push_back(bias_of(block, shape.oc, epilogue.bias, kernels_.width));
  for (int thread = 0; thread < threads; ++thread) workspaces_.push_back(chunks_.reserve());
}

std::size_t DirectConv::resident_bytes() const {
  std::size_t bytes = 0;
  for (const auto& bias : bias_) bytes += bias.size() * sizeof(float);
  for (const Chunk& chunk : workspaces_)
    bytes += chunk.src.capacity() * 3 * sizeof(float*) + chunk.runs.capacity() * sizeof(Run) +
             chunk.leaves.capacity() * sizeof(Leaf) + chunk.rows.capacity() * sizeof(Chunk::Row);
  return bytes;
}

void DirectConv::execute(const Addresses& addresses) {
  on_threads(static_cast<int>(workspaces_.size()),
             [&](int thread) { execute_part(part_of(thread), addresses, workspaces_[static_cast<std::size_t>(thread)]); });
}

/// Threads divide the chunks where these divide well, and otherwise the blocks of filters.
DirectConv::Part DirectConv::part_of(int thread) const {
  const int parts = static_cast<int>(workspaces_.size());
  const index_t chunks = chunks_.count(), blocks = std::ssize(filter_->blocks());
  const bool is_by_chunk = chunks % parts == 0 || chunks >= index_t{8} * parts || blocks % parts != 0;
  if (is_by_chunk) return {cpu::part_of_thread(chunks, thread, parts), {0, blocks}};
  return {{0, chunks}, cpu::part_of_thread(blocks, thread, parts)};
}

void DirectConv::execute_part(const Part& part, const Addresses& addresses, Chunk& chunk) const {
  for (index_t k = part.chunks.lo; k < part.chunks.hi; ++k) {
    chunks_.make(k, addresses, chunk);
    for (index_t block = part.blocks.lo; block < part.blocks.hi; ++block) compute_block(chunk, static_cast<std::size_t>(block));
  }
}

void DirectConv::compute_block(const Chunk& chunk, std::size_t index) const {
  const FilterBlock& block = filter_->blocks()[index];
  const bool is_channelwise = shape_.is_channelwise();
  const TileKernel* const kernels = is_channelwise ? kernels_.channelwise : kernels_.sums[block.vectors];
  const int most = is_channelwise ? kernels_.num_channelwise_pixels : kernels_.num_pixels[block.vectors];
  TileCall call{.src_bytes = block.group * shape_.ic * static_cast<index_t>(sizeof(float)),
                .dst_channel = block.group * shape_.oc + block.first,
                .weights = filter_->weights_of(block),
                .pitch = filter_->channelwise_pitch(),
                .bias = bias_.empty() ? nullptr : bias_[index].data(),
                .channels = block.channels,
                .is_relu = is_relu_};
  call.prefetches_next = index == 0 && shape_.taps() == 1;  // later blocks find their sources in the cache
  for (const Segment& segment : chunk.segments) {
    const index_t pixels = segment.end - segment.begin, tiles = (pixels + most - 1) / most;
    call.runs = chunk.runs.data() + segment.first_run;
    call.leaves = chunk.leaves.data() + segment.first_leaf;
    call.num_leaves = static_cast<int>(chunk.leaves.size() / chunk.segments.size());
    const index_t fewest = pixels / tiles, num_larger = pixels % tiles;  // tiles differ by one pixel at most
    const auto compute = [&](index_t first, index_t count, index_t num_tiles) {
      call.num_tiles = static_cast<int>(num_tiles);
      call.src = chunk.src.data() + first;
      call.dst = chunk.dst.data() + first;
      call.residual = chunk.residual.empty() ? nullptr : chunk.residual.data() + first;
      if (num_tiles > 0) kernels[count](call);
    };
    compute(segment.begin, fewest + 1, num_larger);
    compute(segment.begin + num_larger * (fewest + 1), fewest, tiles - num_larger);
  }
}

}  // namespace parconv::direct
