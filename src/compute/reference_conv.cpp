#include <vector>

#include "compute/compute_type.hpp"
#include "compute/reference_kinds.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// Weights of a piece in the order group, kd, kh, kw, ic, oc, so that the fastest loop runs over independent sums.
struct PackedPiece {
  ChannelPiece channels{};
  index_t ic = 0;  ///< of a group
  index_t oc = 0;  ///< of a group
  std::vector<float> weights{};
};

index_t taps_of(const FilterBox& filter) { return filter.kernel[0].size() * filter.kernel[1].size() * filter.kernel[2].size(); }

/// `dense` is in the order oc (of all groups), ic, taps.
std::vector<float> packed(const PackedPiece& piece, const std::vector<float>& dense) {
  const index_t taps = taps_of(piece.channels.filter);
  std::vector<float> weights(dense.size());
  auto out = weights.begin();
  for (index_t g = 0; g < piece.channels.groups; ++g) {
    for (index_t tap = 0; tap < taps; ++tap) {
      for (index_t i = 0; i < piece.ic; ++i) {
        for (index_t o = 0; o < piece.oc; ++o) {
          *out++ = dense[static_cast<std::size_t>(((g * piece.oc + o) * piece.ic + i) * taps + tap)];
        }
      }
    }
  }
  return weights;
}

PackedPiece pack_piece(const LocalOp& op, const ChannelPiece& channels, const FilterReader& read_filter) {
  std::vector<float> dense = read_filter(std::get<LocalConv>(op.kind).filter, channels.filter);
  PARCONV_EXPECT(static_cast<index_t>(dense.size()) == channels.filter.volume(), "read ", dense.size(), " weights");
  round_weights(dense, op);
  PackedPiece piece{.channels = channels, .ic = channels.filter.ic.size(), .oc = channels.dst.size() / channels.groups};
  piece.weights = packed(piece, dense);
  return piece;
}

class ReferenceConv final : public Kernel {
 public:
  ReferenceConv(const LocalOp& op, const FilterReader& read_filter)
      : op_(op), window_(std::get<LocalConv>(op.kind).window), sums_(static_cast<std::size_t>(op.dst.extents[Axis::C])) {
    const auto& conv = std::get<LocalConv>(op.kind);
    for (const ChannelPiece& channels : conv.pieces) pieces_.push_back(pack_piece(op, channels, read_filter));
  }

  std::string implementation() const override { return "reference"; }

  std::size_t resident_bytes() const override {
    std::size_t elems = sums_.size();
    for (const PackedPiece& piece : pieces_) elems += piece.weights.size();
    return elems * sizeof(float);
  }

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte*) override {
    const ReferenceCall call(op_, srcs, dst);
    const Source src = call.operand(0);
    Extents pixels = call.extents();
    pixels[Axis::C] = 1;
    for_each_index(pixels, [&](const Index& pixel) {
      sum_pixel(src, pixel);
      store_pixel(call, pixel);
    });
  }

 private:
  /// All channels of one output pixel; each sum runs over kd, kh, kw, ic in this order.
  void sum_pixel(const Source& src, const Index& pixel) {
    std::fill(sums_.begin(), sums_.end(), 0.0f);
    std::array<Interval, 3> taps;
    for (Axis axis : spatial_axes)
      taps[static_cast<std::size_t>(axis) - 2] = taps_inside(window_[axis], pixel[axis], src.extents()[axis]);
    for (index_t kd = taps[0].lo; kd < taps[0].hi; ++kd) {
      for (index_t kh = taps[1].lo; kh < taps[1].hi; ++kh) {
        for (index_t kw = taps[2].lo; kw < taps[2].hi; ++kw) add_tap(src, pixel, {kd, kh, kw});
      }
    }
  }

  void add_tap(const Source& src, const Index& pixel, const std::array<index_t, 3>& tap) {
    Index at{{pixel[Axis::N], 0, 0, 0, 0}};
    for (Axis axis : spatial_axes) {
      const WindowAxis& window = window_[axis];
      at[axis] = pixel[axis] * window.stride - window.pad_lo + tap[static_cast<std::size_t>(axis) - 2] * window.dilation;
    }
    const index_t pixel_offset = offset_of(src.layout->strides, at);
    const index_t tap_index = (tap[0] * window_.axes[1].kernel + tap[1]) * window_.axes[2].kernel + tap[2];
    for (const PackedPiece& piece : pieces_) add_piece(piece, src, pixel_offset, tap_index);
  }

  void add_piece(const PackedPiece& piece, const Source& src, index_t pixel_offset, index_t tap_index) {
    const index_t channel_stride = src.layout->strides[Axis::C];
    const index_t taps = taps_of(piece.channels.filter);
    for (index_t g = 0; g < piece.channels.groups; ++g) {
      const float* weights = piece.weights.data() + (g * taps + tap_index) * piece.ic * piece.oc;
      float* sums = sums_.data() + piece.channels.dst.lo + g * piece.oc;
      for (index_t i = 0; i < piece.ic; ++i) {
        const float x = src.at_offset(pixel_offset + (piece.channels.src.lo + g * piece.ic + i) * channel_stride);
        for (index_t o = 0; o < piece.oc; ++o) sums[o] += x * weights[i * piece.oc + o];
      }
    }
  }

  void store_pixel(const ReferenceCall& call, Index at) const {
    for (float sum : sums_) {
      call.store(at, sum);
      ++at[Axis::C];
    }
  }

  LocalOp op_;
  Window window_;
  std::vector<PackedPiece> pieces_{};
  std::vector<float> sums_;
};

}  // namespace

std::unique_ptr<Kernel> make_reference_conv(const LocalOp& op, const FilterReader& read_filter) {
  return std::make_unique<ReferenceConv>(op, read_filter);
}

}  // namespace parconv
