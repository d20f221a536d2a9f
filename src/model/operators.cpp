#include "parconv/model/operators.hpp"

namespace parconv {
namespace {

struct NameOf {
  std::string operator()(const Conv&) const { return "Conv"; }
  std::string operator()(const Pool& op) const { return op.kind == PoolKind::Max ? "MaxPool" : "AveragePool"; }
  std::string operator()(const Elementwise&) const { return "Elementwise"; }
  std::string operator()(const ScaleShift&) const { return "ScaleShift"; }
  std::string operator()(const Sum&) const { return "Sum"; }
  std::string operator()(const Concat&) const { return "Concat"; }
  std::string operator()(const RowSum&) const { return "RowSum"; }
  std::string operator()(const RowsMean&) const { return "RowsMean"; }
  std::string operator()(const Softmax& op) const { return op.is_logarithm ? "LogSoftmax" : "Softmax"; }
  std::string operator()(const Reshape&) const { return "Reshape"; }
};

}  // namespace

std::string name_of(const Operator& op) { return std::visit(NameOf{}, op); }

}  // namespace parconv
