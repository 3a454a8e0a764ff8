#define CAF_SUITE connection

#include "tests/connection/fakes.hpp"

// The test framework uses it without defining it.
#define FAIL CAF_FAIL
#include <caf/test/dsl.hpp>
#include <caf/test/unit_test_impl.hpp>

#include <string>
#include <vector>

namespace {

using namespace sidevoice;
using namespace connection_fakes;
using namespace std::chrono_literals;

struct config : caf::actor_system_config {};

struct fixture : test_coordinator_fixture<config> {
  fixture() {
    link = std::make_shared<recording_link>();
    s.session = sys.spawn(fake_session, &s);
    directory = sys.spawn(fake_directory, &s);
  }

  ~fixture() {
    caf::anon_send_exit(connection, caf::exit_reason::kill);
    caf::anon_send_exit(directory, caf::exit_reason::kill);
    caf::anon_send_exit(s.session, caf::exit_reason::kill);
    s.session = nullptr;
    sched.run();
  }

  void open() {
    auto parts = std::make_shared<connection_parts>();
    parts->directory = directory;
    parts->where.create = true;
    parts->session = s.session;
    parts->codec = std::make_unique<plain_codec>();
    parts->link = link;
    parts->count = &count;
    connection = spawn_connection(sys, std::move(parts));
    if (!starts_with.empty())
      frame(starts_with);
    sched.run();
  }

  void frame(const std::string& text) {
    caf::anon_send(connection, client_frame{std::make_shared<const std::string>(text), false});
    sched.run();
  }

  void crash_session() {
    caf::anon_send_exit(s.session, caf::exit_reason::unhandled_exception);
    sched.run();
  }

  void advance(std::chrono::milliseconds by) {
    sched.advance_time(by);
    sched.run();
  }

  [[nodiscard]] bool got(const std::string& text) const {
    return std::find(link->frames.begin(), link->frames.end(), text) != link->frames.end();
  }

  [[nodiscard]] std::uint64_t counted(counter which) const {
    return count.value(which);
  }

  script s;
  /// A frame that waits in the mailbox before the connection runs.
  std::string starts_with;
  counters count;
  std::shared_ptr<recording_link> link;
  directory_actor directory;
  connection_actor connection;
};

using words = std::vector<std::string>;

} // namespace

CAF_TEST_FIXTURE_SCOPE(connection_tests, fixture)

CAF_TEST(a connection greets and attaches and passes on what its session tells) {
  open();
  CAF_CHECK_EQUAL(link->frames, (words{"hello", "attached 5"}));
  caf::anon_send(connection, published{{std::make_shared<const event>(event{6, 0, erased{}})}});
  caf::anon_send(connection, answer_delta{"r", 1, "i", 1, 1, "word"});
  caf::anon_send(connection, notice{"code", "info", "note"});
  caf::anon_send(connection, answer_delta{});
  sched.run();
  CAF_CHECK_EQUAL(link->frames, (words{"hello", "attached 5", "published 6", "word", "note"}));
  CAF_CHECK_EQUAL(counted(counter::ephemeral_dropped), 1u);
  CAF_CHECK_EQUAL(counted(counter::connections_opened), 1u);
  CAF_CHECK_EQUAL(counted(counter::frames_out), 5u);
}

CAF_TEST(an offer of tools reaches the session and again after its restart) {
  open();
  frame("offer");
  CAF_CHECK_EQUAL(s.asked.back(), "offer show draw");
  caf::anon_send(connection, tool_call{"call_1", "show", "{}", std::chrono::seconds{1}, {}});
  caf::anon_send(connection, tool_cancelled{"call_1"});
  sched.run();
  CAF_CHECK(got("call call_1"));
  CAF_CHECK(got("cancelled call_1"));
  caf::anon_send_exit(s.session, caf::exit_reason::kill);
  sched.run();
  advance(std::chrono::seconds{1});
  CAF_CHECK_EQUAL(s.asked.back(), "offer show draw");
  CAF_CHECK_EQUAL(std::count(s.asked.begin(), s.asked.end(), "offer show draw"), 2);
}

