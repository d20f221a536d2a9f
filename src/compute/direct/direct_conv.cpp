// SPDX-License-Identifier: Apache-2.0
#include "compute/direct/direct_conv.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <utility>

#include "compute/cpu/cpu_vector.hpp"
#include "parconv/tensor/elements.hpp"
#include "parconv/tensor/threads.hpp"

namespace parconv::direct {
namespace {

index_t padded_width(const FilterBlock& block, const TileKernels& kernels) {
  return (block.channels + kernels.width - 1) / kernels.width * kernels.width;
}

/// The bias of a block, followed by zeros up to the padded width.
std::vector<float> bias_of(const FilterBlock& block, index_t group_oc, std::span<const float> bias, index_t width) {
  const auto first = static_cast<std::size_t>(block.group * group_oc + block.first);
  const std::span<const float> own = bias.subspan(first, static_cast<std::size_t>(block.channels));
  std::vector<float> padded(static_cast<std::size_t>(width));
  std::copy(own.begin(), own.end(), padded.begin());
  return padded;
}

/// The activation of the tile kernels, if they have it.
std::optional<TileActivation> tile_activation(ActivationKind kind) {
  if (kind == ActivationKind::None) return TileActivation::None;
  if (kind == ActivationKind::Relu) return TileActivation::Relu;
  if (kind == ActivationKind::LeakyRelu) return TileActivation::LeakyRelu;
  if (kind == ActivationKind::Clip) return TileActivation::Clip;
  return std::nullopt;
}

template <class T>
std::size_t bytes_of(const std::vector<T>& memory) {
  return memory.capacity() * sizeof(T);
}

}  // namespace

DirectConv::DirectConv(const ConvShape& shape, std::shared_ptr<const PackedFilter> filter, const ConvEpilogue& epilogue,
                       int threads)
    : shape_(with_long_rows(shape)),
      filter_(std::move(filter)),
      kernels_(tile_kernels(filter_->layout().set)),
      chunks_(shape_),
      activation_(epilogue.activation),
      groups_of_blocks_(count_groups(threads)),
      tile_activation_(tile_activation(epilogue.activation.kind)) {
  for (const FilterBlock& block : filter_->blocks()) {
    const index_t width = padded_width(block, kernels_);
    results_pitch_ = std::max(results_pitch_, width);
    if (!epilogue.bias.empty()) bias_.push_back(bias_of(block, shape.oc, epilogue.bias, width));
  }
  for (int thread = 0; thread < threads; ++thread) workspaces_.push_back(make_workspace());
}

DirectConv::Workspace DirectConv::make_workspace() const {
  Workspace work{.chunk = chunks_.reserve()};
  if (has_copied_sources(shape_)) {
    const SourceCopy copy(shape_, elements(shape_.src_type));
    index_t size = 0;
    for (index_t k = 0; k < chunks_.ranges().count(); ++k) size = std::max(size, copy.size(chunks_.ranges().at(k)));
    work.sources.resize(static_cast<std::size_t>(size));
  }
  if (tile_activation_) return work;
  work.results.resize(static_cast<std::size_t>(chunks_.most_pixels() * results_pitch_));
  for (index_t pixel = 0; pixel < chunks_.most_pixels(); ++pixel)
    work.result_addresses.push_back(reinterpret_cast<std::byte*>(work.results.data() + pixel * results_pitch_));
  return work;
}

std::size_t DirectConv::resident_bytes() const {
  std::size_t bytes = 0;
  for (const auto& bias : bias_) bytes += bytes_of(bias);
  for (const Workspace& work : workspaces_) {
    const Chunk& chunk = work.chunk;
    bytes += bytes_of(chunk.src) + bytes_of(chunk.dst) + bytes_of(chunk.residual) + bytes_of(chunk.runs) +
             bytes_of(chunk.leaves) + bytes_of(chunk.rows) + bytes_of(work.sources) + bytes_of(work.results) +
             bytes_of(work.result_addresses);
  }
  return bytes;
}

/// Each thread takes the next part when it has finished one: a thread that other programs hold up computes less.
void DirectConv::execute(const Addresses& addresses) {
  std::atomic<index_t> next{0};
  const auto work = [&](int thread) {
    Workspace& own = workspaces_[static_cast<std::size_t>(thread)];
    index_t made = -1;  // parts of one chunk follow each other
    for (index_t part = next++; part < num_parts(); part = next++) {
      const index_t chunk = part / groups_of_blocks_;
      if (chunk != made) make_chunk(chunk, addresses, own);
      made = chunk;
      compute_group(part % groups_of_blocks_, own);
    }
  };
  on_threads(static_cast<int>(workspaces_.size()), std::cref(work));
}

index_t DirectConv::num_parts() const { return chunks_.ranges().count() * groups_of_blocks_; }

/// Threads divide the blocks of filters too where there are few chunks.
index_t DirectConv::count_groups(int threads) const {
  constexpr index_t wanted_parts = 8;  // of each thread
  if (threads == 1) return 1;
  return std::min(std::ssize(filter_->blocks()), ceil_div(wanted_parts * threads, chunks_.ranges().count()));
}

void DirectConv::make_chunk(index_t chunk, const Addresses& addresses, Workspace& work) const {
  const SourceCopy copy(shape_, elements(shape_.src_type));
  const ChunkRange range = chunks_.ranges().at(chunk);
  const SourceWindow src = work.sources.empty() ? SourceWindow{.first = addresses.src, .strides = shape_.src_strides}
                                                : copy.make(range, addresses.src, work.sources);
  chunks_.make(range, src, addresses, work.chunk);
}

void DirectConv::compute_group(index_t group, Workspace& work) const {
  const Interval blocks = equal_part(std::ssize(filter_->blocks()), group, groups_of_blocks_);
  for (index_t block = blocks.lo; block < blocks.hi; ++block) compute_block(work, static_cast<std::size_t>(block));
}

TileCall DirectConv::call_of(const Chunk& chunk, std::size_t index) const {
  constexpr std::size_t most_cached_bytes = 500000;
  const FilterBlock& block = filter_->blocks()[index];
  const index_t channel = block.group * shape_.oc + block.first;
  const auto bytes = [](index_t elems, DType type) { return elems * static_cast<index_t>(size_of(type)); };
  TileCall call{.src_bytes = bytes(block.group * shape_.ic, DType::F32),
                .residual_bytes = bytes(channel, shape_.residual_type),
                .residual_type = element_type(shape_.residual_type),
                .weights = filter_->weights_of(block),
                .pitch = filter_->channelwise_pitch(),
                .bias = bias_.empty() ? nullptr : bias_[index].data(),
                .channels = block.channels,
                .prefetches_next = index == 0 && shape_.taps() == 1};  // later blocks find their sources in the cache
  if (filter_->size_bytes() > most_cached_bytes && index + 1 < filter_->blocks().size() && !shape_.is_channelwise()) {
    const index_t pixels = std::ssize(chunk.dst), most = kernels_.num_pixels[block.vectors];
    call.next_weights = reinterpret_cast<const std::byte*>(filter_->weights_of(filter_->blocks()[index + 1]));
    call.num_weight_lines = static_cast<int>(std::max<index_t>(1, (block.vectors * kernels_.width * most + pixels / 2) / pixels));
  }
  if (!tile_activation_) return call;
  call.dst_bytes = bytes(channel, shape_.dst_type);
  call.dst_type = element_type(shape_.dst_type);
  call.activation = *tile_activation_;
  call.alpha = activation_.alpha;
  call.beta = activation_.beta;
  return call;
}

void DirectConv::compute_block(Workspace& work, std::size_t index) const {
  const Chunk& chunk = work.chunk;
  const FilterBlock& block = filter_->blocks()[index];
  std::byte* const* const dst = tile_activation_ ? chunk.dst.data() : work.result_addresses.data();
  TileCall call = call_of(chunk, index);
  for (const Segment& segment : chunk.segments) {
    call.runs = chunk.runs.data() + segment.first_run;
    call.leaves = chunk.leaves.data() + segment.first_leaf;
    call.num_leaves = static_cast<int>(chunk.leaves.size() / chunk.segments.size());
    call.src = chunk.src.data() + segment.begin;
    call.dst = dst + segment.begin;
    call.residual = chunk.residual.empty() ? nullptr : chunk.residual.data() + segment.begin;
    compute_segment(segment.end - segment.begin, block, call);
  }
  if (!tile_activation_) finish_results(work, block);
}

/// Divides pixels into tiles that differ by one pixel at most.
void DirectConv::compute_segment(index_t pixels, const FilterBlock& block, TileCall& call) const {
  const bool is_channelwise = shape_.is_channelwise();
  const TileKernel* const kernels = is_channelwise ? kernels_.channelwise : kernels_.sums[block.vectors];
  const index_t most = is_channelwise ? kernels_.num_channelwise_pixels : kernels_.num_pixels[block.vectors];
  const index_t tiles = (pixels + most - 1) / most, fewest = pixels / tiles, num_larger = pixels % tiles;
  const auto compute = [&](index_t count, index_t num_tiles) {
    call.num_tiles = static_cast<int>(num_tiles);
    if (num_tiles == 0) return;
    kernels[count](call);
    call.src += num_tiles * count;
    call.dst += num_tiles * count;
    if (call.residual != nullptr) call.residual += num_tiles * count;
    pass_prefetched_weights(block, call);
  };
  compute(fewest + 1, num_larger);
  compute(fewest, tiles - num_larger);
}

/// Moves on by the lines of weights that a call has brought to the cache.
void DirectConv::pass_prefetched_weights(const FilterBlock& block, TileCall& call) const {
  if (call.next_weights == nullptr) return;
  constexpr index_t line_bytes = 64, rows_per_line = 16;
  const index_t rows = shape_.ic * shape_.taps();
  call.next_weights += index_t{call.num_tiles} * call.num_weight_lines * (rows / rows_per_line) * line_bytes;
  const std::byte* const next = reinterpret_cast<const std::byte*>(filter_->weights_of(block));
  const index_t block_bytes = rows * block.vectors * kernels_.width * static_cast<index_t>(sizeof(float));
  if (call.next_weights - next >= 2 * block_bytes) call.next_weights = nullptr;
}

void DirectConv::finish_results(Workspace& work, const FilterBlock& block) const {
  const index_t pixels = std::ssize(work.chunk.dst), channel = block.group * shape_.oc + block.first;
  cpu::activate_row({work.results.data(), results_pitch_}, {.pixels = pixels, .channels = block.channels}, activation_);
  elements(shape_.dst_type)
      .store({.results = work.results.data(),
              .pitch = results_pitch_,
              .dst = work.chunk.dst.data(),
              .dst_bytes = channel * static_cast<index_t>(size_of(shape_.dst_type)),
              .num_pixels = pixels,
              .channels = block.channels});
}

}  // namespace parconv::direct
