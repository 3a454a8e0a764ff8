#include "cli/failure.hpp"

#include <cstdio>

namespace sidevoice::cli {

int fail(const error& why) {
  std::fprintf(stderr, "sidevoice: %s\n", why.detail.c_str());
  return why.code == errc::invalid ? 2 : 1;
}

} // namespace sidevoice::cli
