#include "cli/commands.hpp"
#include "cluster/node.hpp"
#include "config/app_file.hpp"
#include "config/log.hpp"
#include "config/topic_value.hpp"

#include <unistd.h>

#include <cstdio>
#include <deque>
#include <iostream>
#include <memory>
#include <set>
#include <thread>

/// A conversation in the terminal: a whole node without a gateway, and one listener that prints.
namespace sidevoice::cli {

namespace {

struct chat_options {
  std::string path = "apps/moving";
  std::string data;
  std::string session;
  std::string profile = "dev";
};

/// What one line of the keyboard asks for.
struct typed_line {
  std::string text;
};
struct end_of_input {};

} // namespace

} // namespace sidevoice::cli

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sidevoice::cli::typed_line)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sidevoice::cli::end_of_input)

namespace sidevoice::cli {

namespace {

using terminal_actor =
  listener_actor::extend<caf::reacts_to<typed_line>, caf::reacts_to<end_of_input>>;

constexpr std::chrono::seconds answer_deadline{20};

/// Owned by the terminal actor; touched only inside its handlers.
class terminal_state {
public:
  static inline const char* name = "terminal";

  explicit terminal_state(terminal_actor::pointer self) : self_{self} {}

  void start(node& home, const find_session& where) {
    home_ = &home;
    where_ = where;
    self_->request(home.directory(), answer_deadline, where)
      .then([this](const session_actor& session) { attach_to(session); },
            [this](const caf::error& why) { fail(why); });
  }

  void on_published(const published& batch) {
    for (const auto& e : batch.events)
      show(e->body);
  }

  void on_delta(const answer_delta& piece) {
    if (std::exchange(speaking_, piece.response) != piece.response)
      std::printf("%s: ",
                  where_.app->title.empty() ? where_.app->id.c_str() : where_.app->title.c_str());
    std::printf("%s", piece.text.c_str());
    std::fflush(stdout);
  }

  [[nodiscard]] bool is_attached() const {
    return attached_;
  }

  /// A person at the keyboard interrupts; lines from a pipe wait for their turn.
  void on_line(const typed_line& line) {
    if (!line.text.empty())
      lines_.push_back(line.text);
    next();
  }

  void next() {
    static const bool interactive = isatty(STDIN_FILENO) != 0;
    while (!lines_.empty() && (interactive || open_.empty())) {
      const auto line = std::move(lines_.front());
      lines_.pop_front();
      say(line);
    }
    if (ended_ && lines_.empty() && open_.empty())
      leave();
  }

  void say(const std::string& line) {
    if (line == "/quit") {
      lines_.clear();
      return end();
    }
    if (line == "/list")
      return list();
    put_item input;
    input.value.id = home_->ids().make("item_");
    input.value.text = line;
    input.answer = true;
    input.response = home_->ids().make("resp_");
    open_.insert(input.response);
    const auto response = input.response;
    self_->request(session_, answer_deadline, std::move(input))
      .then([](const accepted&) {},
            [this, response](const caf::error& why) {
              std::printf("(not taken: %s)\n", from_caf(why).detail.c_str());
              answered(response);
            });
  }

  void end() {
    ended_ = true;
    next();
  }

private:
  void attach_to(const session_actor& session) {
    session_ = session;
    self_
      ->request(session, answer_deadline,
                attach{caf::actor_cast<listener_actor>(terminal_actor{self_})})
      .then(
        [this](const attached& state) {
          for (const auto& entry : state.view->items)
            if (entry->value.kind == item_kind::message)
              std::printf("%s: %s\n",
                          entry->value.role == item_role::user ? "you" : where_.app->title.c_str(),
                          entry->value.text.c_str());
          topics_ = state.view->topics;
          attached_ = true;
          std::fflush(stdout);
        },
        [this](const caf::error& why) { fail(why); });
  }

  void show(const event_body& body) {
    if (const auto* done = std::get_if<response_done>(&body)) {
      std::printf("\n");
      if (done->status == response_status::failed)
        std::printf("(no answer: %s)\n", done->reason.c_str());
      answered(done->response);
    } else if (const auto* put = std::get_if<item_put>(&body)) {
      // A greeting is said at once and not streamed.
      if (put->value.role == item_role::assistant && put->value.kind == item_kind::message
          && put->value.response != speaking_)
        std::printf("%s: %s", where_.app->title.c_str(), put->value.text.c_str());
    } else if (const auto* change = std::get_if<topic_updated>(&body)) {
      topic_state state;
      state.status = change->status;
      state.value = change->value;
      topics_[change->topic] = std::make_shared<const topic_state>(state);
      if (const auto* topic = where_.app->find_topic(change->topic);
          topic != nullptr && change->by != topic_author::rule)
        std::printf("  [%s: %s %s]\n", topic->label.c_str(), to_string(change->status),
                    change->value.empty() ? ""
                                          : display_topic_value(*topic, change->value).c_str());
    } else if (std::holds_alternative<session_completed>(body)) {
      std::printf("  [the checklist is complete]\n");
    }
    std::fflush(stdout);
  }

