// SPDX-License-Identifier: Apache-2.0
// Rules on the regions of a step, independent of memory contents: values, boxes, types, operands.
#pragma once

#include "program/verify/label_memory.hpp"
#include "program/verify/network_facts.hpp"

namespace parconv::verify {

/// All ids exist, regions lie inside buffers, and buffers lie inside the arena. Precondition of all other checks.
class ShapeRules {
 public:
  ShapeRules(const NetworkFacts& facts, const Program& program) : facts_(facts), program_(program) {}

  void check_buffers() const;
  void check_communications() const;
  void check_step(const Step& step) const;
  void check_region(const Region& region) const;

 private:
  void check_message(const Message& message) const;

  const NetworkFacts& facts_;
  const Program& program_;
};

/// Every buffer holds one value in the value's indices, complete or as partial sums: each step has to read and write the boxes
/// required by the model. Precondition: ShapeRules hold.
class StepRules {
 public:
  StepRules(const NetworkFacts& facts, const Program& program) : facts_(facts), program_(program) {}

  void check(const Step& step) const;
  void check_constant(const Load& constant) const;

 private:
  const Buffer& buffer(const Region& region) const { return program_.buffer(region.buffer); }
  void check_load(const Load& load) const;
  void check_copy(const Copy& copy) const;
  void check_compute(NodeId node, const Compute& compute) const;
  void check_operands(NodeId node, const Compute& compute) const;
  void check_reduce(NodeId node, const Reduce& reduce) const;
  void check_store(const Store& store) const;
  void expect(const Region& region, ValueId value, const Box& box, const char* verb) const;
  void expect_operand(NodeId node, std::size_t operand, const Region& region, const Box& need) const;

  const NetworkFacts& facts_;
  const Program& program_;
};

/// True for buffers of partial sums.
bool holds_sums(const Buffer& buffer);

}  // namespace parconv::verify
