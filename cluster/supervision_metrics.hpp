#pragma once

#include "actors/supervision_figures.hpp"
#include "gateway/admin.hpp"

#include <vector>

namespace sidevoice {

/// What supervisors see, for /metrics: restarts by actor and reason, what was given up, the
/// greatest wait and the fullest mailbox of the last seconds.
std::vector<gauge_value> supervision_gauges(const supervision_figures::reading& seen);

/// How long messages wait in actors' mailboxes.
histogram_value queue_age_series(const supervision_figures::reading& seen);

} // namespace sidevoice
