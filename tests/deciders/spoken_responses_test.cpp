#include "actors/journal.hpp"
#include "actors/prompt.hpp"
#include "actors/responses.hpp"

#include <doctest/doctest.h>

#include <algorithm>

/// What speech without words, and answers that are spoken, do to responses and prompts.

using namespace sidevoice;

namespace {

using names = std::vector<std::string>;

/// A session's journal that a test writes into.
struct story {
  journal log{{"app", "sess_1"}, 1, std::make_shared<const session_view>()};
  counted_ids ids{7};

  void tell(std::vector<event_body> events) {
    log.push(std::move(events), 1000);
  }
  const session_view& view() const {
    return *log.ahead();
  }
  next_step next(const runner_status& runner = {.available = true}) {
    return decide_next(view(), runner, ids);
  }
  void speak(const std::string& item) {
    tell({input_speech{next_rank(view()), item, "mic", from, from + 900}});
    from += 1000;
  }
  void words(const std::string& item, const std::string& text, const std::string& reason = {}) {
    tell({input_transcribed{item, text, reason}});
  }
  names order() const {
    names all;
    for (const auto& stored : view().items)
      all.push_back(stored->value.id);
    return all;
  }
  std::uint64_t from = 0;
};

response_state running(const std::string& response, const std::string& item) {
  response_state out;
  out.id = response;
  out.item = item;
  return out;
}

names prompt_of(const session_view& view) {
  const auto app = std::make_shared<const app_definition>();
  names lines;
  for (const auto& entry : make_conversation_prompt(app, view, {}, 77).history)
    lines.push_back(entry.id + ":" + entry.text);
  return lines;
}

} // namespace

TEST_CASE("an answer waits for the words that it answers") {
  story s;
  s.speak("in_1");
  s.tell({response_requested{"resp_1", cause_of(s.view(), "resp_1")}});
  CHECK(s.view().open_responses.front()->cause == names{"in_1"});
  CHECK(s.next().events.empty());
  s.words("in_1", "In March");
  const auto step = s.next();
  REQUIRE(step.run);
  CHECK(step.run->response == "resp_1");
}

TEST_CASE("an answer that waits for words does not hold up one that need not") {
  story s;
  s.speak("in_1");
  s.tell({response_requested{"resp_1", {"in_1"}}, response_requested{"resp_2", {"resp_2"}}});
  REQUIRE(s.next().run);
  CHECK(s.next().run->response == "resp_2");
}

TEST_CASE("an answer to speech that held no words, or was deleted, begins all the same") {
  for (const auto* reason : {"nothing", "failed", "lost", ""}) {
    CAPTURE(reason);
    story s;
    s.speak("in_1");
    s.tell({response_requested{"resp_1", {"in_1"}}});
    if (*reason != '\0')
      s.words("in_1", "", reason);
    else
      s.tell({item_removed{"in_1"}});
    CHECK(s.next().run);
  }
}

TEST_CASE("a request is caused by what is unanswered and by open speech, else by itself") {
  story s;
  CHECK(cause_of(s.view(), "resp_1") == names{"resp_1"});
  s.tell({item_put{next_rank(s.view()), {.id = "in_1", .text = "typed"}}});
  s.speak("in_2");
  CHECK(cause_of(s.view(), "resp_1") == names{"in_1", "in_2"});
}

TEST_CASE("an answer stands where its run began, before what came while it was given") {
  story s;
  s.tell({item_put{next_rank(s.view()), {.id = "in_1", .text = "Hello"}},
          response_requested{"resp_1", {"in_1"}}, response_started{"resp_1", 1, "item_a"}});
  s.speak("in_2");
  s.tell({item_put{next_rank(s.view()), {.id = "in_3", .text = "and this"}}});
  answer_done done;
  done.response = "resp_1";
  done.calls = {{.id = "fc_1", .kind = item_kind::function_call, .call_id = "call_1"},
                {.id = "fc_2", .kind = item_kind::function_call, .call_id = "call_2"}};
  s.tell(finish_response(s.view(), *s.view().running(), done, "Hello to you."));
  CHECK(s.order() == names{"in_1", "item_a", "fc_1", "fc_2", "in_2", "in_3"});
}

