// SPDX-License-Identifier: Apache-2.0
#include "parconv/comm/heartbeat/heartbeat.hpp"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "comm/heartbeat/board.hpp"
#include "comm/heartbeat/host_connection.hpp"
#include "comm/heartbeat/observer.hpp"
#include "comm/heartbeat/process_state.hpp"
#include "comm/signals_blocked.hpp"
#include "parconv/core/error.hpp"

namespace parconv {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds beat_period{100};
/// Longest time that one look adds to the times of other ranks: a helper that was itself stopped blames no one.
constexpr double longest_look_seconds = 0.3;
constexpr double shortest_silence_seconds = 1.5;
constexpr std::chrono::milliseconds pause_between_exits{1};
/// A launcher that ends a job by SIGTERM ends all ranks within this time: a second in Open MPI.
constexpr double seconds_of_termination = 2;

/// CPU time of a thread in milliseconds; 0 if it is not known.
class ThreadClock {
 public:
  explicit ThreadClock(pthread_t thread) : is_known_(::pthread_getcpuclockid(thread, &clock_) == 0) {}
  index_t milliseconds() const {
    timespec time{};
    if (!is_known_ || ::clock_gettime(clock_, &time) != 0) return 0;
    return static_cast<index_t>(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000;
  }

 private:
  clockid_t clock_{};
  bool is_known_;
};

/// The other ranks of the host whose processes are visible, the next one first.
std::vector<std::size_t> neighbours_of(std::size_t own, std::span<const int> host_of_rank, std::span<const PulseCell> cells) {
  std::vector<std::size_t> neighbours;
  const index_t own_namespace = cells[own].get(PulseCell::PidNamespace);
  for (std::size_t step = 1; step < host_of_rank.size(); ++step) {
    const std::size_t rank = (own + step) % host_of_rank.size();
    const bool is_visible = own_namespace != 0 && cells[rank].get(PulseCell::PidNamespace) == own_namespace;
    if (host_of_rank[rank] == host_of_rank[own] && is_visible) neighbours.push_back(rank);
  }
  return neighbours;
}

}  // namespace

/// What exists from connect on.
struct Exchanged {
  std::unique_ptr<PulseBoard> board;
  std::unique_ptr<HostLink> link;  // on the first rank of each host of several
  Observer observer;
  std::vector<std::size_t> neighbours;  // the other ranks of this host, the next one first
};

struct Heartbeat::State {
  explicit State(OnDeath action) : on_death(std::move(action)), main_clock(::pthread_self()) {
    const SignalsBlocked blocked;
    helper = std::thread([this] { observe(); });
  }

  ~State() {
    {
      const std::lock_guard lock(mutex);
      is_stopping = true;
    }
    changed.notify_one();
    helper.join();
    pulse.end();
  }

  void observe();
  std::optional<int> look(double seconds);
  void look_at_neighbour(double seconds);
  bool is_ending() const;
  bool is_dead(std::size_t rank) const;
  std::optional<int> dead_neighbour() const;
  void refresh_processes() const;
  std::vector<index_t> processes_to_await() const;
  std::vector<RankView> views() const;

  OnDeath on_death;
  ThreadClock main_clock;
  mutable std::mutex mutex{};
  std::condition_variable changed{};
  bool is_stopping = false;
  std::optional<Exchanged> exchanged{};  // before the pulse, which lives on the board
  RankPulse pulse{};
  std::string note{};
  int own_rank = 0;
  double since_sending_seconds = 0;
  double gone_seconds = 0;
  std::thread helper{};
};

void Heartbeat::State::observe() {
  std::unique_lock lock(mutex);
  bool has_reported = false;
  for (Clock::time_point before = Clock::now(); !is_stopping;) {
    changed.wait_for(lock, beat_period);
    const Clock::time_point now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - before).count();
    before = now;
    pulse.beat(main_clock.milliseconds());
    const std::optional<int> dead = look(std::min(seconds, longest_look_seconds));
    if (!dead || has_reported || is_stopping || !on_death) continue;
    has_reported = true;
    lock.unlock();
    on_death(*dead);
    lock.lock();
  }
}

/// The next rank of this host, if it is dead.
std::optional<int> Heartbeat::State::look(double seconds) {
  if (!exchanged) return std::nullopt;
  const std::span<PulseCell> cells = exchanged->board->cells();
  look_at_neighbour(seconds);
  if (exchanged->link) {
    exchanged->link->receive(cells);
    since_sending_seconds += seconds;
    if (since_sending_seconds >= exchanged->link->period_seconds()) {
      exchanged->link->send(cells);
      since_sending_seconds = 0;
    }
  }
  exchanged->observer.look(cells, seconds);
  return dead_neighbour();
}

void Heartbeat::State::look_at_neighbour(double seconds) {
  if (exchanged->neighbours.empty()) return;
  PulseCell& cell = exchanged->board->cells()[exchanged->neighbours.front()];
  const ProcessState state = process_state(cell.get(PulseCell::Pid));
  cell.set(PulseCell::Process, static_cast<index_t>(state));
  gone_seconds = state == ProcessState::Gone ? gone_seconds + seconds : 0;
}

/// True if a rank of this host has ended on purpose: launchers then kill the others.
bool Heartbeat::State::is_ending() const {
  const std::span<const PulseCell> cells = exchanged->board->cells();
  return std::any_of(exchanged->neighbours.begin(), exchanged->neighbours.end(), [&](std::size_t rank) {
    const Pulse other = cells[rank].load();
    return other.activity == Activity::Ended && other.signal == 0;
  });
}

