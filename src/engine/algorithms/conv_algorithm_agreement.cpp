// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <sstream>

#include "parconv/comm/coordinated.hpp"
#include "parconv/core/error.hpp"
#include "parconv/engine/conv_algorithm_table.hpp"

namespace parconv {
namespace {

constexpr const char* phase = "choosing convolution algorithms";

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

/// The ranks that make each call; the iteration order is equal on all ranks.
std::map<std::string, std::vector<std::size_t>> ranks_of_calls(const std::vector<std::string>& calls_of_ranks) {
  std::map<std::string, std::vector<std::size_t>> ranks;
  for (std::size_t rank = 0; rank < calls_of_ranks.size(); ++rank)
    for (const std::string& call : lines_of(calls_of_ranks[rank])) ranks[call].push_back(rank);
  return ranks;
}

/// Assigns each call to the least loaded of its ranks. Lines "rank call".
std::string shares_text(const std::vector<std::string>& calls_of_ranks, std::vector<index_t>& num_calls) {
  std::string text;
  for (const auto& [call, ranks] : ranks_of_calls(calls_of_ranks)) {
    const std::size_t owner =
        *std::min_element(ranks.begin(), ranks.end(), [&](std::size_t a, std::size_t b) { return num_calls[a] < num_calls[b]; });
    ++num_calls[owner];
    text += concat(owner, ' ', call, '\n');
  }
  return text;
}

/// The calls assigned to `rank`, parsed from those lines.
std::vector<std::string> share_of(int rank, const std::string& work_regions) {
  const std::string begin = concat(rank, ' ');
  std::vector<std::string> calls;
  for (const std::string& line : lines_of(work_regions))
    if (line.starts_with(begin)) calls.push_back(line.substr(begin.size()));
  return calls;
}

/// Gathers the choices of all ranks on all ranks.
ConvAlgorithms shared(Control& control, const ConvAlgorithmMachine& machine, const ConvAlgorithms& own) {
  ConvAlgorithms all;
  for (const std::string& text : control.all_gather(conv_algorithms_to_json({{machine, own}})))
    for (const auto& [from, choices] : conv_algorithms_from_json(text)) all.insert(choices.begin(), choices.end());
  return all;
}

}  // namespace

ConvAlgorithms agree_on_conv_algorithms(Control& control, ConvAlgorithmChooser& chooser, std::span<const LocalOp> ops,
                                        ConvAlgorithms known, const std::function<void()>& on_choice) {
  std::vector<index_t> num_calls(static_cast<std::size_t>(control.size()), 0);
  for (;;) {
    const auto open = coordinated(control, phase, [&] { return chooser.open_calls(ops, known); });
    const std::vector<std::string> calls_of_ranks = control.gather(text_of(open));
    const std::string work_regions =
        control.broadcast(control.rank() == 0 ? shares_text(calls_of_ranks, num_calls) : std::string());
    if (work_regions.empty()) return known;
    ConvAlgorithms own;
    coordinated(control, phase, [&] {
      for (const std::string& call : share_of(control.rank(), work_regions)) {
        own[call] = chooser.choose(call);
        if (on_choice) on_choice();
      }
    });
    for (auto& [call, choice] : shared(control, chooser.machine(), own)) known[call] = choice;
  }
}

}  // namespace parconv
