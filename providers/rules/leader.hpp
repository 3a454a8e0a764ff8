#pragma once

#include "providers/llm.hpp"

#include <optional>
#include <string>

namespace sidevoice::rules {

/// The offline conversation: what it says next (one llm_text a sentence), the client tool it calls,
/// then llm_done. Pure but for the call ids.
std::vector<llm_event> lead(const llm_request& request, id_source& ids);

} // namespace sidevoice::rules
