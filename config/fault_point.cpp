#include "config/fault_point.hpp"

#ifdef SIDEVOICE_FAULTS

#  include <atomic>
#  include <csignal>
#  include <cstdlib>
#  include <string>

namespace sidevoice {

namespace {

struct wish {
  std::string name;
  std::atomic<long> left{0};

  wish() {
    const char* asked = std::getenv("SIDEVOICE_FAULT");
    const std::string text = asked == nullptr ? "" : asked;
    const auto colon = text.rfind(':');
    name = text.substr(0, colon);
    left = colon == std::string::npos ? 1 : std::strtol(text.c_str() + colon + 1, nullptr, 10);
  }
};

} // namespace

void fault_point(const char* name) {
  static wish asked;
  if (asked.name == name && asked.left.fetch_sub(1) == 1)
    std::raise(SIGKILL);
}

bool has_faults() {
  return true;
}

} // namespace sidevoice

#else

namespace sidevoice {

void fault_point(const char* /*name*/) {}

bool has_faults() {
  return false;
}

} // namespace sidevoice

#endif
