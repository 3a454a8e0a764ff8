#pragma once

#include "providers/llm.hpp"

namespace sidevoice::rules {

/// The offline analyzer: one `update_topic` call for each topic that the messages not analyzed yet
/// change against the board, then llm_done. Pure but for the call ids.
std::vector<llm_event> listen(const llm_request& request, id_source& ids);

} // namespace sidevoice::rules
