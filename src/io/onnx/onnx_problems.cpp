// SPDX-License-Identifier: Apache-2.0
#include "io/onnx/onnx_problems.hpp"

#include <map>
#include <utility>

#include "io/onnx/file/onnx_graph.hpp"

namespace parconv {
namespace {

constexpr std::size_t max_listed = 20;

/// Problems of one operator with one cause.
struct Group {
  const NodeProblem* first = nullptr;
  index_t count = 0;
};

/// In the order of their first nodes.
std::vector<Group> grouped(const std::vector<NodeProblem>& problems) {
  std::vector<Group> groups;
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  for (const NodeProblem& problem : problems) {
    const auto [place, is_new] = places.try_emplace({problem.node->op_type(), problem.cause}, groups.size());
    if (is_new) groups.push_back({.first = &problem});
    groups[place->second].count += 1;
  }
  return groups;
}

}  // namespace

NodeProblem problem_of(const onnx::NodeProto& node, const Error& error) {
  std::string cause = error.what();
  const std::string prefix = label_of(node) + ": ";
  if (cause.starts_with(prefix)) cause = cause.substr(prefix.size());
  return {.node = &node, .message = error.what(), .cause = std::move(cause), .hint = error.hint()};
}

NodeProblem problem_of(const onnx::NodeProto& node, const std::string& cause, const std::string& hint) {
  return {.node = &node, .message = concat(label_of(node), ": ", cause), .cause = cause, .hint = hint};
}

Error error_of(const std::vector<NodeProblem>& problems) {
  const NodeProblem& first = problems.front();
  if (problems.size() == 1) return {ExitCode::BadData, first.message, first.hint};
  const std::vector<Group> groups = grouped(problems);
  std::string text = concat(problems.size(), " nodes are not supported");
  for (std::size_t k = 0; k < groups.size() && k < max_listed; ++k)
    text += concat("\n  ", groups[k].count, " ", groups[k].first->node->op_type(), ": ", groups[k].first->cause, " (",
                   groups[k].count == 1 ? "" : "first: ", label_of(*groups[k].first->node), ")");
  if (groups.size() > max_listed) text += concat("\n  and ", groups.size() - max_listed, " more causes");
  return {ExitCode::BadData, text, first.hint};
}

}  // namespace parconv
