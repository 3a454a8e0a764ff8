#pragma once

#include "config/result.hpp"

namespace sidevoice::cli {

/// Says on standard error what went wrong, and returns the exit code for it: 2 where the command
/// line or a file is wrong, else 1.
int fail(const error& why);

} // namespace sidevoice::cli
