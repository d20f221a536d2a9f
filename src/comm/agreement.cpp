// SPDX-License-Identifier: Apache-2.0
#include "parconv/comm/agreement.hpp"

#include <algorithm>
#include <vector>

#include "parconv/comm/coordinated.hpp"

namespace parconv {
namespace {

/// Lengths before texts: any bytes may occur in them.
std::string packed(std::span<const Fact> facts) {
  std::string text;
  for (const Fact& fact : facts)
    for (const std::string* part : {&fact.name, &fact.value}) text += concat(part->size(), ' ', *part);
  return text;
}

std::string take_part(const std::string& text, std::size_t& at) {
  const std::size_t space = text.find(' ', at), size = std::stoul(text.substr(at, space - at));
  at = space + 1 + size;
  return text.substr(space + 1, size);
}

std::vector<Fact> unpacked(const std::string& text) {
  std::vector<Fact> facts;
  for (std::size_t at = 0; at < text.size();) {
    std::string name = take_part(text, at);
    facts.push_back({std::move(name), take_part(text, at)});
  }
  return facts;
}

std::string text_of(const std::string& value) { return value.empty() ? "nothing" : value; }

/// The first fact that differs; facts before it have the same names.
Error difference(std::span<const Fact> first, std::span<const Fact> other, const std::string& rank) {
  const auto [here, there] = std::mismatch(first.begin(), first.end(), other.begin(), other.end());
  const Fact of_first = here != first.end() ? *here : Fact{.name = there->name};
  const Fact of_other = there != other.end() && there->name == of_first.name ? *there : Fact{};
  return Error(ExitCode::Config,
               concat("the ranks of the job differ in ", of_first.name, ": ", text_of(of_first.value), " on rank 0, ",
                      text_of(of_other.value), " on ", rank),
               "Start all ranks with the same program and options, on the same model and data.");
}

}  // namespace

void require_agreement(Control& control, const std::string& phase, std::span<const Fact> facts) {
  const std::string mine = packed(facts);
  if (control.all_equal(mine)) return;
  const std::vector<std::string> texts = control.gather(mine);
  coordinated(control, phase, [&] {
    for (std::size_t rank = 1; rank < texts.size(); ++rank)
      if (texts[rank] != mine)
        throw difference(facts, unpacked(texts[rank]), concat("rank ", rank, " (", control.host_names()[rank], ")"));
  });
}

}  // namespace parconv
