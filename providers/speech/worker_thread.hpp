#pragma once

#include <functional>
#include <thread>

namespace sidevoice {

/// A thread without signals (they are the main thread's), named for `top -H`; at most 15 letters.
std::thread start_worker(const char* name, std::function<void()> run);

} // namespace sidevoice
