#pragma once

#include "tests/connection/voice_fakes.hpp"
#include "tests/support/hand_loop.hpp"

// The test framework uses it without defining it.
#define FAIL CAF_FAIL
#include <caf/test/dsl.hpp>

#include <algorithm>
#include <string>
#include <vector>

/// One connection with its voice, all round it scripted.
namespace connection_fakes {

using namespace std::chrono_literals;

using heard_list = std::vector<recording_stt::heard>;
struct voice_config : caf::actor_system_config {};

struct voice_fixture : test_coordinator_fixture<voice_config> {
  voice_fixture() {
    link = std::make_shared<recording_link>();
    s.session = sys.spawn(fake_session, &s);
    s.seat_debtor = sys.spawn(seat_debtor);
    directory = sys.spawn(fake_directory, &s);
  }

  ~voice_fixture() {
    for (const auto& actor : spawned)
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    caf::anon_send_exit(connection, caf::exit_reason::kill);
    caf::anon_send_exit(directory, caf::exit_reason::kill);
    caf::anon_send_exit(s.session, caf::exit_reason::kill);
    caf::anon_send_exit(s.seat_debtor, caf::exit_reason::kill);
    s.seat_debtor = nullptr;
    s.holder = nullptr;
    s.session = nullptr;
    sched.run();
  }

  void open() {
    auto parts = std::make_shared<connection_parts>();
    parts->directory = directory;
    parts->session = s.session;
    auto codec = std::make_unique<plain_codec>();
    codec->turns = turns;
    parts->codec = std::move(codec);
    parts->link = link;
    parts->count = &count;
    parts->vad = vad;
    parts->ids = &ids;
    parts->clock = &clock;
    parts->may_begin_to_talk = [this] { return room; };
    connection = spawn_connection(sys, std::move(parts));
    sched.run();
  }

  /// open, and the seat with its actors.
  void talk() {
    open();
    frame("mic s 0");
    join(s.seats);
    feed(s.seats, first);
  }

  void join(std::uint64_t seat, voice_log* to = nullptr) {
    auto* log_of = to == nullptr ? &log : to;
    const auto audio = sys.spawn(fake_audio, log_of);
    const auto tts = sys.spawn(fake_tts, log_of);
    spawned.push_back(caf::actor_cast<caf::actor>(audio));
    spawned.push_back(caf::actor_cast<caf::actor>(tts));
    tell(voice_team{seat, audio, tts});
  }

  void feed(std::uint64_t seat, heard_list& to) {
    tell(voice_feed{seat, std::make_shared<recording_stt>(to)});
  }

  template <class Message>
  void tell(Message what) {
    caf::anon_send(connection, std::move(what));
    sched.run();
  }

  void frame(const std::string& text) {
    tell(client_frame{std::make_shared<const std::string>(text), false});
  }

  void publish(std::vector<event_body> bodies) {
    published batch;
    for (auto& body : bodies)
      batch.events.push_back(std::make_shared<const event>(event{++s.head, 0, std::move(body)}));
    tell(batch);
  }

  void advance(std::chrono::milliseconds by) {
    for (; by > 0ms; by -= 10ms) {
      clock.advance(10ms);
      sched.advance_time(10ms);
      sched.run();
    }
  }

  /// An answer begins, with this much sound.
  void answer(const std::string& item, std::uint32_t ms, bool last = true) {
    publish({response_requested{"of_" + item, {"x"}}, response_started{"of_" + item, 1, item}});
    piece(item, ms, last);
  }

  void piece(const std::string& item, std::uint32_t ms, bool last) {
    tell(speech_sound{"of_" + item, 1, item,
                      sound{std::make_shared<const samples>(ms * 16, 7), 16'000}, ms / 10, 0,
                      last});
  }

  [[nodiscard]] bool got(const std::string& text) const {
    return std::find(link->frames.begin(), link->frames.end(), text) != link->frames.end();
  }

  /// Position of a frame among those of the client.
  [[nodiscard]] std::ptrdiff_t at(const std::string& text) const {
    return std::find(link->frames.begin(), link->frames.end(), text) - link->frames.begin();
  }

  [[nodiscard]] std::ptrdiff_t sounds(const std::string& item) const {
    return std::count_if(link->frames.begin(), link->frames.end(), [&](const std::string& text) {
      return text.rfind("sound " + item + " ", 0) == 0;
    });
  }

  [[nodiscard]] std::uint64_t counted(counter which) const {
    return count.value(which);
  }

  script s;
  counters count;
  counted_ids ids;
  hand_loop clock;
  loud_vad ears;
  const vad_engine* vad = &ears;
  turn_settings turns;
  voice_log log;
  heard_list first;
  std::vector<caf::actor> spawned;
  /// The node has room for voices that have not been heard yet.
  bool room = true;
  std::shared_ptr<recording_link> link;
  directory_actor directory;
  connection_actor connection;
};

} // namespace connection_fakes
