// SPDX-License-Identifier: Apache-2.0
#include "program/verify/mutations.hpp"

#include <array>

#include "parconv/core/error.hpp"
#include "program/verify/mutation_sites.hpp"

namespace parconv::test {
namespace {

struct Kind {
  std::string_view name;
  void (*find)(Program&, Sites&);
};

constexpr std::array<Kind, num_mutations> kinds{{{"other row sent", other_row_sent},
                                                 {"other row received", other_row_received},
                                                 {"sends swapped", sends_swapped},
                                                 {"message dropped", message_dropped},
                                                 {"buffer exchanged", buffer_exchanged},
                                                 {"memory moved onto memory in use", memory_moved},
                                                 {"slot missing", slot_missing},
                                                 {"slots overlap", slots_overlap},
                                                 {"contribution lost", contribution_lost},
                                                 {"contribution doubled", contribution_doubled},
                                                 {"contributions swapped", contributions_swapped},
                                                 {"tree of a sum changed", tree_changed},
                                                 {"contribution sent to another owner", contribution_misdirected},
                                                 {"await dropped", await_dropped},
                                                 {"await behind the first use", await_late},
                                                 {"await before its start", await_early},
                                                 {"start dropped", start_dropped},
                                                 {"order swapped", order_swapped},
                                                 {"store of another box", store_of_other_box},
                                                 {"load of another box", load_of_other_box},
                                                 {"type changed", type_changed},
                                                 {"step moved to another stage", stage_changed},
                                                 {"read before the write", stale_read},
                                                 {"operand shifted", operand_shifted},
                                                 {"copy shifted", copy_shifted},
                                                 {"work region changed", work_changed},
                                                 {"epilogue misplaced", epilogue_misplaced},
                                                 {"operand or residual left out", residual_lost},
                                                 {"step dropped", step_dropped},
                                                 {"kind of a communication changed", kind_changed},
                                                 {"member of a group lost", member_lost},
                                                 {"rank added to a group", member_added},
                                                 {"root of a group changed", root_changed},
                                                 {"places of two parts swapped", places_swapped},
                                                 {"part of a group changed", part_changed}}};

}  // namespace

std::string_view name_of(Mutation mutation) { return kinds[static_cast<std::size_t>(mutation)].name; }

std::optional<std::string> mutate(std::vector<Program>& programs, Mutation mutation, Random& random) {
  Sites sites;
  std::vector<int> ranks;
  for (Program& program : programs) {
    kinds[static_cast<std::size_t>(mutation)].find(program, sites);
    ranks.resize(sites.size(), program.rank);
  }
  if (sites.empty()) return std::nullopt;
  const auto chosen = static_cast<std::size_t>(random.integer(0, std::ssize(sites) - 1));
  return concat("rank ", ranks[chosen], ": ", sites[chosen]());
}

}  // namespace parconv::test
