// SPDX-License-Identifier: Apache-2.0
#include "signals.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

#include "parconv/core/error.hpp"
#include "parconv/io/hdf5/hdf5_reading.hpp"

namespace parconv::app {
namespace {

sigset_t only(int signal) {
  sigset_t set{};
  sigemptyset(&set);
  sigaddset(&set, signal);
  return set;
}

bool is_ignored(int signal) {
  struct sigaction action{};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

/// Returns only if the process survives, which it does not.
void end_by(int signal) {
  ::signal(signal, SIG_DFL);
  const sigset_t set = only(signal);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  ::kill(::getpid(), signal);
}

/// Microseconds until the launcher has ended this rank.
constexpr unsigned pause_of_silent_ranks = 900'000;

constexpr std::array fatal_signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

std::atomic<RankPulse*> noting_pulse{nullptr};
std::atomic<const JobVoice*> speaking_voice{nullptr};
std::array<struct sigaction, fatal_signals.size()> actions_before{};

void write_text(const char* text) {
  if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
}

/// Allocates nothing: the memory of the process may be damaged.
[[noreturn]] void end_by_damaged_file(const char* file) {
  const JobVoice* voice = speaking_voice.load();
  if (RankPulse* pulse = noting_pulse.load()) pulse->end();
  if (voice == nullptr || voice->may_speak_at_once()) {
    for (const char* text :
         {"parconv_app: error: HDF5 crashed while it read ", file, ": the file is damaged, or its contents are not",
          " supported by this version of HDF5\n  hint: see if h5dump -H reads it\n"})
      write_text(text);
  } else {
    ::usleep(pause_of_silent_ranks);
  }
  ::_exit(static_cast<int>(ExitCode::BadData));
}

/// Async-signal-safe. The signal is blocked during the handler: raised again, it takes its former effect at the return.
void note_and_pass_on(int signal) {
  if (const char* file = file_read_by_hdf5()) end_by_damaged_file(file);
  if (RankPulse* pulse = noting_pulse.load()) pulse->note_signal(signal);
  for (std::size_t k = 0; k < fatal_signals.size(); ++k)
    if (fatal_signals[k] == signal) ::sigaction(signal, &actions_before[k], nullptr);
  ::raise(signal);
}

}  // namespace

TerminationWatch::TerminationWatch(std::function<void()> before_end) : before_end_(std::move(before_end)) {
  if (is_ignored(SIGTERM)) return;
  is_watching_ = true;
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { wait(); });
  sigaddset(&before, SIGTERM);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TerminationWatch::~TerminationWatch() {
  if (!is_watching_) return;
  is_stopping_ = true;
  ::pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

void TerminationWatch::wait() {
  const sigset_t set = only(SIGTERM);
  int signal = 0;
  if (::sigwait(&set, &signal) != 0 || is_stopping_) return;
  before_end_();
  end_by(signal);
}

FatalSignalNotes::~FatalSignalNotes() {
  noting_pulse = nullptr;
  speaking_voice = nullptr;
}

void FatalSignalNotes::start(RankPulse* pulse, const JobVoice* voice) {
  noting_pulse = pulse;
  speaking_voice = voice;
  for (std::size_t k = 0; k < fatal_signals.size(); ++k) {
    struct sigaction action{};
    action.sa_handler = &note_and_pass_on;
    sigemptyset(&action.sa_mask);
    ::sigaction(fatal_signals[k], &action, &actions_before[k]);
  }
}

std::string signal_name(int signal) {
  constexpr std::array<std::pair<int, const char*>, 6> names{{{SIGSEGV, "SIGSEGV"},
                                                              {SIGBUS, "SIGBUS"},
                                                              {SIGFPE, "SIGFPE"},
                                                              {SIGILL, "SIGILL"},
                                                              {SIGABRT, "SIGABRT"},
                                                              {SIGTERM, "SIGTERM"}}};
  for (const auto& [number, name] : names)
    if (number == signal) return name;
  return "signal " + std::to_string(signal);
}

}  // namespace parconv::app
