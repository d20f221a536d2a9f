// Kernels that are functions of elements, for any Executor: something that runs a function for the numbers 0, 1, 2, ... and holds
// tables.
#pragma once

#include <memory>
#include <utility>

#include "compute/element_tables.hpp"
#include "compute/sum_chain.hpp"
#include "device/lanes.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/core/error.hpp"

namespace parconv::element {

/// An Executor is a value with
///   static constexpr const char* name                   of kernels in reports
///   Memory                                              a move-only owner of bytes that functions can read, with data()
///   Memory upload(std::span<const std::byte>) const
///   void for_each(index_t count, const Function&) const calls function(k) for all k < count, after all that was asked for before
///
/// The tables of one kernel.
template <class Executor>
class Tables {
 public:
  explicit Tables(const Executor& executor) : executor_(executor) {}

  template <class T>
  Table<T> add(const std::vector<T>& values) {
    if (values.empty()) return {};
    memory_.push_back(executor_.upload(std::as_bytes(std::span(values))));
    bytes_ += values.size() * sizeof(T);
    return {.data = reinterpret_cast<const T*>(memory_.back().data()), .size = std::ssize(values)};
  }

  const Executor& executor() const { return executor_; }
  std::size_t bytes() const { return bytes_; }

 private:
  Executor executor_;
  std::vector<typename Executor::Memory> memory_{};
  std::size_t bytes_ = 0;
};

/// One function of the operands at each place.
template <class Executor, class Kind>
class MapKernel : public Kernel {
 public:
  /// `kind` has the strides of its operands, without their places.
  MapKernel(const LocalOp& op, Kind kind, Tables<Executor> tables)
      : op_(op), kind_(kind), tables_(std::move(tables)), operands_(operand_indices(op)), lanes_(lanes_of(op, kind)) {
    finish_.bias = tables_.add(op.finish.bias);
    finish_.activation = op.finish.activation;
    if (op.finish.residual >= 0) finish_.residual = elements_of<const std::byte>(residual_layout());
    places_ = Places(op.dst.extents, lanes_);
    single_places_ = Places(op.dst.extents);
  }

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) override {
    if constexpr (requires { kind_.from; })
      for (std::size_t k = 0; k < operands_.size(); ++k) kind_.from.srcs[k].data = srcs[operands_[k]];
    if (op_.finish.residual >= 0) finish_.residual.data = srcs[static_cast<std::size_t>(op_.finish.residual)];
    begin(scratch);
    const int lanes = can_use_lanes(srcs, dst) ? lanes_ : 1;
    if constexpr (!is_single) {
      if (lanes == 8) return run<8>(dst);
      if (lanes == 4) return run<4>(dst);
    }
    run<1>(dst);
  }

  std::size_t resident_bytes() const override { return tables_.bytes(); }
  std::string implementation() const override { return concat(Executor::name, ":", name_of(op_.kind)); }

 protected:
  /// Called before the elements are made, with the operands in place.
  virtual void begin(std::byte* /*scratch*/) {}

  const LocalOp& op() const { return op_; }
  Kind& kind() { return kind_; }
  const Executor& executor() const { return tables_.executor(); }

 private:
  static constexpr bool is_single = requires { Kind::is_single; };

  static int lanes_of(const LocalOp& op, const Kind& kind) {
    if constexpr (is_single) return 1;
    if constexpr (requires { kind.picks_channels(); })
      if (kind.picks_channels()) return 1;
    return widest_lanes(op.dst, op.srcs);
  }

  const OperandLayout& residual_layout() const { return op_.srcs[static_cast<std::size_t>(op_.finish.residual)]; }

  bool can_use_lanes(std::span<const std::byte* const> srcs, const std::byte* dst) const {
    if (lanes_ == 1 || !is_aligned(dst, op_.dst, lanes_)) return false;
    for (std::size_t k = 0; k < srcs.size(); ++k)
      if (!is_aligned(srcs[k], op_.srcs[k], lanes_)) return false;
    return true;
  }

  template <int V>
  void run(std::byte* dst) const {
    const Places& places = V == 1 ? single_places_ : places_;
    executor().for_each(places.count(),
                        Map<V, Kind>{.kind = kind_, .finish = finish_, .dst = elements_of(op_.dst, dst), .places = places});
  }

