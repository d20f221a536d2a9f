// SPDX-License-Identifier: Apache-2.0
// Kernels from element functions, for any Executor, which calls a function for 0, 1, 2, ... and owns tables.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "compute/elements/element_map.hpp"
#include "compute/elements/element_tables.hpp"
#include "parconv/compute/backend.hpp"
#include "parconv/core/error.hpp"
#include "parconv/tensor/vector_width.hpp"

namespace parconv::element {

/// An Executor is a value with
///   static constexpr const char* name                   of kernels in reports
///   Memory                                              a move-only owner of bytes that functions can read, with data()
///   Memory upload(std::span<const std::byte>) const
///   void for_each(index_t count, const Function&) const calls function(k) for all k < count, after all earlier calls
///
/// The lookup tables of one kernel.
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

/// Applies one function at every element index.
template <class Executor, class Kind>
class MapKernel : public Kernel {
 public:
  /// `kind` has the strides of its operands, not yet their addresses.
  MapKernel(const LocalOp& op, Kind kind, Tables<Executor> tables)
      : op_(op), kind_(kind), tables_(std::move(tables)), operands_(operand_indices(op)), lanes_(lanes_of(op, kind)) {
    epilogue_.bias = tables_.add(op.epilogue.bias);
    epilogue_.activation = op.epilogue.activation;
    if (op.epilogue.residual >= 0) epilogue_.residual = elements_of<const std::byte>(residual_layout());
    index_map_ = IndexMap(op.dst.extents, lanes_);
    single_index_map_ = IndexMap(op.dst.extents);
  }

  void execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) override {
    if constexpr (requires { kind_.from; })
      for (std::size_t k = 0; k < operands_.size(); ++k) kind_.from.srcs[k].data = srcs[operands_[k]];
    if (op_.epilogue.residual >= 0) epilogue_.residual.data = srcs[static_cast<std::size_t>(op_.epilogue.residual)];
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
  /// Called before the elements are computed, with the addresses of the operands set.
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
    return widest_vector(op.dst, op.srcs);
  }

  const OperandLayout& residual_layout() const { return op_.srcs[static_cast<std::size_t>(op_.epilogue.residual)]; }

  bool can_use_lanes(std::span<const std::byte* const> srcs, const std::byte* dst) const {
    if (lanes_ == 1 || !is_aligned(dst, op_.dst, lanes_)) return false;
    for (std::size_t k = 0; k < srcs.size(); ++k)
      if (!is_aligned(srcs[k], op_.srcs[k], lanes_)) return false;
    return true;
  }

  template <int V>
  void run(std::byte* dst) const {
    const IndexMap& index_map = V == 1 ? single_index_map_ : index_map_;
    executor().for_each(
        index_map.count(),
        Map<V, Kind>{.kind = kind_, .epilogue = epilogue_, .dst = elements_of(op_.dst, dst), .indices = index_map});
  }

  LocalOp op_;
  Kind kind_;
  Epilogue epilogue_{};
  Tables<Executor> tables_;
  std::vector<std::size_t> operands_;
  int lanes_;
  IndexMap index_map_{};
  IndexMap single_index_map_{};
};

/// The operands of a kind: all sources except the residual, in order.
template <int N>
struct Operands {
  ConstElements srcs[N];
};

/// A call that becomes a kernel of an Executor; shared by the factories of all kinds. The factory of a kind Local is found by
/// overload:
///   template <class Executor>
///   std::unique_ptr<Kernel> make_kernel(const Local& kind, const ElementCall<Executor>& call)
template <class Executor>
class ElementCall {
 public:
  ElementCall(const LocalOp& op, const Executor& executor) : op_(op), executor_(executor) {}

  const LocalOp& op() const { return op_; }
  const Executor& executor() const { return executor_; }

  /// The source of a kind with one operand.
  Operands<1> source() const {
    PARCONV_EXPECT(operand_indices(op_).size() == 1, operand_indices(op_).size(), " sources of a ", name_of(op_.kind));
    return {{elements_of<const std::byte>(main_source(op_))}};
  }
  const Extents& source_extents() const { return main_source(op_).extents; }

  /// All sources, broadcast along the axes where their extent is 1.
  template <int N>
  void repeat_operands(Operands<N>& operands) const {
    const std::vector<std::size_t> indices = operand_indices(op_);
    PARCONV_EXPECT(!indices.empty(), name_of(op_.kind), " without sources");
    for (std::size_t k = 0; k < indices.size(); ++k) operands.srcs[k] = repeated(op_.srcs[indices[k]], op_.dst.extents);
  }

  /// Creates the kernel that computes each element by `function`.
  template <class Function>
  std::unique_ptr<Kernel> map(const Function& function) const {
    return map(function, Tables<Executor>(executor_));
  }
  template <class Function>
  std::unique_ptr<Kernel> map(const Function& function, Tables<Executor> tables) const {
    return std::make_unique<MapKernel<Executor, Function>>(op_, function, std::move(tables));
  }

 private:
  const LocalOp& op_;
  const Executor& executor_;
};

}  // namespace parconv::element
