// SPDX-License-Identifier: Apache-2.0
// Einsum of one or two operands: as sums, a Transpose, and a product of matrices.
#include <algorithm>
#include <map>
#include <set>

#include "io/onnx/constants/constant_tensor.hpp"
#include "io/onnx/ops/onnx_ops.hpp"
#include "io/onnx/ops/onnx_reduction.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

/// One letter for each dimension.
using Labels = std::string;

bool has(const Labels& labels, char label) { return labels.find(label) != Labels::npos; }

/// An equation with the labels of operands and result.
struct Equation {
  std::vector<Labels> operands{};
  Labels result{};
};

Labels checked_labels(const NodeReader& node, const std::string& text) {
  std::set<char> seen;
  for (const char label : text) {
    if (std::isalpha(static_cast<unsigned char>(label)) == 0)
      node.refuse(concat("its equation has '", label, "'; letters are supported"));
    if (!seen.insert(label).second) node.refuse("its equation takes a diagonal, which is not supported");
  }
  return text;
}

/// The labels that occur once, in alphabetical order: the result of an equation without an arrow.
Labels implicit_result(const std::vector<Labels>& operands) {
  std::map<char, int> counts;
  for (const Labels& labels : operands)
    for (const char label : labels) counts[label] += 1;
  Labels result;
  for (const auto& [label, count] : counts)
    if (count == 1) result += label;
  return result;
}

Equation read_equation(NodeReader& node) {
  std::string text = node.attributes().get_string("equation", "");
  std::erase(text, ' ');
  const std::size_t arrow = text.find("->");
  Equation equation;
  std::string left = text.substr(0, arrow);
  for (std::size_t comma = left.find(','); comma != std::string::npos; comma = left.find(',')) {
    equation.operands.push_back(checked_labels(node, left.substr(0, comma)));
    left = left.substr(comma + 1);
  }
  equation.operands.push_back(checked_labels(node, left));
  equation.result =
      arrow == std::string::npos ? implicit_result(equation.operands) : checked_labels(node, text.substr(arrow + 2));
  if (equation.operands.size() > 2) node.refuse("has more than two operands", "write it as several nodes");
  node.expect_inputs(equation.operands.size(), equation.operands.size());
  return equation;
}

/// Sizes by label. Throws if operands disagree.
std::map<char, index_t> sizes_of(NodeReader& node, const Equation& equation) {
  std::map<char, index_t> sizes;
  for (std::size_t k = 0; k < equation.operands.size(); ++k) {
    const Dims dims = node.dims(k);
    const Labels& labels = equation.operands[k];
    if (dims.size() != labels.size())
      node.refuse(concat("its equation has ", labels.size(), " labels for an input of ", dims_string(dims)));
    for (std::size_t at = 0; at < dims.size(); ++at)
      if (sizes.emplace(labels[at], dims[at]).first->second != dims[at])
        node.refuse(concat("its inputs have different sizes of ", labels[at]));
  }
  for (const char label : equation.result)
    if (!sizes.contains(label)) node.refuse(concat("its result has the label ", label, ", which no operand has"));
  return sizes;
}

/// A value with one label for each dimension.
struct Operand {
  Chain chain{};
  Labels labels{};
};

/// Dimensions of an equation's labels, and how operands are brought to matrices.
class Product {
 public:
  Product(NodeReader& node, const Equation& equation) : node_(node), equation_(equation), sizes_(sizes_of(node, equation)) {}

  void make() {
    std::vector<Operand> operands;
    for (std::size_t k = 0; k < equation_.operands.size(); ++k) operands.push_back(summed(k));
    if (operands.size() == 1) return finish(std::move(operands[0].chain), operands[0].labels);
    make_product(std::move(operands[0]), std::move(operands[1]));
  }

 private:
  Dims dims_of_labels(const Labels& labels) const {
    Dims dims;
    for (const char label : labels) dims.push_back(sizes_.at(label));
    return dims;
  }

