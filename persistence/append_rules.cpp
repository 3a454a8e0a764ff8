#include "persistence/append_rules.hpp"

#include <initializer_list>
#include <string_view>

namespace sidevoice {

namespace {

error refused(std::string detail) {
  return {.code = errc::invalid, .detail = std::move(detail)};
}

/// True where the JSON text holds an escaped NUL in a string.
bool has_nul(std::string_view body) {
  constexpr std::string_view escape = "\\u0000";
  for (auto at = body.find(escape); at != body.npos; at = body.find(escape, at + 1)) {
    std::size_t slashes = 0;
    while (slashes < at && body[at - slashes - 1] == '\\')
      ++slashes;
    // After an odd number of backslashes ours is itself escaped: the text says "\u0000" in letters.
    if (slashes % 2 == 0)
      return true;
  }
  return false;
}

void set_client_key(event_row& row, const event_body& body) {
  if (const auto* put = std::get_if<item_put>(&body)) {
    row.client_key = "item:" + put->value.id;
    row.replaceable = true;
  } else if (const auto* requested = std::get_if<response_requested>(&body)) {
    row.client_key = "response:" + requested->response;
  } else if (const auto* topic = std::get_if<topic_updated>(&body); topic && !topic->edit.empty()) {
    row.client_key = "edit:" + topic->edit;
  }
}

result<event_row> encode_row(const event& e) {
  const std::string name = "event " + std::to_string(e.seq);
  if (std::holds_alternative<erased>(e.body))
    return refused(name + " is an erased one; erasing changes stored events, it adds none");
  event_row row;
  row.seq = e.seq;
  row.at = e.at;
  row.type = std::string{type_of(e.body)};
  row.version = version_of(e.body);
  try {
    row.body = encode(e.body);
  } catch (const std::exception&) {
    return refused(name + " holds text that is not UTF-8; check input where it comes in");
  }
  if (has_nul(row.body))
    return refused(name + " holds a NUL character; check input where it comes in");
  set_client_key(row, e.body);
  return row;
}

} // namespace

result<std::vector<event_row>> encode_append(const append_events& job) {
  if (job.events.empty())
    return refused("an append holds at least one event");
  if (job.append_id.empty())
    return refused("an append needs an id, so that it can be found again");
  if (job.spent > spent_max || (job.spent > 0 && job.day <= 0))
    return refused("what an append spends needs its day, and is no more than a million euros");
  std::vector<event_row> rows;
  rows.reserve(job.events.size());
  auto head = job.head;
  for (const auto& e : job.events) {
    if (!e || e->seq != ++head)
      return refused("the events of an append are numbered from its head on; expected event "
                     + std::to_string(head));
    auto row = encode_row(*e);
    if (!row)
      return row.error();
    rows.push_back(std::move(*row));
  }
  return rows;
}

result<void> check_claim(const claim_session& job) {
  if (job.key.app.empty() || job.key.id.empty())
    return refused("a session needs an app and an id");
  for (const auto* text : {&job.key.app, &job.key.id, &job.node, &job.user, &job.release})
    if (text->find('\0') != text->npos)
      return refused("a session's texts hold no NUL character");
  return {};
}

session_row new_row(const claim_session& job) {
  session_row row;
  row.key = job.key;
  row.user = job.user;
  row.release = job.release;
  row.created_at = job.at;
  return row;
}

result<void> check_owner(const append_events& job, const session_row& row) {
  if (row.epoch != job.epoch)
    return error{.code = errc::conflict,
                 .detail = "the session has another owner: epoch " + std::to_string(row.epoch)
                           + " of node " + row.node,
                 .reason = "epoch"};
  if (row.head != job.head)
    return error{.code = errc::conflict,
                 .detail = "the journal's head is " + std::to_string(row.head) + ", not "
                           + std::to_string(job.head) + "; read what was appended",
                 .reason = "head"};
  return {};
}

std::string row_status(const session_view& view) {
  if (!view.ended.empty())
    return "ended";
  return view.completed ? "completed" : "live";
}

std::uint64_t open_work(const session_view& view) {
  return view.open_responses.size() + view.open_calls.size() + view.open_speech.size();
}

error repeated_key(const std::string& client_key) {
  return {.code = errc::conflict,
          .detail = "\"" + client_key + "\" is in the journal already; read it there",
          .reason = "repeated"};
}

error unknown_session() {
  return {.code = errc::not_found, .detail = "this app has no such session"};
}

error vanished_session() {
  return {.code = errc::conflict,
          .detail = "the session is not in the store any more; claim it again",
          .reason = "gone"};
}

} // namespace sidevoice
