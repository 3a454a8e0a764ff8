#pragma once

#include <string>
#include <string_view>

namespace sidevoice {

/// Ranks order the items of a session as plain strings, and there is always room between two.
/// A rank is 8 digits in base 36 ("0000000a"), followed by a fraction where an item was inserted.

/// The rank behind the last item ("" = there is none).
std::string rank_after(std::string_view last);

/// A rank between two; `before` may be empty (the front). Requires before < after.
std::string rank_between(std::string_view before, std::string_view after);

} // namespace sidevoice