  /// Operand `k`, summed over the labels that nothing else has.
  Operand summed(std::size_t k) {
    const Labels& labels = equation_.operands[k];
    Labels others = equation_.result;
    if (equation_.operands.size() == 2) others += equation_.operands[1 - k];
    Labels kept;
    for (const char label : labels)
      if (has(others, label)) kept += label;
    if (kept == labels) return {.chain = source(k), .labels = labels};
    const ValueId x = node_.is_constant(k) ? source(k).source : node_.value(k);
    const Shape shape = node_.network().shape(x);
    AxisSet axes{};
    for (std::size_t at = 0; at < labels.size(); ++at)
      if (!has(others, labels[at])) axes[static_cast<std::size_t>(axis_of(node_, static_cast<index_t>(at), shape.ndims))] = true;
    const ValueId sum = node_.add_step("summed", reduction(shape, ReduceKind::Sum, axes), {x});
    return {.chain = {.source = sum, .moves = in_order(dims_of_labels(kept))}, .labels = kept};
  }

  Chain source(std::size_t k) {
    if (!node_.is_constant(k)) return node_.network().chain(node_.input_name(k));
    const Dims dims = node_.dims(k);
    const ValueId value = node_.network().constant_value(node_.input_name(k), static_cast<int>(dims.size()), node_.label());
    return {.source = value, .moves = in_order(dims)};
  }

  static Chain transposed_to(Chain chain, const Labels& from, const Labels& to) {
    std::vector<int> perm;
    for (const char label : to) perm.push_back(static_cast<int>(from.find(label)));
    chain.moves = transposed(chain.moves, perm);
    return chain;
  }

  ValueId materialised(Chain chain, const char* suffix) {
    const std::string step = node_.network().fresh_name(concat(node_.output_name(), ".", suffix));
    chain.node = step;
    node_.network().set_chain(step, std::move(chain));
    return node_.network().value(step);
  }

  /// The chain as a value of `dims`.
  ValueId reshaped_value(Chain chain, const Dims& dims, const char* suffix) {
    if (std::optional<Rearrange> moves = reshaped(chain.moves, dims)) {
      chain.moves = std::move(*moves);
      return materialised(std::move(chain), suffix);
    }
    return node_.with_dims(materialised(std::move(chain), suffix), dims);
  }

  void make_product(Operand a, Operand b) {
    Labels batch, rows, depth, columns;
    for (const char label : a.labels) (!has(b.labels, label) ? rows : has(equation_.result, label) ? batch : depth) += label;
    for (const char label : b.labels)
      if (!has(a.labels, label)) columns += label;
    const auto matrix_dims = [&](const Labels& first, const Labels& second) {
      Dims dims = batch_dims(batch);
      for (const Labels* labels : {&first, &second}) dims.push_back(volume_of(dims_of_labels(*labels)));
      return dims;
    };
    const ValueId left =
        reshaped_value(transposed_to(std::move(a.chain), a.labels, batch + rows + depth), matrix_dims(rows, depth), "left");
    const ValueId right = reshaped_value(transposed_to(std::move(b.chain), b.labels, batch + depth + columns),
                                         matrix_dims(depth, columns), "right");
    const int ndims = node_.network().shape(left).ndims;
    const MatMul product{.rows = axis_of(node_, ndims - 2, ndims), .columns = axis_of(node_, ndims - 1, ndims)};
    const Labels labels = batch + rows + columns;
    finish({.source = node_.add_step("product", product, {left, right}), .moves = in_order(dims_of_labels(labels))}, labels);
  }

  /// At most three dimensions of matrices side by side.
  Dims batch_dims(const Labels& batch) const {
    constexpr std::size_t most = num_axes - 2;
    Dims dims = dims_of_labels(batch);
    for (; dims.size() > most; dims.pop_back()) dims[dims.size() - 2] *= dims.back();
    return dims;
  }

  void finish(Chain chain, const Labels& labels) {
    chain = transposed_to(std::move(chain), labels, equation_.result);
    chain.node = node_.name();
    node_.network().set_chain(node_.output_name(), std::move(chain));
  }

  NodeReader& node_;
  const Equation& equation_;
  std::map<char, index_t> sizes_;
};

void read_einsum(NodeReader& node) {
  const Equation equation = read_equation(node);
  Product(node, equation).make();
}

constexpr OperatorRow rows[]{{"Einsum", read_einsum}};

}  // namespace

std::span<const OperatorRow> einsum_operators() { return rows; }

}  // namespace parconv
