// SPDX-License-Identifier: Apache-2.0
// Helper threads without signals.
#pragma once

#include <pthread.h>
#include <signal.h>

namespace parconv {

/// Blocks all signals for a scope: threads created in it leave signals to the program's own threads.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all{};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t previous_{};
};

}  // namespace parconv
