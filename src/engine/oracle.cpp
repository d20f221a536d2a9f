// SPDX-License-Identifier: Apache-2.0
#include "parconv/engine/oracle.hpp"

#include <algorithm>
#include <utility>

#include "engine/constant_values.hpp"
#include "parconv/core/error.hpp"
#include "parconv/model/localise.hpp"
#include "parconv/model/value_types.hpp"
#include "parconv/tensor/aligned.hpp"
#include "parconv/tensor/convert.hpp"

namespace parconv {
namespace {

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

  std::vector<HostTensor> run(std::span<const Box> wanted) {
    widen_boxes();
    load_values();
    for (const Node& node : network_.nodes)
      if (!box(node.output).is_empty()) compute(node);
    return cut_to(wanted);
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
    const LocalOp op = call.placed(std::move(srcs), tensor(node.output).view().layout);
    const std::unique_ptr<Kernel> kernel = backend_.prepare(op, input_.read_filter);
    AlignedBytes scratch(kernel->scratch_bytes());
    kernel->execute(data, tensor(node.output).view().data, scratch.data());
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
  return Evaluator(network, input, wanted, backend).run(wanted);
}

}  // namespace parconv
