#pragma once

#include "tests/lab/scenario.hpp"

#include <cstddef>
#include <functional>

namespace sidevoice::lab {

/// A smaller scenario that fails as well: fewer steps, fewer faults, fewer troubles. `fails` runs
/// one; it is asked at most `runs_max` times.
scenario shrink(scenario failing, const std::function<bool(const scenario&)>& fails,
                std::size_t runs_max = 400);

} // namespace sidevoice::lab
