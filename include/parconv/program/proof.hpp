// SPDX-License-Identifier: Apache-2.0
// Proof that the programs of all ranks compute the network, by executing them on labels instead of values. Pure.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parconv/program/program.hpp"

namespace parconv {

/// Properties of programs that the proof establishes; a finding names the one that is violated.
enum class Rule {
  Malformed,            ///< an id, peer, stage or box that does not exist
  OutsideMemory,        ///< a region outside its buffer, or a buffer outside the arena
  StartOrder,           ///< every rank starts its communications once, in the global order
  AwaitAfterStart,      ///< every communication is awaited once, after its start
  RestartInFlight,      ///< a communication restarts before its last instance on the same slots was awaited
  WrongValue,           ///< a buffer of another value than the step or the message handles
  WrongBox,             ///< another box of the right value
  WrongType,            ///< another element type than the value has, or than partial sums have
  WrongWork,            ///< a node, a work region or a number of operands that the model does not allow
  UnfinishedSum,        ///< a partial sum in place of a complete value, or the other way round
  MissingData,          ///< elements never written, or overwritten by another buffer in the same memory
  StaleMicroBatch,      ///< elements of another micro-batch
  ReadInFlight,         ///< reads a region that a started communication still receives
  WriteInFlight,        ///< writes a region that a started communication sends or receives
  AliasedOperands,      ///< a step whose result shares memory with its operands
  UnmatchedMessage,     ///< a send without its receive, or a receive without its send
  MessageStage,         ///< the two sides of a message start in different ticks
  LostContribution,     ///< a sum without a part of the contracted axes
  DoubledContribution,  ///< a part of the contracted axes that is added twice
  SumOrder,             ///< contributions that are not added in index order, or not by the tree of the leaves
  OutputIncomplete,     ///< a part of a network output that no rank stores
  OutputStoredTwice,    ///< a part of a network output that is stored more than once
  WrongGroup,           ///< a group of a communication whose kind, root or parts its messages contradict
  GroupsDiffer          ///< a group that some member of it does not record
};

inline constexpr int num_rules = 24;

/// A stable name such as "stale-micro-batch".
std::string_view name_of(Rule rule);

/// One violation.
struct Finding {
  Rule rule = Rule::Malformed;
  int rank = -1;  ///< -1: of no single rank
  int step = -1;  ///< in the rank's list; -1: of no single step
  /// Rank, step and layer, with the expected and the actual state.
  std::string message{};
};

/// Compiler choices that affect the results of programs.
struct ProofOptions {
  DType type = DType::F32;
};

/// The result of a proof, with its extent.
struct Proof {
  /// Empty: proven. At most `max_findings`, at most one per rank, the clearest first.
  std::vector<Finding> findings{};
  int ranks_executed = 0;          ///< every rank unless there are findings; none is skipped as equivalent to another
  index_t steps_executed = 0;      ///< over all ranks and micro-batches
  index_t messages_compared = 0;   ///< per micro-batch
  index_t most_micro_batches = 0;  ///< executed on one rank before its state repeated

  bool holds() const { return findings.empty(); }
};

inline constexpr std::size_t max_findings = 8;

/// "4096 ranks executed on labels, 7.0 M steps, ...", or the findings.
std::string to_string(const Proof& proof);

/// Proves the programs of a job, one rank at a time, so that only one program has to exist at a time. Local.
///
/// Every buffer is typed memory: it holds elements of one value (or partial sums of it) in the value's own indices. Executing a
/// program writes labels (micro-batch, complete or partial with its contracted box) into the slots of buffers, by arena bytes:
/// writing a slot destroys the labels of every other slot that shares bytes with it. A message is assumed to deliver the data
/// stated by the receiver's region; both sides are compared as soon as both are known. Since the order of communications is
/// proved for each rank, the first wrong message of any run is one that the comparison finds.
///
/// Micro-batches are executed as by Engine, until the labels repeat from one tick to the next up to the numbers of micro-batches,
/// which proves the rest. Where slots of different buffers share memory, last_stage + 2 * lcm(slots) micro-batches are executed.
class Prover {
 public:
  /// `network` has to outlive the prover.
  Prover(const Network& network, int num_ranks, const ProofOptions& options);
  ~Prover();
  Prover(const Prover&) = delete;
  Prover& operator=(const Prover&) = delete;

  /// Executes one rank's program. Precondition: each rank is added once.
  void add(const Program& program);
  /// Checks the rules across ranks and returns the proof. Preconditions: all ranks were added; called once.
  Proof finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Proves programs[r] as the program of rank r. Local.
Proof prove(const Network& network, std::span<const Program> programs, const ProofOptions& options);

/// Throws Bug with the findings if there are any.
void expect_proven(const Proof& proof);

}  // namespace parconv
