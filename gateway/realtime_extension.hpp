#pragma once

#include "gateway/realtime_wire.hpp"
#include "persistence/fold.hpp"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <string>

/// The sidevoice.* events: what a page needs beyond the Realtime protocol.
namespace sidevoice {

/// A topic as clients get it: always whole, with its declaration beside its state. Evidence is
/// null where there is none.
nlohmann::json topic_to_json(const topic_declaration& topic, const topic_state& state);

/// All topics in the app's order; those that no event has touched are open.
nlohmann::json topics_to_json(const app_definition& app,
                              const std::map<std::string, topic_state_ptr>& topics);

/// "ended", "thinking" (an answer is asked for or running) or "ready".
std::string state_of(const session_view& view);

/// sidevoice.session.snapshot without its frame fields. The items follow as
/// conversation.item.added and done, each with its number; `items_from` is the first of those
/// numbers, and `items` says how many follow.
nlohmann::json snapshot_to_json(const app_definition& app, const session_view& view,
                                const std::string& store, const std::string& client_key);

} // namespace sidevoice
