#include "tests/persistence/samples.hpp"

namespace sidevoice::samples {

std::vector<event_body> one_of_each() {
  return {
    session_started{
      .app = "moving", .user = "ann", .release = "sha256:1", .locale = "en", .zone = "Europe/Rome"},
    item_put{.rank = "10000000i",
             .value = {.id = "item_1",
                       .kind = item_kind::message,
                       .role = item_role::assistant,
                       .status = item_status::incomplete,
                       .text = "Zo\xc3\xab said \"hi\"\n\\u0000",
                       .unheard = "rest",
                       .response = "resp_1"}},
    item_put{.rank = "10000001",
             .value = {.id = "item_2",
                       .kind = item_kind::function_call,
                       .call_id = "call_1",
                       .name = "lookup",
                       .arguments = R"({"a": 1})",
                       .response = "resp_1"}},
    item_put{.rank = "10000002",
             .value = {.id = "item_3",
                       .kind = item_kind::function_call_output,
                       .call_id = "call_1",
                       .output = "done"}},
    item_removed{.id = "item_1"},
    item_put{.rank = "10000003",
             .value = {.id = "item_4",
                       .role = item_role::assistant,
                       .text = "Hi.",
                       .response = "resp_1",
                       .spoken = true,
                       .audio_ms = 420}},
    input_speech{
      .rank = "10000004", .item = "item_5", .stream = "mic_1", .from_ms = 900, .to_ms = 2100},
    input_transcribed{.item = "item_5", .text = "in March"},
    input_transcribed{.item = "item_6", .reason = "nothing"},
    item_heard{.id = "item_4", .ms = 200, .text = "H"},
    turn_measured{.response = "resp_1",
                  .item = "item_4",
                  .end_of_speech = 500,
                  .transcript = 300,
                  .first_token = 20,
                  .first_clause = 5,
                  .first_audio = 30,
                  .played = 80},
    response_requested{.response = "resp_1", .cause = {"item_1", "item_3"}},
    response_started{.response = "resp_1", .attempt = 2, .item = "item_4"},
    response_spoken{.response = "resp_1", .attempt = 2, .clause = 3, .text = "Hello."},
    response_done{.response = "resp_1",
                  .status = response_status::cancelled,
                  .reason = "turn_detected",
                  .usage = {.input = 7, .output = 9, .cached = 3, .cost = 12}},
    call_opened{.call = "call_1",
                .name = "book",
                .arguments = R"({"day": "2027-03-12"})",
                .by = call_author::analyzer,
                .runner = call_runner::page,
                .response = "resp_1",
                .needs_approval = true},
    call_approved{.call = "call_1", .approved = true},
    call_started{.call = "call_1", .attempt = 2},
    call_ended{.call = "call_1", .outcome = "ok", .output = "booked"},
    topic_updated{.topic = "date",
                  .status = topic_status::contradicted,
                  .value = R"({"amount": 1200.50})",
                  .evidence = {.item = "item_1", .quote = "twelve hundred", .confidence = 0.3},
                  .by = topic_author::person,
                  .revision = 4,
                  .head_read = 11,
                  .edit = "edit_1",
                  .undo = true},
    analysis_done{.head_read = 12, .usage = {.input = 70, .output = 8, .cost = 1}},
    session_completed{.revision = 4, .result = R"({"date":"2027-03-12"})"},
    session_reopened{.revision = 5},
    session_ended{.reason = "left"},
    erased{.was = "item.put"},
  };
}

namespace {

/// Few ids, so that events meet each other.
std::string pick(random_engine& random, const char* prefix) {
  return prefix + std::to_string(below(random, 6));
}

item random_item(random_engine& random) {
  item value = user_message(pick(random, "item_"), "text " + std::to_string(below(random, 100)));
  value.role = static_cast<item_role>(below(random, 3));
  value.kind = static_cast<item_kind>(below(random, 3));
  value.status = static_cast<item_status>(below(random, 2));
  if (value.kind != item_kind::message)
    value.call_id = pick(random, "call_");
  if (below(random, 2) == 0)
    value.response = pick(random, "resp_");
  return value;
}

topic_updated random_topic(random_engine& random, std::uint64_t revision) {
  return {.topic = pick(random, "topic_"),
          .status = static_cast<topic_status>(below(random, 5)),
          .value = below(random, 3) == 0 ? "" : std::to_string(below(random, 50)),
          .evidence = {.item = pick(random, "item_"),
                       .quote = "text",
                       .confidence = static_cast<double>(below(random, 8)) / 7},
          .by = static_cast<topic_author>(below(random, 3)),
          .revision = revision,
          .head_read = below(random, 50),
          .edit = below(random, 2) == 0 ? "" : "edit_" + std::to_string(below(random, 200)),
          .undo = below(random, 5) == 0};
}

event_body random_body(random_engine& random, std::uint64_t seq) {
  switch (below(random, 21)) {
    case 0:
    case 1:
    case 2:
      return item_put{.rank = "1000000" + std::to_string(below(random, 10)),
                      .value = random_item(random)};
    case 3:
      return item_removed{.id = pick(random, "item_")};
    case 4:
      // More ids than elsewhere, so that the list of closed responses overflows.
      return response_requested{.response = "resp_" + std::to_string(below(random, 150)),
                                .cause = {pick(random, "item_")}};
    case 5:
      return response_started{.response = pick(random, "resp_"),
                              .attempt = static_cast<std::uint32_t>(1 + below(random, 2)),
                              .item = pick(random, "item_")};
    case 6:
      return response_spoken{.response = pick(random, "resp_"),
                             .attempt = static_cast<std::uint32_t>(1 + below(random, 2)),
                             .clause = static_cast<std::uint32_t>(1 + below(random, 3)),
                             .text = "clause "};
    case 7:
      return response_done{.response = "resp_" + std::to_string(below(random, 150)),
                           .status = static_cast<response_status>(below(random, 4)),
                           .reason = below(random, 2) == 0 ? "" : "owner_lost"};
    case 8:
    case 9:
      return random_topic(random, seq);
    case 10:
      return analysis_done{.head_read = below(random, seq + 1)};
    case 11:
      return session_completed{.revision = below(random, 9), .result = "{}"};
    case 12:
      return session_reopened{.revision = below(random, 9)};
    case 13:
      return call_opened{.call = pick(random, "call_"),
                         .name = below(random, 3) == 0 ? "end_session" : "book",
                         .arguments = "{}",
                         .by = static_cast<call_author>(below(random, 2)),
                         .runner = static_cast<call_runner>(below(random, 3)),
                         .needs_approval = below(random, 2) == 0};
    case 14:
      return call_approved{.call = pick(random, "call_"), .approved = below(random, 2) == 0};
    case 15:
      return call_started{.call = pick(random, "call_"),
                          .attempt = static_cast<std::uint32_t>(1 + below(random, 3))};
    case 17:
      return input_speech{.rank = "1000000" + std::to_string(below(random, 10)),
                          .item = pick(random, "item_"),
                          .stream = pick(random, "mic_"),
                          .from_ms = below(random, 900),
                          .to_ms = 900 + below(random, 900)};
    case 18:
      return input_transcribed{.item = pick(random, "item_"),
                               .text = below(random, 3) == 0 ? "" : "said",
                               .reason = below(random, 3) == 0 ? "nothing" : ""};
    case 19:
      return item_heard{.id = pick(random, "item_"),
                        .ms = static_cast<std::uint32_t>(below(random, 900)),
                        .text = "te"};
    case 16:
      return call_ended{.call = pick(random, "call_"), .outcome = "ok", .output = "done"};
    default:
      return below(random, 4) == 0 ? event_body{session_ended{.reason = "left"}}
                                   : event_body{erased{.was = "item.put"}};
  }
}

} // namespace

std::vector<event_ptr> random_journal(random_engine& random, std::size_t length) {
  std::vector<event_ptr> events;
  events.push_back(make_event(1, session_started{.app = "moving", .user = "ann"}));
  while (events.size() < length) {
    const auto seq = events.size() + 1;
    events.push_back(make_event(seq, random_body(random, seq)));
  }
  return events;
}

key_row sample_server_key(const std::string& id) {
  std::string hash;
  for (const auto letter : id)
    for (const int half : {letter >> 4, letter & 15})
      hash += "0123456789abcdef"[half & 15];
  hash.resize(64, '0');
  return {.id = id, .app = "moving", .name = "shop", .hash = hash, .created_at = 600};
}

} // namespace sidevoice::samples