/// Precondition: its process has been looked at. A rank that was asked to end by a signal is dead only if others go on.
bool Heartbeat::State::is_dead(std::size_t rank) const {
  const Pulse other = exchanged->board->cells()[rank].load();
  if (other.process != ProcessState::Gone || other.activity == Activity::Absent || is_ending()) return false;
  return other.activity != Activity::Ended || (other.signal != 0 && gone_seconds >= seconds_of_termination);
}

std::optional<int> Heartbeat::State::dead_neighbour() const {
  if (exchanged->neighbours.empty() || !is_dead(exchanged->neighbours.front())) return std::nullopt;
  return static_cast<int>(exchanged->neighbours.front());
}

void Heartbeat::State::refresh_processes() const {
  for (const std::size_t rank : exchanged->neighbours) {
    PulseCell& cell = exchanged->board->cells()[rank];
    cell.set(PulseCell::Process, static_cast<index_t>(process_state(cell.get(PulseCell::Pid))));
  }
}

/// Those of all other ranks of the host, on its first rank.
std::vector<index_t> Heartbeat::State::processes_to_await() const {
  const std::lock_guard lock(mutex);
  std::vector<index_t> processes;
  if (!exchanged) return processes;
  for (const std::size_t rank : exchanged->neighbours) {
    if (static_cast<int>(rank) < own_rank) return {};
    processes.push_back(exchanged->board->cells()[rank].get(PulseCell::Pid));
  }
  return processes;
}

std::vector<RankView> Heartbeat::State::views() const {
  std::vector<RankView> views = exchanged->observer.views();
  for (std::size_t rank = 0; rank < views.size(); ++rank) views[rank].pulse = exchanged->board->cells()[rank].load();
  return views;
}

Heartbeat::Heartbeat(OnDeath on_death) : state_(std::make_unique<State>(std::move(on_death))) {}
Heartbeat::~Heartbeat() = default;

RankPulse& Heartbeat::pulse() { return state_->pulse; }
const std::string& Heartbeat::note() const { return state_->note; }

void Heartbeat::connect(Control& control, const HeartbeatHosts& given) {
  PARCONV_EXPECT(!state_->exchanged, "connected twice");
  HeartbeatHosts hosts = given;
  if (hosts.host_of_rank.empty()) hosts.host_of_rank = control.nodes();
  const JobKey key = shared_key(control);
  auto board = PulseBoard::make(control, hosts.host_of_rank, concat("parconv-", key[0]));
  if (!board) {
    state_->note = "the ranks of a host cannot share memory (/dev/shm): a hang is reported without the name of the rank";
    return;
  }
  PulseCell& own = board->cells()[static_cast<std::size_t>(control.rank())];
  own.store(state_->pulse.load());
  control.barrier();  // all cells are written before anyone looks
  HostConnection connected = connect_hosts(control, hosts, key);
  state_->note = connected.note;
  const double silence = std::max(shortest_silence_seconds, connected.link ? 4 * connected.link->period_seconds() : 0.0);
  auto neighbours = neighbours_of(static_cast<std::size_t>(control.rank()), hosts.host_of_rank, board->cells());
  const std::lock_guard lock(state_->mutex);
  state_->own_rank = control.rank();
  state_->pulse.move_to(own);
  state_->exchanged.emplace(Exchanged{std::move(board), std::move(connected.link), Observer(hosts.host_of_rank.size(), silence),
                                      std::move(neighbours)});
}

Diagnosis Heartbeat::diagnose() const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->exchanged) return {};
  state_->refresh_processes();
  return parconv::diagnose(state_->views());
}

Pulse Heartbeat::pulse_of(int rank) const {
  const std::lock_guard lock(state_->mutex);
  PARCONV_EXPECT(state_->exchanged && rank >= 0, rank);
  return state_->exchanged->board->cells()[static_cast<std::size_t>(rank)].load();
}

bool Heartbeat::waits_for_progress(double seconds) const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->exchanged) return false;
  state_->refresh_processes();
  const std::vector<RankView> views = state_->views();
  const RankView& own = views[static_cast<std::size_t>(state_->own_rank)];
  if (own.pulse.activity == Activity::Working) return false;
  const Symptom symptom = parconv::diagnose(views).symptom;
  if (symptom == Symptom::Gone || symptom == Symptom::Stopped || symptom == Symptom::Silent) return false;
  return std::any_of(views.begin(), views.end(), [&](const RankView& rank) {
    const bool waits = rank.pulse.activity != Activity::Working && rank.pulse.activity != Activity::Library;
    return &rank != &own && !waits && rank.still_seconds < seconds;
  });
}

bool Heartbeat::others_have_reported(int last_phase) const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->exchanged) return false;
  const std::span<const PulseCell> cells = state_->exchanged->board->cells();
  return std::any_of(state_->exchanged->neighbours.begin(), state_->exchanged->neighbours.end(), [&](std::size_t rank) {
    const Pulse other = cells[rank].load();
    return other.activity == Activity::Ended && other.signal == 0 && other.phase < last_phase;
  });
}

void Heartbeat::leave() {
  for (const index_t pid : state_->processes_to_await())
    while (process_state(pid) != ProcessState::Gone) std::this_thread::sleep_for(pause_between_exits);
  state_->pulse.end();
}

std::optional<int> Heartbeat::find_death() const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->exchanged) return std::nullopt;
  state_->refresh_processes();
  for (const std::size_t rank : state_->exchanged->neighbours)
    if (state_->is_dead(rank)) return static_cast<int>(rank);
  return std::nullopt;
}

}  // namespace parconv