  LocalOp op_;
  Kind kind_;
  Finish finish_{};
  Tables<Executor> tables_;
  std::vector<std::size_t> operands_;
  int lanes_;
  Places places_{};
  Places single_places_{};
};

/// Measures the groups in scratch memory first.
template <class Executor>
class SoftmaxKernel final : public MapKernel<Executor, Softmax> {
 public:
  SoftmaxKernel(const LocalOp& op, Softmax kind, Tables<Executor> tables)
      : MapKernel<Executor, Softmax>(op, kind, std::move(tables)), places_(softmax_group_counts(op)) {}

  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(places_.count()) * sizeof(SoftmaxTerms); }

 private:
  void begin(std::byte* scratch) override {
    auto* const terms = reinterpret_cast<SoftmaxTerms*>(scratch);
    Softmax& kind = this->kind();
    kind.terms = terms;
    this->executor().for_each(places_.count(),
                              MeasureSoftmax{.src = kind.from.srcs[0], .groups = kind.groups, .places = places_, .terms = terms});
  }

  Places places_;
};

/// Makes the kernel of each kind.
template <class Executor>
struct Maker {
  const LocalOp& op;
  const Executor& executor;

  using Result = std::unique_ptr<Kernel>;

  Result operator()(const LocalFill& fill) const { return map(Fill{.number = fill.value}); }
  Result operator()(const LocalCopy&) const { return map(Copy{source()}); }
  Result operator()(const LocalScaleShift& kind) const {
    const auto channels = static_cast<std::size_t>(op.dst.extents[Axis::C]);
    PARCONV_EXPECT(kind.scale.size() == channels && kind.shift.size() == channels, kind.scale.size(), " scales");
    Tables<Executor> tables(executor);
    const ScaleShift function{.from = source(), .scale = tables.add(kind.scale), .shift = tables.add(kind.shift)};
    return map(function, std::move(tables));
  }
  Result operator()(const LocalSum& sum) const {
    Sum function{.count = static_cast<int>(operand_indices(op).size())};
    if (function.count > Sum::most_operands)
      return std::make_unique<SumChain>(op, Sum::most_operands, [&](const LocalOp& link) { return Maker{link, executor}(sum); });
    repeat_operands(function.from);
    return map(function);
  }
  Result operator()(const LocalBinary& binary) const {
    PARCONV_EXPECT(operand_indices(op).size() == 2, op.srcs.size(), " sources of a binary function");
    Binary function{.kind = binary.kind};
    repeat_operands(function.from);
    return map(function);
  }
  Result operator()(const LocalPool& pool) const {
    Tables<Executor> tables(executor);
    const Extents& strides = op.srcs[operand_indices(op).front()].strides;
    const auto step = [&](Axis axis) { return pool.window[axis].dilation * strides[axis]; };
    const Pool function{.from = source(),
                        .is_max = pool.kind == PoolKind::Max,
                        .d = tables.add(pool_taps(op, Axis::D)),
                        .h = tables.add(pool_taps(op, Axis::H)),
                        .w = tables.add(pool_taps(op, Axis::W)),
                        .step = {.d = step(Axis::D), .h = step(Axis::H), .w = step(Axis::W)}};
    return map(function, std::move(tables));
  }
  Result operator()(const LocalRowSum&) const { return map(RowSum{.from = source(), .count = source_extents()[Axis::W]}); }
  Result operator()(const LocalReduce& reduce) const {
    Extents group;
    for (Axis axis : all_axes)
      if (reduce.axes[static_cast<std::size_t>(axis)]) group[axis] = source_extents()[axis];
    return map(
        Reduce{.from = source(), .kind = reduce.kind, .extents = place_of(group), .divisor = static_cast<float>(reduce.count)});
  }
  Result operator()(const LocalLrn& lrn) const {
    return map(Lrn{.from = source(), .lrn = lrn.lrn, .own = lrn.own, .channels = source_extents()[Axis::C]});
  }
  /// Along its inner axis an operand has no place in the result: its stride is the step of the sums.
  Result operator()(const LocalMatMul& product) const {
    const std::vector<std::size_t> indices = operand_indices(op);
    PARCONV_EXPECT(indices.size() == 2, indices.size(), " sources of a product");
    OperandLayout left = op.srcs[indices[0]], right = op.srcs[indices[1]];
    MatMul function{.inner = left.extents[product.columns],
                    .left_step = left.strides[product.columns],
                    .right_step = right.strides[product.rows]};
    left.extents[product.columns] = right.extents[product.rows] = 1;
    function.from.srcs[0] = repeated(left, op.dst.extents);
    function.from.srcs[1] = repeated(right, op.dst.extents);
    return map(function);
  }
  Result operator()(const LocalSoftmax& softmax) const {
    const Softmax function{.from = source(), .groups = softmax_groups(op), .is_logarithm = softmax.is_logarithm};
    return std::make_unique<SoftmaxKernel<Executor>>(op, function, Tables<Executor>(executor));
  }
  Result operator()(const LocalReshape& reshape) const {
    const Extents& shape = reshape.src_shape;
    return map(Reshape{.from = source(),
                       .dst_offset = place_of(reshape.dst_offset),
                       .dst_shape = place_of(reshape.dst_shape),
                       .src_c = Divisor(shape[Axis::C]),
                       .src_d = Divisor(shape[Axis::D]),
                       .src_h = Divisor(shape[Axis::H]),
                       .src_w = Divisor(shape[Axis::W])});
  }
  Result operator()(const LocalRearrange& rearrange) const {
    Tables<Executor> tables(executor);
    const auto digits = [&](Axis axis) { return tables.add(step_digits(op, axis)); };
    const Rearrange function{.from = source(),
                             .n = digits(Axis::N),
                             .c = digits(Axis::C),
                             .d = digits(Axis::D),
                             .h = digits(Axis::H),
                             .w = digits(Axis::W),
                             .dst_offset = place_of(rearrange.dst_offset),
                             .origin = rearranged_origin(op)};
    return map(function, std::move(tables));
  }
  Result operator()(const LocalResample& resample) const {
    for (Axis axis : {Axis::C, Axis::D, Axis::H, Axis::W})
      PARCONV_EXPECT(std::ssize(resample[axis]) == op.dst.extents[axis], resample[axis].size(), " taps");
    Tables<Executor> tables(executor);
    const Resample function{.from = source(),
                            .c = tables.add(channel_taps(resample)),
                            .d = tables.add(resample[Axis::D]),
                            .h = tables.add(resample[Axis::H]),
                            .w = tables.add(resample[Axis::W]),
                            .fill = resample.fill};
    return map(function, std::move(tables));
  }
  Result operator()(const LocalConv&) const { return refuse(); }
  Result operator()(const LocalDeconv&) const { return refuse(); }

