#include "actors/prompt.hpp"

#include "tests/deciders/checklist_support.hpp"

#include <nlohmann/json.hpp>

#include <deque>
#include <random>

namespace sidevoice::deciders_test {

namespace {

using nlohmann::json;

/// Puts items into a view: rank, item.
class history {
public:
  history() {
    view.about = {
      .app = "moving", .user = "Ada", .release = "", .locale = "de", .zone = "Europe/Berlin"};
  }

  void put(item value, std::string rank = {}) {
    if (rank.empty())
      rank = "m" + std::to_string(100'000 + view.head);
    REQUIRE(apply(view, event{view.head + 1, 0, item_put{rank, std::move(value)}}));
  }

  void message(const std::string& id, const std::string& text, item_role role = item_role::user) {
    put({.id = id, .role = role, .text = text});
  }

  void call(const std::string& call_id) {
    put({.id = "fc_" + call_id,
         .kind = item_kind::function_call,
         .call_id = call_id,
         .name = "look",
         .arguments = "{}"});
  }

  void output(const std::string& call_id, const std::string& text, std::string rank = {}) {
    put({.id = "out_" + call_id + std::to_string(view.head),
         .kind = item_kind::function_call_output,
         .call_id = call_id,
         .output = text},
        std::move(rank));
  }

  void analyzed() {
    REQUIRE(apply(view, event{view.head + 1, 0, analysis_done{view.head, {}}}));
  }

  [[nodiscard]] llm_request conversation(const response_options& options = {}) const {
    return make_conversation_prompt(app, view, options, 77);
  }

  session_view view;
  app_ptr app = std::make_shared<app_definition>(moving_app());
};

/// "user:item_1:Hello", "call:c1", "output:c1:text".
words lines_of(const llm_request& request) {
  words lines;
  for (const auto& entry : request.history)
    switch (entry.role) {
      case llm_role::system:
        lines.push_back("system:" + entry.id + ":" + entry.text);
        break;
      case llm_role::user:
        lines.push_back("user:" + entry.id + ":" + entry.text);
        break;
      case llm_role::assistant:
        lines.push_back("assistant:" + entry.id + ":" + entry.text);
        break;
      case llm_role::function_call:
        lines.push_back("call:" + entry.call_id);
        break;
      case llm_role::function_call_output:
        lines.push_back("output:" + entry.call_id + ":" + entry.text);
        break;
    }
  return lines;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

// -- history --------------------------------------------------------------------------------------

TEST_CASE("the history follows the ranks and leaves out what has no words") {
  history h;
  h.message("b", "second");
  h.message("c", "", item_role::assistant);
  h.message("d", "third", item_role::assistant);
  h.put({.id = "a", .role = item_role::system, .text = "first"}, "a");
  CHECK(lines_of(h.conversation())
        == words{"system:a:first", "user:b:second", "assistant:d:third"});
}

TEST_CASE("every call has exactly one output, behind the calls of its answer") {
  history h;
  h.output("orphan", "nobody asked");
  h.call("c1");
  h.call("c2");
  h.call("c3");
  h.message("a", "meanwhile");
  h.output("c2", "two");
  h.output("c1", "one", "a");
  h.output("c1", "one again");
  CHECK(lines_of(h.conversation())
        == words{"call:c1", "call:c2", "call:c3", "output:c1:one", "output:c2:two",
                 R"(output:c3:{"status":"cancelled"})", "user:a:meanwhile"});
  const auto prompt = h.conversation().history;
  CHECK(prompt[0].name == "look");
  CHECK(prompt[0].text == "{}");
  CHECK(prompt[0].id == "fc_c1");
  CHECK(prompt[3].name == "look");
}

TEST_CASE("calls and outputs stay paired whatever is put and removed") {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    history h;
    for (int n = 0; n < 25; ++n) {
      const auto call = "c" + std::to_string(random() % 6);
      const auto rank = std::to_string(random() % 1000);
      switch (random() % 4) {
        case 0:
          h.call(call);
          break;
        case 1:
          h.output(call, "out " + std::to_string(n), rank);
          break;
        case 2:
          h.message("m" + std::to_string(n), random() % 4 == 0 ? "" : "words");
          break;
        default:
          if (!h.view.items.empty()) {
            const auto id = h.view.items[random() % h.view.items.size()]->value.id;
            REQUIRE(apply(h.view, event{h.view.head + 1, 0, item_removed{id}}));
          }
      }
      const auto prompt = h.conversation();
      std::size_t calls = 0;
      // Calls that stand together are answered together, in their order, before anything else.
      std::deque<std::string> unanswered;
      for (const auto& entry : prompt.history) {
        if (entry.role == llm_role::function_call) {
          ++calls;
          unanswered.push_back(entry.call_id);
        } else if (entry.role == llm_role::function_call_output) {
          REQUIRE_FALSE(unanswered.empty());
          CHECK(unanswered.front() == entry.call_id);
          unanswered.pop_front();
        } else {
          CHECK(unanswered.empty());
        }
      }
      CHECK(unanswered.empty());
      CHECK(calls
            == static_cast<std::size_t>(
              std::count_if(h.view.items.begin(), h.view.items.end(), [](const auto& stored) {
                return stored->value.kind == item_kind::function_call;
              })));
      CHECK(prompt.unanalyzed_from == 0);
    }
  }
}

TEST_CASE("the prompt tells from where on nothing was analyzed") {
  history h;
  CHECK(h.conversation().unanalyzed_from == 0);
  h.message("a", "one");
  h.message("b", "two", item_role::assistant);
  h.analyzed();
  CHECK(h.conversation().unanalyzed_from == 2);
  h.message("c", "", item_role::assistant);
  h.message("d", "three");
  CHECK(h.conversation().unanalyzed_from == 2);
  h.analyzed();
  h.put({.id = "e", .text = "inserted late"}, "m100000a");
  const auto prompt = h.conversation();
  CHECK(prompt.history[prompt.unanalyzed_from].id == "e");
}

TEST_CASE("an output that came after the analysis is new, though its call was read") {
  history h;
  h.call("c1");
  h.message("a", "one");
  h.analyzed();
  h.output("c1", "found");
  CHECK(h.conversation().unanalyzed_from == 1);
}

// -- board and next topic -------------------------------------------------------------------------

TEST_CASE("the board shows every topic in the app's order, and no value of a skipped one") {
  checklist_session s;
  s.hears("home", R"("flat")");
  s.hears("floor", "3");
  s.hears("home", R"("house")");
  const auto app = std::make_shared<app_definition>(s.app);
  const auto board = make_conversation_prompt(app, s.view, {}, 0).board;
  REQUIRE(board.size() == app->topics.size());
  for (std::size_t at = 0; at < board.size(); ++at)
    CHECK(board[at].topic == &app->topics[at]);
  CHECK(board[2].status == "answered");
  CHECK(board[2].value == R"("house")");
  CHECK(board[3].status == "skipped");
  CHECK(board[3].value.empty());
  CHECK(board[0].status == "open");
}

TEST_CASE("no next topic is named while a message of the visitor has not been analyzed") {
  history h;
  CHECK(h.conversation().next_topic == "name");
  h.message("a", "I am Ada");
  CHECK(h.conversation().next_topic.empty());
  h.analyzed();
  CHECK(h.conversation().next_topic == "name");
  // The agent's own words answer nothing.
  h.message("b", "Hello Ada", item_role::assistant);
  CHECK(h.conversation().next_topic == "name");
}

// -- the rest of the request ----------------------------------------------------------------------

TEST_CASE("instructions are the app's with its variables, then what the checklist says, then the "
          "connection's") {
  history h;
  auto app = moving_app();
  app.conversation_instructions =
    "You work for Happy Removals. Call {{user.name|the visitor}} by name; "
    "the day is {{topics.date|unknown}}.";
  app.topics[1].ask = "Which day suits you?";
  app.complete_say = "That is all, thank you!";
  h.app = std::make_shared<app_definition>(app);
  const auto text = h.conversation({.instructions = "Speak like a pirate."}).instructions;
  CHECK(text.starts_with("You work for Happy Removals. Call Ada by name; the day is unknown."));
  CHECK(text.ends_with("Speak like a pirate."));
  for (const auto* part :
       {"- date: Moving day (required; a date", "Which day suits you?",
        "never ask for what the visitor has just said", "That is all, thank you!"})
    CHECK_MESSAGE(holds(text, part), part);
  REQUIRE(apply(h.view, event{h.view.head + 1, 0,
                              topic_updated{.topic = "date",
                                            .status = topic_status::answered,
                                            .value = R"("2027-03-12")",
                                            .revision = 1}}));
  CHECK(holds(h.conversation().instructions, "the day is 12 March 2027."));
}

TEST_CASE("an app without instructions and topics still has an agent with a purpose") {
  history h;
  h.app = std::make_shared<app_definition>(app_definition{.id = "x", .title = "Help desk"});
  CHECK(holds(h.conversation().instructions, "Help desk"));
}

TEST_CASE("what the connection asks for is passed on, tools sorted by name") {
  history h;
  response_options options;
  options.tools = {{"zoom", "", "{}"}, {"map", "first", "{}"}, {"ask", "", "{}"}};
  options.tool_choice = "required";
  options.max_output_tokens = 55;
  const auto prompt = h.conversation(options);
  CHECK(prompt.purpose == llm_purpose::converse);
  REQUIRE(prompt.tools.size() == 3);
  CHECK(prompt.tools[0].name == "ask");
  CHECK(prompt.tools[1].name == "map");
  CHECK(prompt.tools[2].name == "zoom");
  CHECK(prompt.tool_choice == "required");
  CHECK(prompt.max_output_tokens == 55);
  CHECK(prompt.wall_ms == 77);
  CHECK(prompt.zone == "Europe/Berlin");
  CHECK(prompt.locale == "de");
  CHECK(prompt.app == h.app);
}

TEST_CASE("the analyzer gets the topics in words and update_topic as its only tool") {
  history h;
  auto app = moving_app();
  app.analyzer_instructions = "Dates are German.";
  app.topics[0].answered_when = "a full name";
  h.app = std::make_shared<app_definition>(app);
  h.message("a", "I am Ada");
  const auto prompt = make_analyzer_prompt(h.app, h.view, 5);
  CHECK(prompt.purpose == llm_purpose::analyze);
  CHECK(prompt.wall_ms == 5);
  CHECK(lines_of(prompt) == words{"user:a:I am Ada"});
  CHECK(prompt.instructions.starts_with("Dates are German."));
  for (const auto* part :
       {"- name: Your name (required; the name of a person). Answered when: a full name.",
        "\"flat\" (also said: apartment)", "a whole number, at least 0, at most 60",
        "Matters only while home is \"studio\" or \"flat\".",
        "Matters only while floor is at least 1.", "not before today", "copied letter by letter"})
    CHECK_MESSAGE(holds(prompt.instructions, part), part);
  REQUIRE(prompt.tools.size() == 1);
  CHECK(prompt.tools[0].name == "update_topic");
  const auto schema = json::parse(prompt.tools[0].parameters);
  CHECK(schema["properties"]["topic"]["enum"]
        == json({"name", "date", "home", "floor", "lift", "note", "email"}));
  CHECK(schema["properties"]["status"]["enum"].size() == 5);
  CHECK(schema["required"] == json({"topic", "evidence"}));
  CHECK(schema["properties"]["evidence"]["required"] == json({"item_id", "quote"}));
  CHECK(schema["additionalProperties"] == false);
}

TEST_CASE("equal states make equal prompts up to the board") {
  history h;
  h.message("a", "one");
  const auto before = h.conversation();
  h.message("b", "two");
  const auto after = h.conversation();
  CHECK(before.instructions == after.instructions);
  CHECK(before.tools == after.tools);
  CHECK(before.history[0] == after.history[0]);
}

// -- update_topic ---------------------------------------------------------------------------------

TEST_CASE("update_topic is read with its defaults") {
  const auto plain = read_update_topic(
    R"({"topic":"name","value":"Ada","evidence":{"item_id":"i1","quote":"Ada"}})");
  REQUIRE(plain.has_value());
  CHECK(plain->topic == "name");
  CHECK(plain->status == topic_status::answered);
  CHECK(plain->value == R"("Ada")");
  CHECK(plain->evidence == topic_evidence{"i1", "Ada", 1.0});
  const auto full = read_update_topic(
    R"({"topic":"inventory","status":"contradicted","value":{"kitchen":[1,2.5,null]},
        "evidence":{"item_id":"i1","quote":"ü","confidence":0.25}})");
  REQUIRE(full.has_value());
  CHECK(full->status == topic_status::contradicted);
  CHECK(full->value == R"({"kitchen":[1,2.5,null]})");
  CHECK(full->evidence == topic_evidence{"i1", "ü", 0.25});
  const auto none = read_update_topic(
    R"({"topic":"name","status":"open","value":null,"evidence":{"item_id":"","quote":""}})");
  REQUIRE(none.has_value());
  CHECK(none->value.empty());
}

TEST_CASE("arguments that are not as the schema says are refused") {
  const std::vector<std::pair<std::string, std::string>> table{
    {"", ""},
    {"{", ""},
    {"[]", ""},
    {"null", ""},
    {"{\"topic\":\"\xff\"}", ""},
    {R"({"topic":"\ud800"})", ""},
    {R"({})", "topic"},
    {R"({"topic":7})", "topic"},
    {R"({"topic":"a\u0000b"})", "topic"},
    {R"({"topic":"name"})", "evidence"},
    {R"({"topic":"name","evidence":"Ada"})", "evidence"},
    {R"({"topic":"name","evidence":{}})", "item_id"},
    {R"({"topic":"name","evidence":{"item_id":"i1"}})", "quote"},
    {R"({"topic":"name","evidence":{"item_id":"i1","quote":null}})", "quote"},
    {R"({"topic":"name","evidence":{"item_id":"i1","quote":"q","page":1}})", "evidence"},
    {R"({"topic":"name","evidence":{"item_id":"i1","quote":"q","confidence":"high"}})",
     "confidence"},
    {R"({"topic":"name","evidence":{"item_id":"i1","quote":"q","confidence":1.5}})", "confidence"},
    {R"({"topic":"name","evidence":{"item_id":"i1","quote":"q","confidence":-0.1}})", "confidence"},
    {R"({"topic":"name","status":"done","evidence":{"item_id":"i1","quote":"q"}})", "status"},
    {R"({"topic":"name","status":null,"evidence":{"item_id":"i1","quote":"q"}})", "status"},
    {R"({"topic":"name","reason":"x","evidence":{"item_id":"i1","quote":"q"}})", "update_topic"},
  };
  for (const auto& row : table) {
    const auto read = read_update_topic(row.first);
    REQUIRE_MESSAGE(!read.has_value(), row.first);
    CHECK(read.error().code == errc::invalid);
    CHECK_MESSAGE(read.error().param == row.second, row.first);
    CHECK_FALSE(read.error().detail.empty());
  }
}

TEST_CASE("arguments nested without end are refused, not followed") {
  const auto nested = [](std::size_t depth) {
    return R"({"topic":"name","evidence":{"item_id":"i","quote":"q"},"value":)"
           + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  CHECK(read_update_topic(nested(20)).has_value());
  const auto deep = read_update_topic(nested(200'000));
  REQUIRE_FALSE(deep.has_value());
  CHECK(deep.error().code == errc::invalid);
}

} // namespace sidevoice::deciders_test
