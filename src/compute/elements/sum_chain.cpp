// SPDX-License-Identifier: Apache-2.0
#include "compute/elements/sum_chain.hpp"

#include <algorithm>

#include "parconv/core/error.hpp"

namespace parconv {
namespace {

DType carried_type(const LocalOp& op) {
  const auto* parts = std::get_if<LocalReduceParts>(&op.kind);
  return parts != nullptr && parts->kind == ReduceKind::Sum ? DType::Accumulator : DType::F32;
}

OperandLayout sum_layout(const LocalOp& op) {
  const Box box = Box::whole(op.dst.extents);
  return layout_within(box, box, carried_type(op));
}

SumLink link_of(const LocalOp& op, std::vector<int> srcs) {
  SumLink link{.op = {.kind = op.kind, .epilogue = {}, .srcs = {}, .dst = sum_layout(op)}, .srcs = std::move(srcs)};
  for (const int src : link.srcs)
    link.op.srcs.push_back(src == SumLink::carried ? sum_layout(op) : op.srcs[static_cast<std::size_t>(src)]);
  return link;
}

/// Adds the epilogue and the dst layout of the whole sum to the last link.
void complete(SumLink& link, const LocalOp& op) {
  link.is_last = true;
  link.op.epilogue = op.epilogue;
  link.op.dst = op.dst;
  if (op.epilogue.residual < 0) return;
  link.op.epilogue.residual = static_cast<int>(link.srcs.size());
  link.srcs.push_back(op.epilogue.residual);
  link.op.srcs.push_back(op.srcs[static_cast<std::size_t>(op.epilogue.residual)]);
}

}  // namespace

std::vector<SumLink> sum_links(const LocalOp& op, std::size_t most_operands) {
  const auto* sum = std::get_if<LocalSum>(&op.kind);
  const bool is_in_order = sum != nullptr ? sum->joins.empty() : std::holds_alternative<LocalReduceParts>(op.kind);
  PARCONV_EXPECT(is_in_order && most_operands > 1, name_of(op.kind), " of ", most_operands, " operands");
  std::vector<SumLink> links;
  std::vector<int> srcs;
  for (int src = 0; src < static_cast<int>(op.srcs.size()); ++src) {
    if (src == op.epilogue.residual) continue;
    if (srcs.size() == most_operands) {
      links.push_back(link_of(op, std::move(srcs)));
      srcs = {SumLink::carried};
    }
    srcs.push_back(src);
  }
  links.push_back(link_of(op, std::move(srcs)));
  complete(links.back(), op);
  return links;
}

SumChain::SumChain(const LocalOp& op, std::size_t most_operands, const MakeKernel& make)
    : links_(sum_links(op, most_operands)),
      sum_bytes_(static_cast<std::size_t>(volume(op.dst.extents)) * size_of(carried_type(op))) {
  for (const SumLink& link : links_) {
    kernels_.push_back(make(link.op));
    PARCONV_EXPECT(kernels_.back()->scratch_bytes() == 0, kernels_.back()->scratch_bytes(), " bytes of scratch");
  }
  link_srcs_.reserve(most_operands + 1);
}

void SumChain::execute(std::span<const std::byte* const> srcs, std::byte* dst, std::byte* scratch) {
  for (std::size_t k = 0; k < links_.size(); ++k) {
    link_srcs_.clear();
    for (const int src : links_[k].srcs)
      link_srcs_.push_back(src == SumLink::carried ? scratch : srcs[static_cast<std::size_t>(src)]);
    kernels_[k]->execute(link_srcs_, links_[k].is_last ? dst : scratch, nullptr);
  }
}

std::size_t SumChain::resident_bytes() const {
  std::size_t bytes = 0;
  for (const auto& kernel : kernels_) bytes += kernel->resident_bytes();
  return bytes;
}

}  // namespace parconv
