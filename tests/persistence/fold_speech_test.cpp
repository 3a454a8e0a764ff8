#include "tests/persistence/samples.hpp"

#include <doctest/doctest.h>

/// What is spoken, in the fold: speech without words, its words, and how far answers were heard.

using namespace sidevoice;
using namespace sidevoice::samples;

namespace {

using names = std::vector<std::string>;

/// Folds bodies, numbering them from the view's head on.
struct folding {
  session_view view;

  template <class Body>
  folding& add(Body body) {
    const auto done = apply(view, *make_event(view.head + 1, std::move(body)));
    REQUIRE(done.has_value());
    return *this;
  }
  const item& value(const std::string& id) const {
    const auto* stored = view.find_item(id);
    REQUIRE(stored);
    return stored->value;
  }
};

input_speech speech(const std::string& item, const std::string& rank, std::uint64_t from,
                    std::uint64_t to, const std::string& stream = "mic_1") {
  return {.rank = rank, .item = item, .stream = stream, .from_ms = from, .to_ms = to};
}

item_put answer(const std::string& text, std::uint32_t ms) {
  return {.rank = "5",
          .value = {.id = "a",
                    .role = item_role::assistant,
                    .text = text,
                    .response = "r",
                    .spoken = true,
                    .audio_ms = ms}};
}

} // namespace

TEST_CASE("speech is an item of the visitor without words, in its place") {
  folding fold;
  fold.add(item_put{.rank = "2", .value = {.id = "b"}}).add(speech("in", "1", 900, 2100));
  CHECK(fold.view.items.front()->value.id == "in");
  CHECK(fold.value("in").role == item_role::user);
  CHECK(fold.value("in").kind == item_kind::message);
  CHECK(fold.value("in").spoken);
  CHECK(fold.value("in").audio_ms == 1200);
  CHECK(fold.value("in").text.empty());
  REQUIRE(fold.view.find_speech("in"));
  CHECK(*fold.view.find_speech("in") == speech_state{"in", "mic_1", 900, 2100});
  CHECK_FALSE(fold.view.find_speech("b"));
  CHECK(fold.view.find_stream("mic_1") == nullptr);
}

TEST_CASE("words make it an item like any other, as new as they are") {
  folding fold;
  fold.add(speech("in", "1", 900, 2100)).add(analysis_done{.head_read = 2});
  fold.add(input_transcribed{.item = "in", .text = "in March"});
  CHECK(fold.value("in").text == "in March");
  CHECK(fold.value("in").status == item_status::completed);
  CHECK(fold.view.find_item("in")->seq == 3);
  CHECK(fold.view.find_item("in")->rank == "1");
  CHECK(fold.view.open_speech.empty());
  CHECK(fold.view.find_stream("mic_1")->to_ms == 2100);
}

TEST_CASE("words that never came leave an incomplete item without text") {
  for (const std::string reason : {"failed", "lost", "nothing"}) {
    folding fold;
    fold.add(speech("in", "1", 0, 900)).add(input_transcribed{.item = "in", .reason = reason});
    CHECK(fold.value("in").status == item_status::incomplete);
    CHECK(fold.value("in").text.empty());
    CHECK(fold.view.open_speech.empty());
    // Sound that nobody has judged is heard when it comes again.
    CHECK(*fold.view.find_stream("mic_1")
          == (reason == "lost" ? stream_position{"mic_1", 0, {}, {{0, 900}}}
                               : stream_position{"mic_1", 900}));
  }
}

TEST_CASE("words of unknown speech, or a second time, change only the head") {
  folding fold;
  fold.add(item_put{.rank = "1", .value = {.id = "typed", .text = "Hello"}});
  fold.add(speech("in", "2", 0, 900)).add(input_transcribed{.item = "in", .text = "first"});
  fold.add(input_transcribed{.item = "in", .text = "second"});
  fold.add(input_transcribed{.item = "typed", .text = "other"});
  fold.add(input_transcribed{.item = "none", .text = "other"});
  CHECK(fold.value("in").text == "first");
  CHECK(fold.value("typed").text == "Hello");
  CHECK(fold.view.items.size() == 2);
  CHECK(fold.view.head == 6);
}

TEST_CASE("open speech is not unanswered; its words are") {
  folding fold;
  fold.add(speech("in", "1", 0, 900));
  CHECK(fold.view.unanswered().empty());
  // Somebody typed meanwhile and was answered.
  fold.add(item_put{.rank = "2", .value = {.id = "typed"}});
  CHECK(fold.view.unanswered() == names{"typed"});
  fold.add(response_requested{.response = "r1", .cause = {"typed"}});
  fold.add(input_transcribed{.item = "in", .text = "in March"});
  CHECK(fold.view.unanswered() == names{"in"});
  fold.add(response_requested{.response = "r2", .cause = {"in"}});
  CHECK(fold.view.unanswered().empty());
}

TEST_CASE("words that a request waited for are answered by it") {
  folding fold;
  fold.add(speech("in", "1", 0, 900)).add(response_requested{.response = "r1", .cause = {"in"}});
  fold.add(input_transcribed{.item = "in", .text = "in March"});
  CHECK(fold.view.unanswered().empty());
  fold.add(response_started{.response = "r1", .attempt = 1, .item = "a"});
  fold.add(response_done{.response = "r1"});
  CHECK(fold.view.unanswered().empty());
}

TEST_CASE("open speech that is deleted is not waited for, and its sound not heard again") {
  folding fold;
  fold.add(speech("in", "1", 0, 900)).add(item_removed{.id = "in"});
  CHECK(fold.view.open_speech.empty());
  CHECK(fold.view.items.empty());
  CHECK(fold.view.find_stream("mic_1")->to_ms == 900);
  fold.add(input_transcribed{.item = "in", .text = "late"});
  CHECK(fold.view.items.empty());
}

