#include "actors/conversation.hpp"

#include "actors/calls.hpp"
#include "actors/clauses.hpp"
#include "actors/model_line.hpp"
#include "actors/patience.hpp"
#include "actors/presentable.hpp"
#include "actors/prompt.hpp"
#include "actors/pulse.hpp"
#include "actors/tool_runner.hpp"
#include "config/log.hpp"
#include "config/secrets.hpp"

namespace sidevoice {

/// What a model's stream said, with the run it belongs to.
struct llm_piece {
  std::uint64_t run = 0;
  /// Which model of the app said it.
  std::size_t model = 0;
  llm_event event;
};

/// What the outside said to a call of a tool.
struct tool_piece {
  tool_runner::piece what;
};

/// Time to look whether the model of this run has gone silent.
struct check_silence {
  std::uint64_t run = 0;
};

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(llm_piece)
SIDEVOICE_LOCAL_MESSAGE(tool_piece)
SIDEVOICE_LOCAL_MESSAGE(check_silence)

namespace sidevoice {

namespace {

using conversation_inner =
  runner_actor::extend<caf::reacts_to<llm_piece>, caf::reacts_to<tool_piece>,
                       caf::reacts_to<check_silence>>;

/// A model that says more in one answer does not mean it.
constexpr std::size_t text_bytes_max = 256 << 10;

/// Vendors refuse a history whose names have other characters than these, whoever invented them.
std::string tool_name(const std::string& said) {
  auto name = said.substr(0, 64);
  for (auto& c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
          || c == '-'))
      c = '_';
  return name.empty() ? "unnamed" : name;
}

/// Owned by one conversation actor; touched only inside its handlers.
class conversation_state {
public:
  static inline const char* name = "conversation";

  explicit conversation_state(conversation_inner::pointer self) : self_{self} {}

  void start(const node_parts& parts, const session_actor& session, std::string id) {
    parts_ = parts;
    session_ = session;
    id_ = std::move(id);
    models_ = std::make_unique<model_line>(parts);
    tools_ = std::make_unique<tool_runner>(
      parts,
      [me = conversation_inner{self_}](tool_runner::piece what) {
        caf::anon_send(me, tool_piece{std::move(what)});
      },
      [this](call_done done) { self_->send(session_, std::move(done)); });
    self_->send(session_, join_runner{caf::actor_cast<runner_actor>(conversation_inner{self_})});
  }

  [[nodiscard]] tool_runner& tools() {
    return *tools_;
  }

  void on_run(run_response run) {
    run_ = std::move(run);
    ++run_number_;
    pieces_ = 0;
    said_ = 0;
    calls_.clear();
    cutter_ = {};
    if (!run_->say.empty()) {
      say(run_->say);
      return end(response_status::completed, {}, {});
    }
    const auto options = run_->options ? *run_->options : response_options{};
    auto request = make_conversation_prompt(run_->app, *run_->view, options, wall_ms(*parts_.where),
                                            unavailable_tools());
    request.traceparent = run_->traceparent;
    if (!run_->may_call)
      request.tool_choice = "none";
    auto asked = models_->ask({.app = run_->app,
                               .choices = run_->app->conversation_models,
                               .request = std::move(request),
                               .session = id_,
                               .session_spent = run_->view->spent,
                               .response = run_->response},
                              [me = conversation_inner{self_}, run = run_number_](std::size_t model,
                                                                                  llm_event event) {
                                caf::anon_send(me, llm_piece{run, model, std::move(event)});
                              });
    began(asked);
  }

  void on_cancel(const cancel_run& cancel) {
    if (run_ && run_->item == cancel.item)
      forget();
  }

  void on_piece(llm_piece piece) {
    if (!run_ || piece.run != run_number_ || piece.model != models_->model()) {
      parts_.count->add(counter::ephemeral_dropped);
      return;
    }
    patience_.extend(parts_.where->now(), parts_.timing.stall);
    if (auto* text = std::get_if<llm_text>(&piece.event))
      say(text->delta);
    else if (auto* call = std::get_if<llm_call>(&piece.event))
      take(std::move(*call));
    else if (auto* done = std::get_if<llm_done>(&piece.event))
      finish(*done);
    else
      on_model_failed(std::get<llm_failed>(piece.event).why);
  }

  void on_silence(const check_silence& check) {
    if (!run_ || check.run != run_number_)
      return;
    if (const auto left = patience_.look(parts_.where->now()))
      return watch(*left);
    parts_.count->add(counter::deadlines_passed);
    on_model_failed({errc::unavailable,
                     "the model said nothing in time",
                     {},
                     said_ != 0 ? "stall" : "first_byte"});
  }

private:
  /// Webhook tools whose address this server does not know are not offered.
  [[nodiscard]] std::vector<std::string> unavailable_tools() const {
    std::vector<std::string> names;
    for (const auto& tool : run_->app->tools)
      if (tool.kind == tool_kind::webhook
          && (parts_.http == nullptr || !expand(tool.url, parts_.env)))
        names.push_back(tool.name);
    return names;
  }

