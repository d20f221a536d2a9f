#include "parconv/program/check.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "parconv/core/error.hpp"
#include "program/arena.hpp"

namespace parconv {
namespace {

using Moment = Lifetime::Moment;

/// Where a communication starts and is awaited.
struct Flight {
  std::vector<Moment> starts{};
  std::vector<Moment> awaits{};
};

class ProgramChecker {
 public:
  explicit ProgramChecker(const Program& program) : program_(program), lifetimes_(lifetimes_of(program)) {}

  std::vector<std::string> run() {
    find_flights();
    check_flights();
    if (!problems_.empty()) return problems_;
    collect_writes();
    collect_sendings();
    for (std::size_t k = 0; k < program_.steps.size(); ++k) check_step(k);
    check_slots();
    check_sharing();
    return problems_;
  }

 private:
  template <class... Parts>
  void report(const Parts&... parts) {
    problems_.push_back(concat("rank ", program_.rank, ": ", parts...));
  }

  Moment moment(std::size_t step) const { return {program_.steps[step].stage, static_cast<int>(step)}; }

  void find_flights() {
    flights_.resize(program_.communications.size());
    int previous_order = -1;
    for (std::size_t k = 0; k < program_.steps.size(); ++k) {
      if (const auto* start = std::get_if<Start>(&program_.steps[k].action)) {
        const int order = program_.communication(start->communication).order;
        if (order <= previous_order) report("communication ", order, " starts after ", previous_order);
        previous_order = order;
        flights_[static_cast<std::size_t>(start->communication)].starts.push_back(moment(k));
      }
      if (const auto* await = std::get_if<Await>(&program_.steps[k].action))
        flights_[static_cast<std::size_t>(await->communication)].awaits.push_back(moment(k));
    }
  }

  void check_flights() {
    for (std::size_t k = 0; k < flights_.size(); ++k) {
      const Flight& flight = flights_[k];
      const int order = program_.communications[k].order;
      if (flight.starts.size() != 1) report("communication ", order, " starts ", flight.starts.size(), " times");
      if (flight.awaits.size() != 1) report("communication ", order, " is awaited ", flight.awaits.size(), " times");
      if (!flight.starts.empty() && !flight.awaits.empty() && !(flight.starts[0] < flight.awaits[0]))
        report("communication ", order, " is awaited before it starts");
    }
  }

  /// When each region is complete: a received one when its communication is awaited.
  struct Write {
    Box box{};
    Moment begins{};
    Moment done{};
    std::size_t step = 0;
  };

  struct Sending {
    Box box{};
    std::size_t communication = 0;
  };

  void collect_writes() {
    writes_.resize(program_.buffers.size());
    for (const Load& constant : program_.constants)
      writes_[static_cast<std::size_t>(constant.dst.buffer)].push_back({constant.dst.box, {-1, -1}, {-1, -1}, 0});
    for (std::size_t k = 0; k < program_.steps.size(); ++k) {
      const Step& step = program_.steps[k];
      if (std::holds_alternative<Await>(step.action)) continue;
      Moment done = moment(k);
      if (const auto* start = std::get_if<Start>(&step.action))
        done = flights_[static_cast<std::size_t>(start->communication)].awaits[0];
      for (const Access& access : accesses_of(program_, step))
        if (access.is_write) add_write(access.region, {access.region.box, moment(k), done, k});
    }
  }

  void collect_sendings() {
    sendings_.resize(program_.buffers.size());
    for (std::size_t c = 0; c < program_.communications.size(); ++c)
      for (const Message& message : program_.communications[c].sends)
        sendings_[static_cast<std::size_t>(message.region.buffer)].push_back({message.region.box, c});
  }

  void add_write(const Region& region, const Write& write) {
    auto& writes = writes_[static_cast<std::size_t>(region.buffer)];
    if (!program_.buffer(region.buffer).box.contains(region.box)) report("step ", write.step, " writes outside its buffer");
    for (const Write& other : writes)
      if (!intersect(other.box, region.box).is_empty())
        report("steps ", other.step, " and ", write.step, " both write ", to_string(intersect(other.box, region.box)), " of ",
               describe(region.buffer));
    writes.push_back(write);
  }

  std::string describe(BufferId id) const {
    return concat("buffer ", id, " (", name_of(program_.buffer(id).role), " of value ", program_.buffer(id).value, ")");
  }

  void check_step(std::size_t k) {
    const Step& step = program_.steps[k];
    if (std::holds_alternative<Await>(step.action)) return;
    if (const auto* copy = std::get_if<Copy>(&step.action)) check_types(*copy, k);
    for (const Access& access : accesses_of(program_, step)) {
      if (!access.is_write) check_read(access.region, k);
      if (access.is_write) check_not_sent(access.region, k);
    }
  }

  /// Copies and messages move bytes.
  void check_types(const Copy& copy, std::size_t k) {
    const DType from = program_.buffer(copy.src.buffer).type, to = program_.buffer(copy.dst.buffer).type;
    if (from != to) report("step ", k, " copies ", name_of(from), " to ", name_of(to));
  }