TEST_CASE("a stream is dealt with up to its first open speech, and the newest eight are kept") {
  folding fold;
  fold.add(speech("late", "1", 5000, 6000)).add(speech("early", "2", 0, 900));
  CHECK(fold.view.find_stream("mic_1") == nullptr);
  fold.add(input_transcribed{.item = "late", .text = "x"});
  CHECK(*fold.view.find_stream("mic_1") == stream_position{"mic_1", 0, {{5000, 6000}}});
  fold.add(speech("gone", "3", 1000, 1900));
  fold.add(input_transcribed{.item = "gone", .reason = "lost"});
  fold.add(input_transcribed{.item = "early", .text = "y"});
  CHECK(*fold.view.find_stream("mic_1")
        == stream_position{"mic_1", 900, {{5000, 6000}}, {{1000, 1900}}});
  fold.add(speech("again", "4", 1000, 1900));
  fold.add(input_transcribed{.item = "again", .text = "z"});
  CHECK(*fold.view.find_stream("mic_1") == stream_position{"mic_1", 6000});
  CHECK(fold.view.streams.size() == 1);
  for (int i = 2; i <= 9; ++i) {
    const auto name = std::to_string(i);
    fold.add(speech("in_" + name, name, 0, 100, "mic_" + name));
    fold.add(input_transcribed{.item = "in_" + name, .text = "z"});
  }
  CHECK(fold.view.streams.size() == 8);
  CHECK(fold.view.find_stream("mic_1") == nullptr);
  CHECK(fold.view.find_stream("mic_9")->to_ms == 100);
}

TEST_CASE("an answer that was heard only so far keeps the rest apart") {
  folding fold;
  fold.add(answer("We come at eight.", 2000));
  fold.add(item_heard{.id = "a", .ms = 900, .text = "We come"});
  CHECK(fold.value("a").text == "We come");
  CHECK(fold.value("a").unheard == " at eight.");
  CHECK(fold.value("a").audio_ms == 900);
  CHECK(fold.value("a").status == item_status::incomplete);
  CHECK(fold.view.find_item("a")->seq == 1);
  fold.add(item_heard{.id = "a", .ms = 200, .text = "We"});
  CHECK(fold.value("a").text == "We");
  CHECK(fold.value("a").unheard == " come at eight.");
  fold.add(item_heard{.id = "none", .ms = 200, .text = "We"});
  CHECK(fold.view.items.size() == 1);
}

TEST_CASE("a measured turn changes nothing but the head") {
  folding fold;
  fold.add(answer("We come at eight.", 2000));
  auto before = fold.view;
  fold.add(turn_measured{.response = "r", .item = "a", .end_of_speech = 500});
  before.head = fold.view.head;
  CHECK(fold.view == before);
}

TEST_CASE("a snapshot keeps open speech, positions and what is spoken") {
  folding fold;
  fold.add(speech("in", "1", 0, 900)).add(input_transcribed{.item = "in", .text = "in March"});
  fold.add(speech("open", "2", 1000, 1900, "mic_2")).add(answer("We come at eight.", 2000));
  fold.add(speech("later", "3", 3000, 3900, "mic_2"));
  fold.add(input_transcribed{.item = "later", .text = "and soon"});
  fold.add(speech("gone", "4", 4000, 4500, "mic_2"));
  fold.add(input_transcribed{.item = "gone", .reason = "lost"});
  fold.add(item_heard{.id = "a", .ms = 900, .text = "We come"});
  const auto text = encode(fold.view);
  const auto back = decode_view(text);
  REQUIRE(back.has_value());
  CHECK(*back == fold.view);
  CHECK(encode(*back) == text);
  CHECK(back->open_speech == fold.view.open_speech);
  CHECK(back->find_stream("mic_1")->to_ms == 900);
  CHECK(*back->find_stream("mic_2") == stream_position{"mic_2", 0, {{3000, 3900}}, {{4000, 4500}}});
  CHECK(back->find_item("a")->value.spoken);
  CHECK(back->find_item("a")->value.audio_ms == 900);
  CHECK(fold_version == 3);
}

TEST_CASE("events of speech are written as they have been from the first") {
  CHECK(encode(speech("item_5", "1", 900, 2100))
        == R"({"from_ms":900,"item":"item_5","rank":"1","stream":"mic_1","to_ms":2100})");
  CHECK(encode(input_transcribed{.item = "item_5", .text = "in March"})
        == R"({"item":"item_5","text":"in March"})");
  CHECK(encode(input_transcribed{.item = "item_5", .reason = "nothing"})
        == R"({"item":"item_5","reason":"nothing"})");
  CHECK(encode(item_heard{.id = "item_4", .ms = 200, .text = "H"})
        == R"({"id":"item_4","ms":200,"text":"H"})");
  CHECK(encode(turn_measured{.response = "r",
                             .item = "i",
                             .end_of_speech = 500,
                             .transcript = 300,
                             .first_token = 20,
                             .first_clause = 5,
                             .first_audio = 30,
                             .played = 80})
        == R"({"end_of_speech":500,"first_audio":30,"first_clause":5,"first_token":20,)"
           R"("item":"i","played":80,"response":"r","transcript":300})");
  CHECK(
    decode("input.speech", 1, R"({"rank":"1","stream":"m","from_ms":0,"to_ms":1})").has_error());
  CHECK(decode("input.transcribed", 1, R"({"text":"x"})").has_error());
  CHECK(decode("item.heard", 1, R"({"id":"a","ms":-1})").has_error());
}
