// SPDX-License-Identifier: Apache-2.0
// Small faults injected into correct programs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parconv/program/program.hpp"
#include "support/random.hpp"

namespace parconv::test {

enum class Mutation {
  OtherRowSent,             ///< a message sends the box beside the right one
  OtherRowReceived,         ///< a message lands beside its place
  SendsSwapped,             ///< two messages of a communication send each other's box
  MessageDropped,           ///< a send or a receive is left out
  BufferExchanged,          ///< a step reads or writes another buffer
  MemoryMoved,              ///< a buffer moves into memory that is in use
  SlotMissing,              ///< a buffer has a slot less
  SlotsOverlap,             ///< the slots of a buffer share bytes
  ContributionLost,         ///< a sum without one of its parts
  ContributionDoubled,      ///< a sum with one of its parts twice
  ContributionsSwapped,     ///< two parts of a sum in the wrong order
  TreeChanged,              ///< a join of two partial sums comes one contribution later
  ContributionMisdirected,  ///< a partial sum goes to another rank
  AwaitDropped,
  AwaitLate,   ///< behind the step that needs it
  AwaitEarly,  ///< before the start
  StartDropped,
  OrderSwapped,  ///< two communications start in the other order on one rank
  StoreOfOtherBox,
  LoadOfOtherBox,
  TypeChanged,
  StageChanged,       ///< a step acts on another micro-batch
  StaleRead,          ///< a step reads before the value of its micro-batch is written
  OperandShifted,     ///< a computation reads the box beside the right one
  CopyShifted,        ///< a copy lands beside its place
  WorkChanged,        ///< a computation of another part of the output, or over other channels
  EpilogueMisplaced,  ///< the epilogue on a partial sum, or none on a complete value
  ResidualLost,       ///< a sum without its residual, or a computation without its last operand
  StepDropped,
  KindChanged,    ///< one rank records another kind of a communication
  MemberLost,     ///< one rank records a group without one of its members
  MemberAdded,    ///< one rank records a group with another rank
  RootChanged,    ///< one rank records another root
  PlacesSwapped,  ///< one rank records the parts of two members in each other's place
  PartChanged     ///< one rank records another box of a part
};

inline constexpr int num_mutations = 35;

std::string_view name_of(Mutation mutation);

/// Injects one fault into one program. Returns a description, or nullopt if the programs have no site for it.
std::optional<std::string> mutate(std::vector<Program>& programs, Mutation mutation, Random& random);

}  // namespace parconv::test
