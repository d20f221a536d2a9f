// The transposed convolution in gather form: each output collects the inputs whose taps land on it, in a fixed order.
#include <optional>
#include <vector>

#include "compute/compute_type.hpp"
#include "compute/reference_kinds.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// The source that lands on local output `out` through `tap`, if there is one.
std::optional<index_t> source_of(const WindowAxis& window, index_t out, index_t tap, index_t in_size) {
  const index_t place = out + window.pad_lo - tap * window.dilation;
  if (place < 0 || place % window.stride != 0 || place / window.stride >= in_size) return std::nullopt;
  return place / window.stride;
}

/// A piece and its weights in the order oc (of all groups), ic, kd, kh, kw.
struct DeconvPiece {
  ChannelPiece channels{};
  std::vector<float> weights{};
};

class ReferenceDeconv final : public Kernel {
 public:
  ReferenceDeconv(const LocalOp& op, const FilterReader& read_filter)
      : op_(op), window_(std::get<LocalDeconv>(op.kind).window), sums_(static_cast<std::size_t>(op.dst.extents[Axis::C])) {
    const auto& deconv = std::get<LocalDeconv>(op.kind);
    for (const ChannelPiece& channels : deconv.pieces) {
      pieces_.push_back({channels, read_filter(deconv.filter, channels.filter)});
      PARCONV_EXPECT(std::ssize(pieces_.back().weights) == channels.filter.volume(), pieces_.back().weights.size(), " weights");
      round_weights(pieces_.back().weights, op);
    }
  }

  std::string implementation() const override { return "reference"; }

  std::size_t resident_bytes() const override {
    std::size_t elems = sums_.size();
    for (const DeconvPiece& piece : pieces_) elems += piece.weights.size();
    return elems * sizeof(float);
  }

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte*) override {
    const ReferenceCall call(op_, srcs, dst);
    const Source src = call.operand(0);
    Extents pixels = call.extents();
    pixels[Axis::C] = 1;
    for_each_index(pixels, [&](const Index& pixel) {
      sum_pixel(src, pixel);
      Index at = pixel;
      for (at[Axis::C] = 0; at[Axis::C] < call.extents()[Axis::C]; ++at[Axis::C])
        call.store(at, sums_[static_cast<std::size_t>(at[Axis::C])]);
    });
  }

 private:
  /// All channels of one output pixel; each sum runs over kd, kh, kw, ic in this order.
  void sum_pixel(const Source& src, const Index& pixel) {
    std::fill(sums_.begin(), sums_.end(), 0.0f);
    index_t tap_index = 0;
    for (index_t kd = 0; kd < window_[Axis::D].kernel; ++kd)
      for (index_t kh = 0; kh < window_[Axis::H].kernel; ++kh)
        for (index_t kw = 0; kw < window_[Axis::W].kernel; ++kw) add_tap(src, pixel, {kd, kh, kw}, tap_index++);
  }

  void add_tap(const Source& src, const Index& pixel, const std::array<index_t, 3>& tap, index_t tap_index) {
    Index at{{pixel[Axis::N], 0, 0, 0, 0}};
    for (Axis axis : spatial_axes) {
      const auto place = source_of(window_[axis], pixel[axis], tap[static_cast<std::size_t>(axis) - 2], src.extents()[axis]);
      if (!place) return;
      at[axis] = *place;
    }
    for (const DeconvPiece& piece : pieces_) add_piece(piece, src, at, tap_index);
  }

  void add_piece(const DeconvPiece& piece, const Source& src, Index at, index_t tap_index) {
    const FilterBox& box = piece.channels.filter;
    const index_t taps = box.kernel[0].size() * box.kernel[1].size() * box.kernel[2].size();
    const index_t ic = box.ic.size(), oc = piece.channels.dst.size(), group_oc = oc / piece.channels.groups;
    for (index_t o = 0; o < oc; ++o) {
      float& sum = sums_[static_cast<std::size_t>(piece.channels.dst.lo + o)];
      for (index_t i = 0; i < ic; ++i) {
        at[Axis::C] = piece.channels.src.lo + o / group_oc * ic + i;
        sum += src.at(at) * piece.weights[static_cast<std::size_t>((o * ic + i) * taps + tap_index)];
      }
    }
  }

  LocalOp op_;
  Window window_;
  std::vector<DeconvPiece> pieces_{};
  std::vector<float> sums_;
};

}  // namespace

std::unique_ptr<Kernel> make_reference_deconv(const LocalOp& op, const FilterReader& read_filter) {
  return std::make_unique<ReferenceDeconv>(op, read_filter);
}

}  // namespace parconv
