#include "providers/speech/worker_thread.hpp"

#include <pthread.h>

#include <csignal>
#include <utility>

namespace sidevoice {

std::thread start_worker(const char* name, std::function<void()> run) {
  // Blocked before it begins: it inherits the mask, and no signal can slip in between.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  std::thread thread{std::move(run)};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread.native_handle(), name);
  return thread;
}

} // namespace sidevoice