CAF_TEST(frames become commands and their answers come back and each gives its credit back) {
  open();
  s.refuse_on = "nobody";
  frame("item");
  frame("nobody");
  frame("bad");
  caf::anon_send(connection, client_frame{nullptr, true});
  sched.run();
  CAF_CHECK(got("accepted 1"));
  CAF_CHECK(got("refused 2: no such item"));
  CAF_CHECK(got("binary"));
  CAF_CHECK_EQUAL(link->credits, 4);
  CAF_CHECK_EQUAL(counted(counter::frames_in), 4u);
  CAF_CHECK_EQUAL(counted(counter::frames_refused), 3u);
}

CAF_TEST(after a crash the session is found again and attached behind the last number) {
  open();
  caf::anon_send(connection, published{{std::make_shared<const event>(event{6, 0, erased{}})}});
  sched.run();
  s.asked.clear();
  s.head = 7;
  crash_session();
  CAF_CHECK_EQUAL(s.found, 0);
  advance(50ms);
  CAF_CHECK_EQUAL(s.asked, (words{"find", "after 6"}));
  CAF_CHECK(got("attached 7"));
  CAF_CHECK(link->closed.empty());
}

CAF_TEST(commands under way in a crash go out again in their order) {
  open();
  s.silent_on = "silent";
  frame("silent");
  s.crash_on = "crash";
  frame("crash");
  frame("third");
  s.asked.clear();
  s.silent_on.clear();
  s.crash_on.clear();
  advance(50ms);
  CAF_CHECK_EQUAL(s.asked, (words{"find", "after 5", "silent", "crash", "third"}));
  CAF_CHECK(got("accepted 1"));
  CAF_CHECK(got("accepted 2"));
  CAF_CHECK(got("accepted 3"));
}

CAF_TEST(a command that ends its session each time is given up) {
  open();
  s.crash_on = "poison";
  frame("poison");
  for (int i = 0; i < 20 && !got("lost 1"); ++i)
    advance(1600ms);
  CAF_CHECK(got("lost 1"));
  advance(1600ms);
  frame("item");
  CAF_CHECK(got("accepted 2"));
  CAF_CHECK(link->closed.empty());
}

CAF_TEST(the directory is asked with growing pauses and then the socket is closed) {
  open();
  s.away = true;
  crash_session();
  for (const auto pause : {50ms, 100ms, 200ms, 400ms}) {
    const auto before = s.found;
    advance(pause - 1ms);
    CAF_CHECK_EQUAL(s.found, before);
    advance(1ms);
    CAF_CHECK_EQUAL(s.found, before + 1);
  }
  for (int i = 0; i < 16 && link->closed.empty(); ++i)
    advance(1000ms);
  CAF_CHECK_EQUAL(link->closed, (std::vector<std::uint16_t>{1012}));
  CAF_CHECK_EQUAL(counted(counter::connections_closed), 1u);
}

CAF_TEST(a session that comes back before the time is over is taken) {
  open();
  s.away = true;
  crash_session();
  advance(50ms);
  advance(100ms);
  s.away = false;
  advance(200ms);
  CAF_CHECK_EQUAL(s.asked.back(), "after 5");
  for (int i = 0; i < 20; ++i)
    advance(1000ms);
  CAF_CHECK(link->closed.empty());
}

CAF_TEST(a session that went to sleep is looked for when a frame comes) {
  open();
  caf::anon_send(s.session, end_session{});
  sched.run();
  advance(20s);
  CAF_CHECK_EQUAL(s.found, 0);
  frame("item");
  CAF_CHECK_EQUAL(s.found, 1);
  CAF_CHECK(got("accepted 1"));
  CAF_CHECK_EQUAL(s.asked, (words{"snapshot", "find", "after 5", "item"}));
}