  /// All of the region has been written and is complete. Writes do not overlap, so volumes can be added up.
  void check_read(const Region& region, std::size_t k) {
    index_t written = 0;
    for (const Write& write : writes_[static_cast<std::size_t>(region.buffer)])
      if (write.done < moment(k)) written += volume(intersect(write.box, region.box));
    if (written != volume(region.box))
      report("step ", k, " (", name_of(program_.steps[k].action), " of node ", program_.steps[k].node, ") reads ",
             to_string(region.box), " of ", describe(region.buffer), ", of which only ", written, " elements are there");
  }

  /// Nothing that is being sent is written.
  void check_not_sent(const Region& region, std::size_t k) {
    for (const Sending& sending : sendings_[static_cast<std::size_t>(region.buffer)]) {
      const Flight& flight = flights_[sending.communication];
      const bool is_in_flight = flight.starts[0] < moment(k) && moment(k) < flight.awaits[0];
      if (is_in_flight && moment(k).stage == flight.starts[0].stage && !intersect(sending.box, region.box).is_empty())
        report("step ", k, " writes ", describe(region.buffer), " while communication ",
               program_.communications[sending.communication].order, " sends it");
    }
  }

  void check_slots() {
    for (std::size_t k = 0; k < program_.buffers.size(); ++k) {
      if (!lifetimes_[k].is_used || program_.buffers[k].role == BufferRole::Constant) continue;
      const int needed = slots_needed(lifetimes_[k]);
      if (program_.buffers[k].slots < needed)
        report(describe(static_cast<BufferId>(k)), " has ", program_.buffers[k].slots, " slots and needs ", needed);
    }
  }

  /// Goes through time with the buffers in use in the order of their memory: as long as none overlap, a new one can only overlap
  /// the one before and the one after it.
  void check_sharing() {
    std::set<std::pair<index_t, std::size_t>> in_use;
    for (const auto& [position, is_end, buffer] : uses_in_time()) {
      const std::pair<index_t, std::size_t> place{program_.buffers[buffer].offset_bytes, buffer};
      if (is_end) {
        in_use.erase(place);
        continue;
      }
      const auto here = in_use.insert(place).first;
      if (here != in_use.begin()) check_apart(std::prev(here)->second, buffer);
      if (std::next(here) != in_use.end()) check_apart(buffer, std::next(here)->second);
    }
  }

  /// (position, whether it is the end, buffer) for the beginning and the end of every buffer's use, in order of time.
  std::vector<std::tuple<int, bool, std::size_t>> uses_in_time() const {
    std::vector<std::tuple<int, bool, std::size_t>> uses;
    for (std::size_t k = 0; k < program_.buffers.size(); ++k) {
      if (program_.buffers[k].num_bytes() == 0) continue;
      const bool is_always = program_.buffers[k].role == BufferRole::Constant || !lifetimes_[k].is_within_tick();
      uses.emplace_back(is_always ? -1 : lifetimes_[k].first.position, false, k);
      uses.emplace_back(is_always ? static_cast<int>(program_.steps.size()) : lifetimes_[k].last.position, true, k);
    }
    std::sort(uses.begin(), uses.end());
    return uses;
  }

  /// `low` begins at or before `high`.
  void check_apart(std::size_t low, std::size_t high) {
    const Buffer& below = program_.buffers[low];
    if (below.offset_bytes + below.num_bytes() > program_.buffers[high].offset_bytes)
      report(describe(static_cast<BufferId>(low)), " and ", describe(static_cast<BufferId>(high)), " share memory while in use");
  }

  const Program& program_;
  std::vector<Lifetime> lifetimes_;
  std::vector<Flight> flights_;
  std::vector<std::vector<Write>> writes_;
  std::vector<std::vector<Sending>> sendings_;  // of each buffer
  std::vector<std::string> problems_;
};

/// Sizes of the messages of one communication between two ranks, in order.
using Traffic = std::map<std::tuple<int, int, int>, std::vector<index_t>>;  // order, from, to

}  // namespace

std::vector<std::string> problems_of(const Program& program) { return ProgramChecker(program).run(); }

std::vector<std::string> mismatches_between(std::span<const Program> programs) {
  Traffic sent;
  Traffic received;
  for (const Program& program : programs)
    for (const Communication& communication : program.communications) {
      for (const Message& message : communication.sends)
        sent[{communication.order, program.rank, message.peer}].push_back(bytes_of(program, message.region));
      for (const Message& message : communication.receives)
        received[{communication.order, message.peer, program.rank}].push_back(bytes_of(program, message.region));
    }
  std::vector<std::string> problems;
  const auto compare = [&](const Traffic& these, const Traffic& those, const char* verb) {
    for (const auto& [key, sizes] : these) {
      const auto other = those.find(key);
      const auto& [order, from, to] = key;
      if (other == those.end() || other->second != sizes)
        problems.push_back(concat("communication ", order, " from rank ", from, " to rank ", to, ": what is ", verb,
                                  " does not fit the other side"));
    }
  };
  compare(sent, received, "sent");
  compare(received, sent, "received");
  return problems;
}

void check(std::span<const Program> programs) {
  for (const Program& program : programs) {
    const std::vector<std::string> problems = problems_of(program);
    if (!problems.empty()) throw Bug(concat("the program cannot run: ", problems.front(), " (", problems.size(), " problems)"));
  }
  const std::vector<std::string> problems = mismatches_between(programs);
  if (!problems.empty()) throw Bug(concat("the programs do not fit together: ", problems.front()));
}

}  // namespace parconv
