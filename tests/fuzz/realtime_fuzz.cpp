#include "tests/gateway/realtime_torture.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

/// Frames of a client, one a line: nothing of it may crash the codec or make it break its protocol.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto wrong = torture_realtime({reinterpret_cast<const char*>(bytes), size});
  if (!wrong.empty()) {
    std::fputs(wrong.c_str(), stderr);
    std::abort();
  }
  return 0;
}
