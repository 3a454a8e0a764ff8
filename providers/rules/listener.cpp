#include "providers/rules/listener.hpp"

#include "providers/rules/understand.hpp"

#include <nlohmann/json.hpp>

namespace sidevoice::rules {

namespace {

using nlohmann::json;

json_text plain(const json_text& value) {
  return value.empty() ? "null" : value;
}

/// What the board says of the topic, without our reading.
std::pair<std::string, json_text> on_board(const llm_request& request, const std::string& topic) {
  for (const auto& b : request.board)
    if (b.topic != nullptr && b.topic->id == topic)
      return {b.status, plain(b.value)};
  return {"open", "null"};
}

llm_call call_for(const change& c, id_source& ids) {
  const json arguments{
    {"topic", c.topic->id},
    {"status", c.status},
    {"value", json::parse(plain(c.value), nullptr, false)},
    {"evidence", {{"item_id", c.item_id}, {"quote", c.quote}, {"confidence", c.confidence}}}};
  return {ids.make("call_"), "update_topic",
          arguments.dump(-1, ' ', false, json::error_handler_t::replace)};
}

} // namespace

std::vector<llm_event> listen(const llm_request& request, id_source& ids) {
  std::vector<llm_event> out;
  const auto read = understand(request, request.unanalyzed_from);
  std::vector<const change*> net;
  for (const auto& message : read.messages)
    for (const auto& c : message.changes) {
      std::erase_if(net, [&](const auto* earlier) { return earlier->topic == c.topic; });
      net.push_back(&c);
    }
  for (const auto* c : net) {
    const auto [status, value] = on_board(request, c->topic->id);
    // An answer to what the board holds as confirmed, or holds already, is no change.
    const bool same_value = json::parse(value, nullptr, false)
                            == json::parse(plain(c->value), nullptr, false);
    if (!same_value || status != c->status)
      out.emplace_back(call_for(*c, ids));
  }
  llm_done done;
  for (const auto& m : request.history)
    done.input_tokens += m.text.size() / 4 + 1;
  done.output_tokens = out.size() * 24;
  out.emplace_back(done);
  return out;
}

} // namespace sidevoice::rules