 private:
  /// A sum over channels is no function of elements: it belongs to a library.
  [[noreturn]] Result refuse() const {
    throw Error(ExitCode::Unavailable, concat("no function of elements computes the kind \"", name_of(op.kind), "\""),
                "Convolutions are prepared by a ConvLibrary.");
  }

  const Extents& source_extents() const { return op.srcs[operand_indices(op).front()].extents; }

  Operands<1> source() const {
    PARCONV_EXPECT(operand_indices(op).size() == 1, operand_indices(op).size(), " sources of a ", name_of(op.kind));
    return {{elements_of<const std::byte>(op.srcs[operand_indices(op).front()])}};
  }

  template <int N>
  void repeat_operands(Operands<N>& operands) const {
    const std::vector<std::size_t> indices = operand_indices(op);
    PARCONV_EXPECT(!indices.empty(), name_of(op.kind), " without sources");
    for (std::size_t k = 0; k < indices.size(); ++k) operands.srcs[k] = repeated(op.srcs[indices[k]], op.dst.extents);
  }

  template <class Kind>
  Result map(const Kind& kind) const {
    return map(kind, Tables<Executor>(executor));
  }
  template <class Kind>
  Result map(const Kind& kind, Tables<Executor> tables) const {
    return std::make_unique<MapKernel<Executor, Kind>>(op, kind, std::move(tables));
  }
};

/// Makes the kernel of any kind that is a function of elements. Throws Error(Unavailable) for other kinds and element types.
template <class Executor>
std::unique_ptr<Kernel> make_element_kernel(const LocalOp& op, const Executor& executor) {
  check_call(op);
  return std::visit(Maker<Executor>{op, executor}, op.kind);
}

}  // namespace parconv::element
