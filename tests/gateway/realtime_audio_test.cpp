#include "tests/gateway/realtime_talker.hpp"

using namespace talking;

// -- the session object

TEST_CASE("a plain client speaks by default where the node can, and reads where it cannot") {
  realtime_client able{{.speaks = true}};
  CHECK(able.open()[0]["session"]["output_modalities"] == json::array({"audio"}));
  able.attach();
  CHECK(able.send(update({{"output_modalities", {"text"}}}))[0]["session"]["output_modalities"]
        == json::array({"text"}));
  CHECK(able.send(update({{"output_modalities", nullptr}}))[0]["session"]["output_modalities"]
        == json::array({"audio"}));
  realtime_client mute;
  mute.start();
  const auto frames = mute.send(update({{"output_modalities", {"audio"}}}));
  REQUIRE(types(frames) == "session.updated");
  CHECK(frames[0]["session"]["output_modalities"] == json::array({"text"}));
  mute.send({{"type", "response.create"}});
  CHECK(mute.voice.empty());
}

TEST_CASE("our own client begins with text, and is told where there is no voice") {
  realtime_client able{{.extensions = true, .speaks = true}};
  CHECK(able.open()[0]["session"]["output_modalities"] == json::array({"text"}));
  realtime_client mute{{.extensions = true}};
  mute.start();
  const auto frames = mute.send(update({{"output_modalities", {"audio"}}}));
  REQUIRE(types(frames) == "session.updated sidevoice.voice.seat");
  CHECK(frames[1]["state"] == "unavailable");
  CHECK(frames[1]["reason"] == "voice_unavailable");
  CHECK(types(mute.send({{"type", "sidevoice.audio.replay"}, {"stream", "mic_1"}, {"from_ms", 0}}))
        == "sidevoice.voice.seat");
  CHECK(mute.voice.empty());
}

TEST_CASE("formats of sound: the protocol's, and three more rates of ours") {
  realtime_client c{{.speaks = true}};
  c.start();
  const auto format = [&](const json& value) {
    return c.send(input_format(value))[0]["session"]["audio"]["input"]["format"];
  };
  CHECK(format({{"type", "audio/pcm"}}) == json{{"type", "audio/pcm"}, {"rate", 24000}});
  for (const int rate : {8000, 16000, 24000, 48000})
    CHECK(format({{"type", "audio/pcm"}, {"rate", rate}})["rate"] == rate);
  CHECK(format({{"type", "audio/pcma"}}) == json{{"type", "audio/pcma"}});
  const auto error = error_of(c.send(input_format({{"type", "audio/pcm"}, {"rate", 44100}})));
  CHECK(error["param"] == "session.audio.input.format.rate");
  CHECK(error["code"] == "invalid_value");
}

TEST_CASE("what a client sets becomes the terms of its seat") {
  talker c;
  auto terms = c.act<set_voice>().terms;
  CHECK(terms.interrupts_at_once);
  CHECK(terms.speaks);
  CHECK(terms.voice.empty());
  CHECK(c.act<set_voice>().pace.lead == std::chrono::milliseconds{1000});
  CHECK_FALSE(c.act<set_voice>().pace.reports);
  c.send(update(
    {{"instructions", "Be kind."},
     {"audio",
      {{"input",
        {{"turn_detection",
          {{"type", "semantic_vad"}, {"eagerness", "high"}, {"interrupt_response", false}}}}},
       {"output", {{"voice", "cedar"}, {"speed", 1.25}}}}}}));
  terms = c.act<set_voice>().terms;
  CHECK(terms.turns.mode == turn_mode::semantic);
  CHECK(terms.turns.eagerness == "high");
  CHECK_FALSE(terms.turns.interrupt_response);
  CHECK_FALSE(terms.interrupts_at_once);
  CHECK(terms.voice == "cedar");
  CHECK(terms.speed == 1.25);
  CHECK(terms.options->instructions == "Be kind.");
  const auto told = c.acts<set_voice>();
  c.send(update(json::object()));
  CHECK(c.acts<set_voice>() == told);
  c.send(update({{"audio", {{"input", {{"turn_detection", nullptr}}}}}}));
  CHECK(c.act<set_voice>().terms.turns.mode == turn_mode::manual);
  c.send(update(
    {{"audio",
      {{"input",
        {{"turn_detection",
          {{"type", "server_vad"}, {"silence_duration_ms", 900}, {"idle_timeout_ms", 5000}}}}}}}}));
  CHECK(c.act<set_voice>().terms.turns.silence_duration == std::chrono::milliseconds{900});
  CHECK(c.act<set_voice>().terms.turns.idle_timeout == std::chrono::milliseconds{5000});
}

// -- the seat

