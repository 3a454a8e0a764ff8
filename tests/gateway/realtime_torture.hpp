#pragma once

#include <string>
#include <string_view>

/// Feeds bytes to a Realtime codec as a client's frames, one a line, with an obliging session
/// behind it: every command is journaled and answered. Both kinds of connection, with speech and
/// without. Returns what was wrong with the frames that came out; empty: nothing.
std::string torture_realtime(std::string_view input);