CAF_TEST(a session that goes to sleep before it has answered an attach is looked for) {
  s.silent_attach = true;
  open();
  CAF_CHECK(!got("attached 5"));
  s.silent_attach = false;
  caf::anon_send(s.session, end_session{});
  sched.run();
  CAF_CHECK_EQUAL(s.found, 1);
  CAF_CHECK(got("attached 5"));
  s.owed.clear();
}

CAF_TEST(a command without an answer is lost after its deadline and reported) {
  open();
  s.silent_on = "silent";
  frame("silent");
  advance(9900ms);
  CAF_CHECK(!got("lost 1"));
  advance(200ms);
  CAF_CHECK(got("lost 1"));
  CAF_CHECK_EQUAL(counted(counter::deadlines_passed), 1u);
}

CAF_TEST(a refused attach is the codecs to answer) {
  s.refuse_attach = true;
  open();
  CAF_CHECK(got("refused: no store"));
  CAF_CHECK_EQUAL(link->closed, (std::vector<std::uint16_t>{1013}));
}

CAF_TEST(nothing is sent behind a close) {
  open();
  frame("bye");
  CAF_CHECK(!got("never sent"));
  CAF_CHECK_EQUAL(link->closed, (std::vector<std::uint16_t>{1000}));
  CAF_CHECK_EQUAL(link->credits, 1);
}

CAF_TEST(a client that does not read and one that is gone end their connection) {
  open();
  link->reads = false;
  frame("bad");
  CAF_CHECK_EQUAL(counted(counter::connections_closed), 1u);
  link->reads = true;
  open();
  caf::anon_send(connection, client_gone{"reset"});
  sched.run();
  CAF_CHECK_EQUAL(counted(counter::connections_closed), 2u);
  CAF_CHECK(link->closed.empty());
}

CAF_TEST(a client that does not read its greeting has no connection) {
  link->reads = false;
  open();
  CAF_CHECK_EQUAL(link->frames, (words{"hello"}));
  CAF_CHECK_EQUAL(link.use_count(), 1);
  CAF_CHECK_EQUAL(counted(counter::connections_closed), 1u);
}

CAF_TEST(frames that came before the connection ran are taken after its greeting) {
  starts_with = "item";
  open();
  CAF_CHECK_EQUAL(link->frames.front(), "hello");
  CAF_CHECK_EQUAL(s.asked, (words{"snapshot", "item"}));
  CAF_CHECK(got("accepted 1"));
}

CAF_TEST(
  a client whose session is awake hears from it when to go and one whose session sleeps at once) {
  open();
  caf::anon_send(connection, leave_server{500ms, false});
  sched.run();
  CAF_CHECK(link->closed.empty());
  caf::anon_send(s.session, end_session{});
  sched.run();
  caf::anon_send(connection, leave_server{500ms, false});
  sched.run();
  CAF_CHECK(got("moves in 500"));
  CAF_CHECK_EQUAL(link->closed, (std::vector<std::uint16_t>{1012}));
  CAF_CHECK_EQUAL(link.use_count(), 1);
}

CAF_TEST(in the end every client is sent to the next server) {
  open();
  caf::anon_send(connection, leave_server{500ms, true});
  sched.run();
  CAF_CHECK(got("moves in 500"));
  CAF_CHECK_EQUAL(link->closed, (std::vector<std::uint16_t>{1012}));
}

CAF_TEST(the end of the server is said to the client) {
  open();
  caf::anon_send_exit(connection, caf::exit_reason::user_shutdown);
  sched.run();
  CAF_CHECK_EQUAL(link->closed, (std::vector<std::uint16_t>{1012}));
  // Only this test holds the link any more: the state died with its actor.
  CAF_CHECK_EQUAL(link.use_count(), 1);
}

CAF_TEST_FIXTURE_SCOPE_END()