  void began(const result<void>& asked) {
    if (!asked)
      return end(said_ != 0 ? response_status::incomplete : response_status::failed,
                 asked.error().reason.empty() ? to_string(asked.error().code)
                                              : asked.error().reason,
                 {});
    patience_.begin(parts_.where->now(), parts_.timing.first_token);
    watch(parts_.timing.first_token);
  }

  /// One timer watches a run: it looks when the model spoke last, and sleeps for the rest.
  void watch(loop::clock::duration left) {
    self_->delayed_send(self_, std::chrono::ceil<std::chrono::milliseconds>(left),
                        check_silence{run_number_});
  }

  void say(const std::string& text) {
    models_->note(text.size());
    said_ += text.size();
    if (said_ > text_bytes_max)
      return on_model_failed(
        {errc::unavailable, "the model does not stop talking", {}, "too_large"});
    for (auto& piece : cutter_.add(text))
      self_->send(session_, answer_delta{run_->response, run_->attempt, run_->item, ++pieces_,
                                         piece.clause, std::move(piece.text)});
  }

  void take(llm_call call) {
    models_->note(call.arguments.size() + call.name.size());
    if (!run_->may_call || calls_.size() > max_calls_of_answer) {
      parts_.count->add(counter::calls_refused);
      log(log_level::warning, "conversation.call_dropped",
          {{"session", id_}, {"response", run_->response}});
      return;
    }
    calls_.push_back({.id = parts_.ids->make("item_"),
                      .kind = item_kind::function_call,
                      .call_id = is_new(call.call_id) ? call.call_id : parts_.ids->make("call_"),
                      .name = tool_name(call.name),
                      .arguments = presentable(call.arguments, 64 << 10),
                      .response = run_->response});
  }

  /// A call id names one call of the session, whatever the model says.
  [[nodiscard]] bool is_new(const std::string& id) const {
    const auto same = [&id](const item& value) { return value.call_id == id; };
    return !id.empty() && id.size() <= 64 && std::none_of(calls_.begin(), calls_.end(), same)
           && std::none_of(run_->view->items.begin(), run_->view->items.end(),
                           [&](const stored_item_ptr& stored) { return same(stored->value); });
  }

  void on_model_failed(const error& why) {
    // What was said cannot be unsaid: another model may only begin where nothing was.
    if (said_ == 0 && calls_.empty())
      return began(models_->ask_next(why));
    log(log_level::warning, "conversation.broke_off",
        {{"session", id_},
         {"response", run_->response},
         {"model", models_->model_name()},
         {"reason", why.reason}});
    parts_.count->add(counter::models_failed);
    models_->broke_off(why);
    // Calls of an answer that is not whole are not made.
    calls_.clear();
    end(said_ != 0 ? response_status::incomplete : response_status::failed,
        why.reason.empty() ? to_string(why.code) : why.reason, {});
  }

  void finish(const llm_done& done) {
    const auto usage = models_->finish(done);
    if (done.reason == "length" || done.reason == "content_filter") {
      calls_.clear();
      return end(response_status::incomplete,
                 done.reason == "length" ? "max_output_tokens" : "content_filter", usage);
    }
    end(response_status::completed, {}, usage);
  }

  void end(response_status status, const std::string& reason, token_usage usage) {
    self_->send(session_, answer_done{run_->response, run_->attempt, run_->item, status, reason,
                                      std::move(calls_), usage});
    forget();
  }

  void forget() {
    models_->drop();
    run_.reset();
    calls_.clear();
  }

  conversation_inner::pointer self_;
  node_parts parts_;
  session_actor session_;
  std::string id_;
  std::unique_ptr<model_line> models_;
  std::unique_ptr<tool_runner> tools_;
  std::optional<run_response> run_;
  clause_cutter cutter_;
  std::vector<item> calls_;
  std::uint32_t pieces_ = 0;
  /// Bytes of text so far.
  std::size_t said_ = 0;
  std::uint64_t run_number_ = 0;
  patience patience_;
};

conversation_inner::behavior_type
conversation_behavior(conversation_inner::stateful_pointer<conversation_state> self,
                      const node_parts& parts, const session_actor& session,
                      const std::string& id) {
  take_pulse(self, parts, "conversation", id);
  auto& s = self->state;
  s.start(parts, session, id);
  return {
    [&s](run_response& run) { s.on_run(std::move(run)); },
    [&s](const cancel_run& cancel) { s.on_cancel(cancel); },
    [&s](const run_call& call) { s.tools().start(call); },
    [&s](const cancel_call& cancel) { s.tools().cancel(cancel.call); },
    [&s](llm_piece& piece) { s.on_piece(std::move(piece)); },
    [&s](const tool_piece& piece) { s.tools().take(piece.what); },
    [&s](const check_silence& check) { s.on_silence(check); },
  };
}

} // namespace

runner_actor spawn_conversation(caf::actor_system& sys, const node_parts& parts,
                                const session_actor& session, const std::string& id) {
  return sys.spawn(conversation_behavior, parts, session, id);
}

} // namespace sidevoice
