// SPDX-License-Identifier: Apache-2.0
#include "parconv/engine/oracle.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "engine/constant_values.hpp"
#include "parconv/core/error.hpp"
#include "parconv/model/localise.hpp"
#include "parconv/model/value_types.hpp"
#include "parconv/tensor/aligned.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv {
namespace {

/// The operator that adds up the magnitudes of the terms; none for operators that are no sums.
std::optional<LocalKind> kind_of_magnitudes(const LocalKind& kind) {
  const auto is_sum = [&] {
    if (const auto* reduce = std::get_if<LocalReduce>(&kind)) return reduce->kind == ReduceKind::Sum;
    if (const auto* pool = std::get_if<LocalPool>(&kind)) return pool->kind == PoolKind::Average;
    return has_filter(kind) || std::holds_alternative<LocalMatMul>(kind) || std::holds_alternative<LocalSum>(kind);
  };
  if (is_sum()) return kind;
  if (const auto* binary = std::get_if<LocalBinary>(&kind); binary != nullptr && binary->kind == BinaryKind::Sub)
    return LocalSum{};
  const auto* scale_shift = std::get_if<LocalScaleShift>(&kind);
  if (scale_shift == nullptr) return std::nullopt;
  LocalScaleShift magnitudes = *scale_shift;
  for (std::vector<float>* numbers : {&magnitudes.scale, &magnitudes.shift})
    for (float& number : *numbers) number = std::abs(number);
  return magnitudes;
}

class Evaluator {
 public:
  Evaluator(const Network& network, const OracleInput& input, std::span<const Box> wanted, Backend& backend)
      : network_(network),
        input_(input),
        backend_(backend),
        boxes_(wanted.begin(), wanted.end()),
        tensors_(boxes_.size()),
        types_(types_of_values(network, input.type)) {
    PARCONV_EXPECT(boxes_.size() == network.values.size(), boxes_.size(), " boxes");
  }

  void run() {
    widen_boxes();
    load_values();
    for (const Node& node : network_.nodes)
      if (!box(node.output).is_empty()) compute(node);
  }

  /// Of the wanted boxes. Precondition: run.
  std::vector<HostTensor> magnitudes(std::span<const Box> wanted) {
    std::vector<HostTensor> result(wanted.size());
    for (const Node& node : network_.nodes) {
      const auto output = static_cast<std::size_t>(node.output);
      if (!wanted[output].is_empty()) result[output] = magnitudes_of(node, wanted[output]);
    }
    return result;
  }

  /// Gives the values away. Precondition: run.
  std::vector<HostTensor> cut_to(std::span<const Box> wanted) {
    std::vector<HostTensor> result(wanted.size());
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      if (wanted[k].is_empty()) continue;
      if (boxes_[k] == wanted[k] && types_[k] == DType::F32) {
        result[k] = std::move(tensors_[k]);
        continue;
      }
      result[k] = HostTensor(wanted[k]);
      convert(std::as_const(tensors_[k]).view(wanted[k]), result[k].view());
    }
    return result;
  }

 private:
  Box& box(ValueId value) { return boxes_[static_cast<std::size_t>(value)]; }
  HostTensor& tensor(ValueId value) { return tensors_[static_cast<std::size_t>(value)]; }
  /// Allocates the tensor of a value.
  HostTensor& allocate(ValueId value) { return tensor(value) = HostTensor(box(value), types_[static_cast<std::size_t>(value)]); }
  WorkRegion work_of(const Node& node) { return {box(node.output), whole_contracted(network_, node)}; }

  /// Extends the box of every value to the needs of all its readers, from outputs to inputs.
  void widen_boxes() {
    for (auto node = network_.nodes.rbegin(); node != network_.nodes.rend(); ++node) {
      if (box(node->output).is_empty()) continue;
      for (std::size_t operand = 0; operand < node->inputs.size(); ++operand) {
        Box& need = box(node->inputs[operand]);
        need = hull(need, needed_box(network_, *node, operand, work_of(*node)));
      }
    }
  }

  void load_values() {
    for (std::size_t k = 0; k < network_.inputs.size(); ++k) {
      const ValueId id = network_.inputs[k];
      if (box(id).is_empty()) continue;
      const Box in_file = box(id).with(Axis::N, box(id)[Axis::N].shifted(input_.first_sample));
      input_.sources[k]->read(in_file, allocate(id).view());
    }
    for (std::size_t id = 0; id < network_.values.size(); ++id) {
      const Value& value = network_.values[id];
      if (value.kind != ValueKind::Constant || boxes_[id].is_empty()) continue;
      read_constant_box(value, boxes_[id], allocate(static_cast<ValueId>(id)).view());
    }
  }