TEST_CASE("a plain client that talks, or asks for an answer, gets the seat by itself and once") {
  realtime_client c{{.speaks = true}};
  c.start();
  c.send(append(piece_of_sound()));
  REQUIRE(c.voice.size() == 3);
  CHECK(std::holds_alternative<set_voice>(c.voice[0]));
  CHECK(std::get<ask_seat>(c.voice[1]).stream.rfind("mic_", 0) == 0);
  CHECK(std::get<sound_in>(c.voice[2]).data.size() == 2400);
  c.send(append(piece_of_sound()));
  CHECK(c.voice.size() == 4);

  realtime_client reader{{.speaks = true}};
  reader.start();
  reader.send({{"type", "response.create"}});
  REQUIRE(reader.voice.size() == 2);
  CHECK(std::holds_alternative<ask_seat>(reader.voice[1]));
  // The seat is asked for before the answer.
  CHECK(reader.command<request_response>().response.rfind("resp_", 0) == 0);

  realtime_client typist{{.speaks = true}};
  typist.start();
  typist.send(update({{"output_modalities", {"text"}}}));
  typist.send({{"type", "response.create"}});
  CHECK(typist.voice.empty());
}

TEST_CASE("whoever has lost the seat talks in vain until it asks for an answer") {
  talker c;
  const auto before = c.acts<sound_in>();
  CHECK(c.take(c.codec->on_seat("elsewhere", {errc::conflict, "taken", {}, "taken"})).empty());
  c.send(append(piece_of_sound()));
  CHECK(c.acts<sound_in>() == before);
  CHECK(c.acts<ask_seat>() == 1);
  c.send({{"type", "response.create"}});
  CHECK(c.acts<ask_seat>() == 2);
}

TEST_CASE("our own client asks by replay, is told of its seat, and gives it back with text") {
  own_talker c;
  CHECK(c.act<ask_seat>().stream == "mic");
  CHECK(c.act<set_voice>().pace.reports);
  CHECK_FALSE(c.act<set_voice>().terms.interrupts_at_once);
  CHECK(c.frames.back()["state"] == "yours");
  c.send(update({{"output_modalities", {"text"}}}));
  CHECK(c.acts<give_seat>() == 1);
  const auto lost = c.take(c.codec->on_seat("elsewhere", {errc::conflict, "taken", {}, "taken"}));
  REQUIRE(types(lost) == "sidevoice.voice.seat");
  CHECK(lost[0]["state"] == "elsewhere");
  const auto before = c.acts<sound_in>();
  CHECK(c.send(append(piece_of_sound())).empty());
  CHECK(c.acts<sound_in>() == before);

  realtime_client hasty{{.extensions = true, .speaks = true}};
  hasty.start();
  CHECK(error_of(hasty.send(append(piece_of_sound())))["message"].get<std::string>().find(
          "sidevoice.audio.replay")
        != std::string::npos);
}

TEST_CASE("a node without a voice says so once to a microphone") {
  realtime_client c;
  c.start();
  CHECK(error_of(c.send(append(piece_of_sound())))["code"] == "voice_unavailable");
  CHECK(c.send(append(piece_of_sound())).empty());
  talker late;
  const error why{errc::overloaded, "all voice places are taken", {}, "voice_sessions"};
  CHECK(error_of(late.take(late.codec->on_seat("unavailable", why)))["code"]
        == "voice_unavailable");
  CHECK(late.take(late.codec->on_seat("unavailable", why)).empty());
}

// -- sound in

TEST_CASE("sound is checked before anything is done with it") {
  talker c;
  const auto before = c.voice.size();
  for (const auto* bad : {"A", "AAA", "AAAA=", "!!!!", "AAAA=AAA"}) {
    CAPTURE(bad);
    const auto error = error_of(c.send(append(bad)));
    CHECK(error["code"] == "invalid_value");
    CHECK(error["param"] == "audio");
  }
  CHECK(error_of(c.send({{"type", "input_audio_buffer.append"}}))["param"] == "audio");
  CHECK(error_of(c.send({{"type", "input_audio_buffer.append"}, {"audio", 1}}))["code"]
        == "invalid_type");
  CHECK(error_of(c.send(append(std::string(15 * 1024 * 1024 + 4, 'A'))))["param"] == "audio");
  CHECK(c.voice.size() == before);
  CHECK(c.send(append(std::string(8 * 1024 * 1024, 'A'))).empty());
  CHECK(c.act<sound_in>().data.size() == 3 * 1024 * 1024);
}

TEST_CASE("commit and clear go to the connection, and its answers have the protocol's words") {
  talker c;
  c.send({{"type", "input_audio_buffer.commit"}, {"event_id", "c1"}});
  CHECK(c.act<commit_sound>().event_id == "c1");
  const auto error = error_of(c.take(c.codec->on_commit_refused("c1")));
  CHECK(error["code"] == "input_audio_buffer_commit_empty");
  CHECK(error["event_id"] == "c1");
  CHECK(error["param"].is_null());
  c.send({{"type", "input_audio_buffer.clear"}});
  CHECK(c.acts<clear_sound>() == 1);
  CHECK(types(c.take(c.codec->on_cleared())) == "input_audio_buffer.cleared");
  CHECK(error_of(c.send({{"type", "input_audio_buffer.wave"}}))["param"] == "type");
}