  void list() {
    for (const auto& topic : where_.app->topics) {
      const auto known = topics_.find(topic.id);
      const auto* state = known == topics_.end() ? nullptr : known->second.get();
      std::printf("  %-20s %-12s %s\n", topic.label.c_str(),
                  state == nullptr ? "open" : to_string(state->status),
                  state == nullptr || state->value.empty()
                    ? ""
                    : display_topic_value(topic, state->value).c_str());
    }
    std::fflush(stdout);
  }

  void answered(const std::string& response) {
    open_.erase(response);
    next();
  }

  void leave() {
    home_->stop();
    self_->quit();
  }

  void fail(const caf::error& why) {
    std::fprintf(stderr, "sidevoice: %s\n", from_caf(why).detail.c_str());
    leave();
  }

  terminal_actor::pointer self_;
  node* home_ = nullptr;
  find_session where_;
  session_actor session_;
  std::string speaking_;
  std::map<std::string, topic_state_ptr> topics_;
  /// Responses that were asked for and are not done.
  std::set<std::string> open_;
  std::deque<std::string> lines_;
  bool attached_ = false;
  bool ended_ = false;
};

terminal_actor::behavior_type terminal(terminal_actor::stateful_pointer<terminal_state> self,
                                       node* home, const find_session& where) {
  auto& s = self->state;
  s.start(*home, where);
  return {
    [&s](const published& batch) { s.on_published(batch); },
    [&s](const answer_delta& piece) { s.on_delta(piece); },
    [](const notice& what) { std::printf("(%s)\n", what.text.c_str()); },
    [](const move_away&) {},
    // A terminal offers no tools.
    [](const tool_call&) {},
    [](const tool_cancelled&) {},
    // What was typed before the conversation was there waits for it.
    [&s](const typed_line& line) -> caf::result<void> {
      if (!s.is_attached())
        return caf::skip();
      s.on_line(line);
      return caf::unit;
    },
    [&s](const end_of_input&) -> caf::result<void> {
      if (!s.is_attached())
        return caf::skip();
      s.end();
      return caf::unit;
    },
  };
}

int run_chat(const chat_options& options) {
  auto loaded = load_apps(options.path, {.profile = options.profile, .env = process_environment()});
  for (const auto& fault : loaded.faults)
    if (!fault.warning)
      std::fprintf(stderr, "%s\n", to_string(fault).c_str());
  if (loaded.apps.empty()) {
    std::fprintf(stderr, "sidevoice: no app in %s; `sidevoice check %s` explains\n",
                 options.path.c_str(), options.path.c_str());
    return 2;
  }
  set_log_level(log_level::warning);
  node_options how{.apps = entries_of(loaded)};
  if (!options.data.empty())
    how.data = sqlite_options{.folder = options.data};
  auto opened = node::open(std::move(how));
  if (!opened) {
    std::fprintf(stderr, "sidevoice: %s\n", opened.error().detail.c_str());
    return 1;
  }
  auto& home = **opened;
  find_session where{.app = loaded.apps.front().app,
                     .id = options.session,
                     .create = options.session.empty()};
  if (where.id.empty())
    where.id = home.ids().make("sess_");
  std::printf("%s, session %s. /list shows the checklist, /quit or Ctrl-D ends.\n",
              where.app->title.c_str(), where.id.c_str());
  auto screen = home.system().spawn(terminal, &home, where);
  std::thread keyboard{[screen] {
    for (std::string line; std::getline(std::cin, line);)
      caf::anon_send(screen, typed_line{line});
    caf::anon_send(screen, end_of_input{});
  }};
  keyboard.detach();
  home.run();
  return 0;
}

} // namespace

void add_chat(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand("chat", "Talk to an app in this terminal; no server, no key");
  auto options = std::make_shared<chat_options>();
  command->add_option("PATH", options->path, "An app's folder or file")->capture_default_str();
  command->add_option("--data", options->data,
                      "Keep the conversation in this folder (default: memory only)");
  command->add_option("--session", options->session,
                      "Go on with this stored conversation; needs --data");
  command->add_option("--profile", options->profile, "Profile whose values count")
    ->capture_default_str();
  command->callback([&chosen, options] { chosen = [options] { return run_chat(*options); }; });
}

} // namespace sidevoice::cli
