#include "tests/gateway/realtime_talker.hpp"

using namespace talking;

// -- answers as sound

TEST_CASE("an audio response has the order of the protocol, its end behind its sound") {
  talker c;
  auto frames =
    c.publish({response_requested{"resp_1", {"x"}}, response_started{"resp_1", 1, "i1"}});
  REQUIRE(types(frames) == "response.created");
  CHECK(frames[0]["response"]["output_modalities"] == json::array({"audio"}));
  frames = c.delta("resp_1", "i1", 1, "Good ");
  REQUIRE(types(frames) == audio_begin + " response.output_audio_transcript.delta");
  CHECK(frames[2]["part"] == json{{"type", "audio"}, {"transcript", ""}});
  frames = c.sound("resp_1", "i1");
  REQUIRE(types(frames) == "response.output_audio.delta");
  CHECK(decode_sound(frames[0]["delta"].get<std::string>(), sound_encoding::pcm16)->size() == 2400);
  CHECK_FALSE(frames[0].contains("from_ms"));
  c.delta("resp_1", "i1", 2, "day.");
  frames = c.publish({c.put(spoken("i1", "Good day.", 100, "resp_1")), done("resp_1")});
  REQUIRE(types(frames) == audio_end + " response.done");
  CHECK(frames[1]["transcript"] == "Good day.");
  CHECK(frames[4]["item"]["content"]
        == json::parse(R"([{"type":"output_audio","transcript":"Good day."}])"));
  CHECK(frames[5]["response"]["output"][0] == frames[4]["item"]);
  CHECK(c.sound("resp_1", "i1", 100).empty());
}

TEST_CASE(
  "sound that is faster than the text opens the item, and text that follows goes on in it") {
  talker c;
  c.begin("resp_1", "i1");
  CHECK(types(c.sound("resp_1", "i1")) == audio_begin + " response.output_audio.delta");
  CHECK(types(c.delta("resp_1", "i1", 1, "Hi.")) == "response.output_audio_transcript.delta");
  CHECK(c.checker.sounded["i1"] == 1);
}

TEST_CASE("an interrupted audio response ends with what was heard, and nothing follows") {
  talker c;
  c.begin("resp_1", "i1");
  c.delta("resp_1", "i1", 1, "One. Two. Three.");
  c.sound("resp_1", "i1");
  auto left = spoken("i1", "One. ", 100, "resp_1");
  left.status = item_status::incomplete;
  left.unheard = "Two. Three.";
  const auto frames =
    c.publish({c.put(left), done("resp_1", response_status::cancelled, "turn_detected")});
  REQUIRE(types(frames) == audio_end + " response.done");
  CHECK(frames[1]["transcript"] == "One. ");
  CHECK(frames[4]["item"]["status"] == "incomplete");
  CHECK(frames[5]["response"]["status_details"]
        == json{{"type", "cancelled"}, {"reason", "turn_detected"}});
  CHECK(c.sound("resp_1", "i1", 100).empty());
  CHECK(c.delta("resp_1", "i1", 2, "late").empty());
}

TEST_CASE("sound of a superseded attempt is dropped") {
  talker c;
  c.begin("resp_1", "i1");
  c.sound("resp_1", "i1");
  const auto frames = c.publish({response_started{"resp_1", 2, "i2"}});
  CHECK(types(frames) == audio_end + " conversation.item.deleted");
  CHECK(c.sound("resp_1", "i1", 100, 1).empty());
  CHECK(types(c.sound("resp_1", "i2", 0, 2)) == audio_begin + " response.output_audio.delta");
}

TEST_CASE("a connection without the seat gets the same response as text") {
  realtime_client c{{.speaks = true}};
  c.start();
  c.send(update(json::object()));
  c.publish({response_requested{"resp_1", {"x"}}, response_started{"resp_1", 1, "i1"}});
  CHECK(c.frames.back()["response"]["output_modalities"] == json::array({"text"}));
  c.delta("resp_1", "i1", 1, "Good day.");
  CHECK(c.frames.back()["type"] == "response.output_text.delta");
  CHECK(c.take(c.codec->on_sound({"resp_1", 1, "i1", 0, samples(10, 1), true})).empty());
  const auto frames = c.publish({c.put(spoken("i1", "Good day.", 100, "resp_1")), done("resp_1")});
  CHECK(frames[3]["item"]["content"]
        == json::parse(R"([{"type":"output_text","text":"Good day."}])"));
}

TEST_CASE("a response that asks for text is text for a talker as well") {
  talker c;
  c.send({{"type", "response.create"}, {"response", {{"output_modalities", {"text"}}}}});
  const auto response = c.command<request_response>().response;
  c.publish({response_requested{response, {"x"}}, response_started{response, 1, "i1"}});
  CHECK(c.frames.back()["response"]["output_modalities"] == json::array({"text"}));
  CHECK(c.sound(response, "i1").empty());
}