TEST_CASE("a spoken turn: begun, ended, committed, its item, its words") {
  talker c;
  const auto stream = c.act<ask_seat>().stream;
  speech_edge edge{.kind = edge_kind::begun, .utterance = "item_u", .from_ms = 700};
  auto frames = c.take(c.codec->on_speech(edge));
  REQUIRE(types(frames) == "input_audio_buffer.speech_started");
  CHECK(frames[0]["audio_start_ms"] == 700);
  edge.kind = edge_kind::paused;
  CHECK(c.take(c.codec->on_speech(edge)).empty());
  edge.kind = edge_kind::ended;
  edge.at_ms = 2400;
  frames = c.take(c.codec->on_speech(edge));
  REQUIRE(types(frames) == "input_audio_buffer.speech_stopped");
  CHECK(frames[0]["audio_end_ms"] == 2400);
  frames = c.publish({input_speech{"a", "item_u", stream, 700, 2400}});
  REQUIRE(types(frames)
          == "input_audio_buffer.committed conversation.item.added conversation.item.done");
  CHECK(frames[0]["item_id"] == "item_u");
  CHECK(frames[1]["item"]["content"]
        == json::parse(R"([{"type":"input_audio","transcript":null}])"));
  // Words only where the client has asked for them; the item has them either way.
  CHECK(c.publish({input_transcribed{"item_u", "Good day.", ""}}).empty());
  c.send({{"type", "conversation.item.retrieve"}, {"item_id", "item_u"}});
  frames = c.accept(false, 0, c.view.items.back());
  CHECK(frames[0]["item"]["content"][0]["transcript"] == "Good day.");
}

TEST_CASE("words come as deltas that add up, and at the end whole with their cost") {
  talker c;
  c.send(update({{"audio", {{"input", {{"transcription", {{"model", "whisper-1"}}}}}}}}));
  CHECK(c.take(c.codec->on_live_words({"item_u", "Good"})).empty());
  c.publish({input_speech{"a", "item_u", "elsewhere", 0, 1500}});
  auto frames = c.take(c.codec->on_live_words({"item_u", "Good"}));
  REQUIRE(types(frames) == "conversation.item.input_audio_transcription.delta");
  CHECK(frames[0]["delta"] == "Good");
  CHECK_FALSE(frames[0].contains("sidevoice"));
  CHECK(c.take(c.codec->on_live_words({"item_u", "Wood"})).empty());
  CHECK(c.take(c.codec->on_live_words({"item_u", "Good day"}))[0]["delta"] == " day");
  frames = c.publish({input_transcribed{"item_u", "Good day.", ""}});
  REQUIRE(types(frames)
          == "conversation.item.input_audio_transcription.delta "
             "conversation.item.input_audio_transcription.completed");
  CHECK(frames[0]["delta"] == ".");
  CHECK(frames[1]["transcript"] == "Good day.");
  CHECK(frames[1]["usage"] == json{{"type", "duration"}, {"seconds", 1.5}});
  c.publish({input_speech{"b", "item_v", "elsewhere", 0, 1500}});
  frames = c.publish({input_transcribed{"item_v", "", "failed"}});
  REQUIRE(types(frames) == "conversation.item.input_audio_transcription.failed");
  CHECK(frames[0]["error"]["type"] == "transcription_error");
  CHECK(frames[0]["error"]["code"] == "failed");
}

TEST_CASE("with manual turns nothing is said of speech before the commit") {
  talker c;
  speech_edge edge{.kind = edge_kind::begun, .utterance = "item_u", .manual = true};
  CHECK(c.take(c.codec->on_speech(edge)).empty());
  edge.kind = edge_kind::ended;
  CHECK(c.take(c.codec->on_speech(edge)).empty());
}

TEST_CASE("another connection sees the spoken item and its words, not the buffer") {
  realtime_client c{{.extensions = true, .speaks = true}};
  c.start();
  auto frames = c.publish({input_speech{"a", "item_u", "mic", 0, 1000}});
  CHECK(types(frames) == "conversation.item.added conversation.item.done");
  frames = c.publish({input_transcribed{"item_u", "Hello.", ""}});
  CHECK(types(frames) == "conversation.item.input_audio_transcription.completed");
  c.publish({input_speech{"b", "item_v", "mic", 1000, 2000}});
  frames = c.publish({input_transcribed{"item_v", "", "nothing"}, item_removed{"item_v"}});
  CHECK(types(frames)
        == "conversation.item.input_audio_transcription.completed conversation.item.deleted");
}