  void compute(const Node& node) {
    allocate(node.output);
    if (std::holds_alternative<Concat>(node.op)) {
      concatenate(node);
      return;
    }
    const WorkRegion work = work_of(node);
    const LocalWork call = localise(network_, node, work);
    std::vector<OperandLayout> srcs;
    std::vector<const std::byte*> data;
    for (const std::size_t operand : call.operands) {
      const ConstView src = std::as_const(tensor(node.inputs[operand])).view(needed_box(network_, node, operand, work));
      srcs.push_back(src.layout);
      data.push_back(src.data);
    }
    const View dst = tensor(node.output).view();
    execute(call.placed(std::move(srcs), dst.layout), data, dst.data, input_.read_filter);
  }

  void concatenate(const Node& node) {
    for (std::size_t operand = 0; operand < node.inputs.size(); ++operand) {
      const Box need = needed_box(network_, node, operand, work_of(node));
      if (need.is_empty()) continue;
      const Axis axis = std::get<Concat>(node.op).axis;
      const Box there = need.with(axis, need[axis].shifted(concat_offset(network_, node, operand)));
      copy(std::as_const(tensor(node.inputs[operand])).view(need), tensor(node.output).view(there));
    }
  }

  HostTensor magnitudes_of(const Node& node, const Box& box) {
    if (std::holds_alternative<Concat>(node.op)) return {};
    const WorkRegion work{box, whole_contracted(network_, node)};
    LocalWork call = localise(network_, node, work);
    const std::optional<LocalKind> kind = kind_of_magnitudes(call.kind);
    if (!kind) return {};
    call.kind = *kind;
    call.epilogue.activation = {};
    for (float& term : call.epilogue.bias) term = std::abs(term);
    std::vector<HostTensor> terms;
    std::vector<OperandLayout> layouts;
    std::vector<const std::byte*> data;
    for (const std::size_t operand : call.operands)
      terms.push_back(magnitude(tensor(node.inputs[operand]), needed_box(network_, node, operand, work)));
    for (HostTensor& term : terms) {
      layouts.push_back(term.view().layout);
      data.push_back(term.view().data);
    }
    HostTensor result(box);
    execute(call.placed(std::move(layouts), result.view().layout), data, result.view().data, magnitudes_reader());
    return result;
  }

  static HostTensor magnitude(const HostTensor& tensor, const Box& box) {
    HostTensor result(box);
    convert(tensor.view(box), result.view());
    auto* const numbers = reinterpret_cast<float*>(result.view().data);
    for (index_t k = 0; k < volume(box); ++k) numbers[k] = std::abs(numbers[k]);
    return result;
  }

  FilterReader magnitudes_reader() const {
    return [this](const Filter& filter, const FilterBox& box) {
      std::vector<float> weights = input_.read_filter(filter, box);
      for (float& weight : weights) weight = std::abs(weight);
      return weights;
    };
  }

  void execute(const LocalOp& op, std::span<const std::byte* const> srcs, std::byte* dst, const FilterReader& read_filter) {
    const std::unique_ptr<Kernel> kernel = backend_.prepare(op, read_filter);
    AlignedBytes scratch(kernel->scratch_bytes());
    kernel->execute(srcs, dst, scratch.data());
  }

  const Network& network_;
  const OracleInput& input_;
  Backend& backend_;
  std::vector<Box> boxes_;
  std::vector<HostTensor> tensors_;
  std::vector<DType> types_;
};

}  // namespace

std::vector<HostTensor> evaluate(const Network& network, const OracleInput& input, std::span<const Box> wanted,
                                 Backend& backend) {
  Evaluator evaluator(network, input, wanted, backend);
  evaluator.run();
  return evaluator.cut_to(wanted);
}

std::vector<HostTensor> evaluate_magnitudes(const Network& network, const OracleInput& input, std::span<const Box> wanted,
                                            Backend& backend) {
  Evaluator evaluator(network, input, wanted, backend);
  evaluator.run();
  return evaluator.magnitudes(wanted);
}

}  // namespace parconv