TEST_CASE("sound goes out in the format of the session, whole and named") {
  own_talker c;
  c.send(update({{"audio", {{"output", {{"format", {{"type", "audio/pcmu"}}}}}}}}));
  CHECK(c.act<set_voice>().out == sound_format{sound_encoding::pcmu, 8000});
  CHECK(c.act<set_voice>().pace.rate == 8000);
  c.begin("resp_1", "i1");
  const auto frames = c.sound("resp_1", "i1", 300);
  CHECK(frames[3]["from_ms"] == 300);
  CHECK(decode_sound(frames[3]["delta"].get<std::string>(), sound_encoding::pcmu)->size() == 2400);
}

// -- truncation

TEST_CASE("an answer can be truncated while it runs and long after") {
  talker c;
  c.begin("resp_1", "i1");
  c.delta("resp_1", "i1", 1, "One. Two.");
  c.sound("resp_1", "i1");
  CHECK(c.send(cut("i1", 60)).empty());
  CHECK(c.act<truncate_item>().item == "i1");
  CHECK(c.act<truncate_item>().ms == 60);
  // The running answer ends where it was heard; that is the answer to the client's event.
  auto left = spoken("i1", "One. ", 60, "resp_1");
  left.status = item_status::incomplete;
  c.publish({c.put(left), done("resp_1", response_status::cancelled, "client_cancelled")});
  auto frames =
    c.take(c.codec->on_accepted(c.act<truncate_item>().token, {c.view.head, false, {}}));
  REQUIRE(types(frames) == "conversation.item.truncated");
  CHECK(frames[0]["audio_end_ms"] == 60);
  CHECK(frames[0]["content_index"] == 0);

  c.begin("resp_2", "i2");
  c.publish({c.put(spoken("i2", "Three. Four.", 900, "resp_2")), done("resp_2")});
  c.send(cut("i2", 400));
  frames = c.publish({item_heard{"i2", 400, "Three. "}});
  REQUIRE(types(frames) == "conversation.item.truncated");
  CHECK(
    c.take(c.codec->on_accepted(c.act<truncate_item>().token, {c.view.head, false, {}})).empty());
  CHECK(c.publish({item_heard{"i2", 300, "Thr"}}).empty());
}

TEST_CASE(
  "a truncation of what is no sound, unknown, or too long is refused as the protocol says") {
  talker c;
  c.publish({c.put(message("text", item_role::assistant, "Hello.")),
             c.put(spoken("voice", "Hello.", 500, ""))});
  auto error = error_of(c.send(cut("nobody", 1)));
  CHECK(error["code"] == "item_truncate_invalid_item_id");
  CHECK(error["param"] == "item_id");
  CHECK(error["event_id"] == "t1");
  CHECK(error_of(c.send(cut("text", 1)))["code"] == "invalid_value");
  CHECK(error_of(c.send(cut("voice", -1)))["param"] == "audio_end_ms");
  c.send(cut("voice", 9000));
  const auto token = c.act<truncate_item>().token;
  error = error_of(c.take(c.codec->on_refused(token, {errc::invalid, "Only 500 ms were sent",
                                                      "audio_end_ms", "not_sent"})));
  CHECK(error["code"] == "invalid_value");
  CHECK(error["param"] == "audio_end_ms");
  CHECK(error["event_id"] == "t1");
}

// -- the extension

TEST_CASE("our own client follows the voice: state, holds, words, turns, acknowledgements") {
  own_talker c;
  speech_edge edge{.kind = edge_kind::begun, .utterance = "item_u"};
  auto frames = c.take(c.codec->on_speech(edge));
  REQUIRE(types(frames) == "input_audio_buffer.speech_started sidevoice.session.state");
  CHECK(frames[1]["state"] == "listening");
  frames = c.take(c.codec->on_live_words({"item_u", "Wood"}));
  CHECK(frames[0]["sidevoice"] == json{{"text", "Wood"}});
  frames = c.take(c.codec->on_live_words({"item_u", "Good"}));
  CHECK(frames[0]["delta"] == "");
  CHECK(frames[0]["sidevoice"] == json{{"text", "Good"}});
  edge.kind = edge_kind::ended;
  CHECK(c.take(c.codec->on_speech(edge)).back()["state"] == "ready");
  frames = c.take(c.codec->on_turn_over({"item_u", "semantic", 310, 0.75F}));
  REQUIRE(types(frames) == "sidevoice.turn.ended");
  CHECK(frames[0]["probability"] == 0.75);
  CHECK(c.take(c.codec->on_turn_over({"item_u", "silence", 500, -1}))[0]["probability"].is_null());
  frames = c.publish({input_speech{"a", "item_u", "mic", 0, 900}});
  CHECK(frames[0]["type"] == "input_audio_buffer.committed");
  CHECK(frames.back()["seq"] == c.view.head);

  c.begin("resp_1", "i1");
  CHECK(c.frames.back()["type"] == "response.created");
  frames = c.sound("resp_1", "i1");
  CHECK(frames.back()["state"] == "speaking");
  CHECK(c.take(c.codec->on_held("i1", true))[0]["type"] == "sidevoice.playback.held");
  CHECK(c.take(c.codec->on_held("i1", false))[0]["type"] == "sidevoice.playback.released");
  frames = c.publish({c.put(spoken("i1", "Hi.", 100, "resp_1")), done("resp_1")});
  CHECK(frames.back()["state"] == "ready");
  frames = c.publish({turn_measured{"resp_1", "i1", 300, 200, 100, 50, 80, 20}});
  REQUIRE(types(frames) == "sidevoice.turn.completed");
  CHECK(frames[0]["heard_text"] == "Hi.");
  CHECK(frames[0]["latency"]["silence_ms"] == 750);
  CHECK(frames[0]["turn"] == "resp_1");
  frames = c.take(c.codec->on_acknowledged("mic", 900));
  CHECK(frames[0]["to_ms"] == 900);
  CHECK(frames[0]["stream"] == "mic");
}

