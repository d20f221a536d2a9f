// SPDX-License-Identifier: Apache-2.0
#include "program/explain_moves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace parconv {
namespace {

constexpr std::size_t most_columns = 130;

/// What groups of one kind have in common.
struct Summary {
  index_t count = 0;
  index_t least = 0;
  index_t most = 0;
  std::optional<int> root{};
  bool has_one_root = true;

  void add(const CommGroup& group) {
    const index_t size = std::ssize(group.ranks);
    least = count == 0 ? size : std::min(least, size);
    most = std::max(most, size);
    has_one_root = has_one_root && root.value_or(group.root) == group.root;
    root = group.root;
    ++count;
  }
  std::string sizes() const { return range_text(least, most); }
};

/// Shortens the name of a kind to the width of a column.
std::string_view short_name(CommKind kind) {
  return kind == CommKind::ReduceScatter || kind == CommKind::Reduce ? "sum" : name_of(kind);
}

std::string column_text(CommKind kind, const Summary& summary) {
  std::string text = fmt::format("{}({})", short_name(kind), summary.sizes());
  if (has_root(kind)) text += summary.has_one_root ? fmt::format("->{}", *summary.root) : "->*";
  return text;
}

/// "0-3,8,12-15".
std::string ranks_text(const std::vector<int>& ranks) {
  std::string text;
  for (std::size_t first = 0, last = 0; first < ranks.size(); first = ++last) {
    while (last + 1 < ranks.size() && ranks[last + 1] == ranks[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += range_text(ranks[first], ranks[last]);
  }
  return text;
}

std::string group_line(const CommGroup& group) {
  std::string line = fmt::format("    {} of {} ranks", name_of(group.kind), group.ranks.size());
  if (has_root(group.kind)) line += fmt::format(", root {}", group.root);
  line += ": " + ranks_text(group.ranks);
  if (line.size() > most_columns) line = line.substr(0, most_columns - 3) + "...";
  return line + '\n';
}

/// The entries of a list, separated by commas, on lines that fit the table.
std::string wrapped(std::string line, const std::vector<std::string>& entries) {
  std::string text;
  for (std::size_t k = 0; k < entries.size(); ++k) {
    const std::string entry = entries[k] + (k + 1 < entries.size() ? ", " : "");
    if (line.size() + entry.size() > most_columns) {
      text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
      line = "    ";
    }
    line += entry;
  }
  return text + line + '\n';
}

}  // namespace

std::string range_text(index_t least, index_t most) {
  return least == most ? fmt::format("{}", least) : fmt::format("{}-{}", least, most);
}

MovesText::MovesText(const Layout& layout, std::span<const Program> programs) : layout_(layout) {
  for (const Program& program : programs)
    for (const Communication& communication : program.communications) add(communication, program.rank);
}

void MovesText::add(const Communication& communication, int rank) {
  Move& move = moves_[communication.order];
  const CommGroup* group = communication.group.get();
  if (group != nullptr && group->ranks.front() == rank) move.groups.push_back(group);
  const auto is_outside = [&](const Message& message) { return group == nullptr || group->position(message.peer) < 0; };
  move.has_others = move.has_others || std::any_of(communication.sends.begin(), communication.sends.end(), is_outside) ||
                    std::any_of(communication.receives.begin(), communication.receives.end(), is_outside);
}

std::vector<MovesText::Move> MovesText::moves_at(int first_order, int step, int count) const {
  std::vector<Move> result;
  for (int k = 0; k < count; ++k)
    if (const auto move = moves_.find(first_order + k * step); move != moves_.end()) result.push_back(move->second);
  return result;
}

std::vector<MovesText::Move> MovesText::sums_of(std::size_t node) const {
  const NodeSchedule& schedule = layout_.schedules[node];
  if (schedule.reduce_order < 0) return {};
  return moves_at(schedule.reduce_order, 1, schedule.num_strips);
}

std::vector<MovesText::Move> MovesText::moves_of(std::size_t node, const Delivery& delivery) const {
  const int strips = layout_.placements[node].is_summed ? 1 : std::max(1, layout_.schedules[node].num_strips);
  return moves_at(delivery.first_order, delivery.order_step, strips);
}

std::string MovesText::of_layer(std::size_t node) const {
  std::vector<std::string> texts;
  const auto add_text = [&](const std::string& text) {
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
  };
  const auto add_moves = [&](const std::vector<Move>& moves, const char* others) {
    std::map<CommKind, Summary> kinds;
    bool has_others = false;
    for (const Move& move : moves) {
      for (const CommGroup* group : move.groups) kinds[group->kind].add(*group);
      has_others = has_others || move.has_others;
    }
    for (const auto& [kind, summary] : kinds) add_text(column_text(kind, summary));
    if (has_others) add_text(others);
  };
  add_moves(sums_of(node), "sum");
  for (const int index : layout_.schedules[node].deliveries) {
    const Delivery& delivery = layout_.deliveries[static_cast<std::size_t>(index)];
    add_moves(moves_of(node, delivery), delivery.is_store ? "store" : "p2p");
  }
  return texts.empty() ? "-" : fmt::format("{}", fmt::join(texts, "+"));
}

std::string MovesText::groups_of_layer(std::size_t node) const {
  std::string text;
  const auto add_lines = [&](const std::vector<Move>& moves) {
    for (const Move& move : moves)
      for (const CommGroup* group : move.groups)
        if (const std::string line = group_line(*group); text.find(line) == std::string::npos) text += line;
  };
  add_lines(sums_of(node));
  for (const int index : layout_.schedules[node].deliveries)
    add_lines(moves_of(node, layout_.deliveries[static_cast<std::size_t>(index)]));
  return text;
}

std::string MovesText::totals() const {
  std::map<CommKind, Summary> kinds;
  std::size_t others = 0;
  for (const auto& [order, move] : moves_) {
    for (const CommGroup* group : move.groups) kinds[group->kind].add(*group);
    others += move.has_others ? 1U : 0U;
  }
  if (moves_.empty()) return {};
  std::vector<std::string> entries;
  for (const auto& [kind, summary] : kinds) {
    entries.push_back(fmt::format("{} x {} of {} ranks", summary.count, name_of(kind), summary.sizes()));
    if (has_root(kind)) entries.back() += summary.has_one_root ? fmt::format(" (root {})", *summary.root) : " (several roots)";
  }
  if (kinds.empty()) entries.emplace_back("point to point");
  if (!kinds.empty() && others > 0) entries.push_back(fmt::format("{} with point-to-point messages", others));
  return wrapped(fmt::format("{} communication{}: ", moves_.size(), moves_.size() == 1 ? "" : "s"), entries);
}

}  // namespace parconv