TEST_CASE("an answer that is interrupted by speech stands before it") {
  story s;
  s.tell({response_requested{"resp_1", {"resp_1"}}, response_started{"resp_1", 1, "item_a"}});
  s.speak("in_1");
  s.tell(interrupt_response(s.view(), *s.view().running(), "Good", " morning.", "turn_detected",
                            400));
  CHECK(s.order() == names{"item_a", "in_1"});
}

TEST_CASE("an answer that is begun again stands behind what has come meanwhile") {
  story s;
  s.tell({response_requested{"resp_1", {"resp_1"}}, response_started{"resp_1", 1, "item_a"}});
  s.speak("in_1");
  s.tell({response_started{"resp_1", 2, "item_b"}});
  answer_done done;
  done.response = "resp_1";
  s.tell(finish_response(s.view(), *s.view().running(), done, "Hello."));
  CHECK(s.order() == names{"in_1", "item_b"});
}

TEST_CASE("a spoken answer's item says that it was spoken, and how long") {
  story s;
  answer_done done;
  done.response = "resp_1";
  const auto spoken = finish_response(s.view(), running("resp_1", "item_a"), done, "Hello.", 900);
  const auto& item = std::get<item_put>(spoken.front()).value;
  CHECK(item.spoken);
  CHECK(item.audio_ms == 900);
  CHECK(item.status == item_status::completed);
  const auto text = finish_response(s.view(), running("resp_1", "item_a"), done, "Hello.");
  CHECK_FALSE(std::get<item_put>(text.front()).value.spoken);
  const auto cut = interrupt_response(s.view(), running("resp_1", "item_a"), "Hel", "lo.",
                                      "turn_detected", 300);
  CHECK(std::get<item_put>(cut.front()).value.spoken);
  CHECK(std::get<item_put>(cut.front()).value.audio_ms == 300);
  CHECK(std::get<item_put>(cut.front()).value.unheard == "lo.");
}

TEST_CASE("an answer of which nothing was heard leaves no item") {
  story s;
  const auto events = interrupt_response(s.view(), running("resp_1", "item_a"), "", "Hello.",
                                         "turn_detected", 0);
  REQUIRE(events.size() == 1);
  CHECK(std::get<response_done>(events.front()).reason == "turn_detected");
}

TEST_CASE("speech without words keeps a session's row open, so that it is looked after") {
  story s;
  s.speak("in_1");
  CHECK(s.log.begin("a")->open_responses == 1);
  s.log.committed();
  s.words("in_1", "In March");
  CHECK(s.log.begin("b")->open_responses == 0);
}

TEST_CASE("a prompt holds no speech without words") {
  story s;
  s.tell({item_put{next_rank(s.view()), {.id = "in_1", .text = "Hello"}}});
  s.speak("in_2");
  CHECK(prompt_of(s.view()) == names{"in_1:Hello"});
  s.words("in_2", "In March");
  CHECK(prompt_of(s.view()) == names{"in_1:Hello", "in_2:In March"});
}

TEST_CASE("a prompt holds what was heard of an interrupted answer and no more") {
  story s;
  s.tell(interrupt_response(s.view(), running("resp_1", "item_a"), "We come at", " eight.",
                            "turn_detected", 700));
  CHECK(prompt_of(s.view()) == names{"item_a:We come at"});
  s.tell({item_heard{"item_a", 200, "We"}});
  CHECK(prompt_of(s.view()) == names{"item_a:We"});
}

TEST_CASE("the words of early speech are not analyzed before they are known") {
  story s;
  s.speak("in_1");
  s.tell({analysis_done{.head_read = s.view().head}});
  s.words("in_1", "In March");
  const auto app = std::make_shared<const app_definition>();
  CHECK(make_analyzer_prompt(app, s.view(), 77).unanalyzed_from == 0);
}

TEST_CASE("the next topic is named again once nothing is left that may answer one") {
  auto definition = std::make_shared<app_definition>();
  definition->topics = {{.id = "day", .label = "Day", .required = true}};
  const app_ptr app = definition;
  story s;
  const auto next_topic_now = [&] {
    return make_conversation_prompt(app, s.view(), {}, 77).next_topic;
  };
  CHECK(next_topic_now() == "day");
  s.speak("in_1");
  CHECK(next_topic_now().empty());
  // It stays in the history as something that nobody understood.
  s.words("in_1", "", "failed");
  CHECK(next_topic_now() == "day");
  s.speak("in_2");
  s.words("in_2", "In March");
  CHECK(next_topic_now().empty());
}
