#pragma once

#include "gateway/connection.hpp"

#include <cstdint>

/// What a connection says to itself.
namespace sidevoice {

/// Look for the session again. Obsolete once it was found or given up.
struct search_again {
  std::uint64_t search = 0;
};

/// The session was not found again in time.
struct search_over {
  std::uint64_t search = 0;
};

/// Sound is due. Obsolete unless it is the newest one.
struct sound_due {
  std::uint64_t number = 0;
};

/// What a client has committed should be in the journal by now. Obsolete unless it is the newest
/// one.
struct commit_overdue {
  std::uint64_t number = 0;
};

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(commit_overdue)
SIDEVOICE_LOCAL_MESSAGE(search_again)
SIDEVOICE_LOCAL_MESSAGE(search_over)
SIDEVOICE_LOCAL_MESSAGE(sound_due)

namespace sidevoice {

using connection_inner =
  connection_actor::extend<caf::reacts_to<search_again>, caf::reacts_to<search_over>,
                           caf::reacts_to<sound_due>, caf::reacts_to<commit_overdue>>;

} // namespace sidevoice