TEST_CASE("one moment is heard by our own client and is no event of a plain one") {
  own_talker c;
  const sound_frame frame{"", 1, "filler_1", 0, samples(10, 1), true, true};
  const auto frames = c.take(c.codec->on_sound(frame));
  CHECK(frames[0]["response_id"].is_null());
  CHECK(frames[0]["item_id"] == "filler_1");
  talker plain;
  CHECK(plain.take(plain.codec->on_sound(frame)).empty());
}

TEST_CASE("what an answer was heard of later comes as the item again") {
  own_talker c;
  c.publish({c.put(spoken("voice", "Hello there.", 500, ""))});
  const auto frames = c.publish({item_heard{"voice", 200, "Hello "}});
  REQUIRE(types(frames) == "conversation.item.done");
  CHECK(frames[0]["item"]["content"][0]["transcript"] == "Hello ");
  CHECK(frames[0]["item"]["status"] == "incomplete");
}

TEST_CASE("reports of what was played and the panel's wishes reach the connection") {
  own_talker c;
  c.send({{"type", "sidevoice.playback.report"}, {"item_id", "i1"}, {"played_ms", 340}});
  CHECK(c.act<client_played>().ms == 340);
  const auto error =
    error_of(c.send({{"type", "sidevoice.playback.report"}, {"item_id", "i1"}, {"played_ms", -1}}));
  CHECK(error["param"] == "played_ms");
  CHECK(c.take(c.codec->on_probe({10, 0.5F, true})).empty());
  c.send({{"type", "sidevoice.voice.watch"}, {"on", true}});
  CHECK(c.act<set_voice>().watch);
  CHECK(types(c.take(c.codec->on_probe({10, 0.5F, true}))) == "sidevoice.voice.probe");
  CHECK(error_of(
          c.send({{"type", "sidevoice.audio.replay"}, {"stream", "a b"}, {"from_ms", 0}}))["param"]
        == "stream");
  talker plain;
  CHECK(error_of(plain.send({{"type", "sidevoice.voice.watch"}, {"on", true}}))["param"] == "type");
}

TEST_CASE("an answer in whose middle our client comes back is text with the rest of its sound") {
  realtime_client c{{.extensions = true, .speaks = true}};
  c.journal({response_requested{"resp_1", {"x"}}, response_started{"resp_1", 1, "i1"}});
  c.open();
  c.send({{"type", "sidevoice.session.resume"}, {"after_seq", 0}});
  c.attach(open_answer{"resp_1", 1, "i1", 1, "One. "});
  CHECK(c.frames.back()["type"] == "response.output_text.delta");
  c.send({{"type", "sidevoice.audio.replay"}, {"stream", "mic"}, {"from_ms", 0}});
  c.take(c.codec->on_seat("yours", {}));
  CHECK(c.take(c.codec->on_sound({"resp_1", 1, "i1", 400, samples(10, 1)}))[0]["from_ms"] == 400);
  c.publish({c.put(spoken("i1", "One. ", 500, "resp_1")), done("resp_1")});
  CHECK(c.checker.running.empty());
}

TEST_CASE("stored speech is sound for whoever hears and text for whoever reads") {
  for (const bool hears : {true, false}) {
    realtime_client c{{.speaks = hears}};
    c.journal({input_speech{"a", "item_u", "mic", 0, 900}, input_transcribed{"item_u", "Hi.", ""},
               item_put{"b", spoken("item_a", "Hello.", 300, "")},
               input_speech{"c", "item_v", "mic", 900, 1900}});
    c.open();
    c.attach();
    const auto frames = c.send(update(json::object()));
    REQUIRE(frames.size() == 7);
    CHECK(frames[1]["item"]["content"]
          == json::parse(R"([{"type":"input_audio","transcript":"Hi."}])"));
    CHECK(frames[3]["item"]["content"][0]["type"] == (hears ? "output_audio" : "output_text"));
    CHECK(frames[5]["item"]["content"][0]["transcript"].is_null());
  }
}
