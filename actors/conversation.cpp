#include "actors/conversation.hpp"

#include "actors/clauses.hpp"
#include "actors/prompt.hpp"
#include "config/log.hpp"

namespace sidevoice {

/// What a model's stream said, with the run it belongs to.
struct llm_piece {
  std::uint64_t run = 0;
  /// Which model of the app said it.
  std::size_t model = 0;
  llm_event event;
};

/// Time to look whether the model of this run has gone silent.
struct check_silence {
  std::uint64_t run = 0;
};

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(llm_piece)
SIDEVOICE_LOCAL_MESSAGE(check_silence)

namespace sidevoice {

namespace {

using conversation_inner =
  runner_actor::extend<caf::reacts_to<llm_piece>, caf::reacts_to<check_silence>>;

/// Owned by one conversation actor; touched only inside its handlers.
class conversation_state {
public:
  static inline const char* name = "conversation";

  explicit conversation_state(conversation_inner::pointer self) : self_{self} {}

  void start(const node_parts& parts, const app_ptr& app, const session_actor& session) {
    parts_ = parts;
    app_ = app;
    session_ = session;
    self_->send(session_, join_runner{caf::actor_cast<runner_actor>(conversation_inner{self_})});
  }

  void on_run(run_response run) {
    run_ = std::move(run);
    ++run_number_;
    model_ = 0;
    pieces_ = 0;
    said_ = false;
    calls_.clear();
    cutter_ = {};
    ask();
  }

  void on_cancel(const cancel_run& cancel) {
    if (run_ && run_->item == cancel.item)
      forget();
  }

  void on_piece(llm_piece piece) {
    if (!run_ || piece.run != run_number_ || piece.model != model_) {
      parts_.count->add(counter::ephemeral_dropped);
      return;
    }
    patience_until_ = parts_.where->now() + parts_.timing.stall;
    if (auto* text = std::get_if<llm_text>(&piece.event))
      say(text->delta);
    else if (auto* call = std::get_if<llm_call>(&piece.event))
      calls_.push_back(
        {.id = parts_.ids->make("item_"),
         .kind = item_kind::function_call,
         .call_id = call->call_id.empty() ? parts_.ids->make("call_") : call->call_id,
         .name = call->name,
         .arguments = call->arguments,
         .response = run_->response});
    else if (auto* done = std::get_if<llm_done>(&piece.event))
      finish(*done);
    else
      on_model_failed(std::get<llm_failed>(piece.event).why);
  }

  void on_silence(const check_silence& check) {
    if (!run_ || check.run != run_number_)
      return;
    if (const auto left = patience_until_ - parts_.where->now(); left > left.zero())
      return watch(left);
    parts_.count->add(counter::deadlines_passed);
    on_model_failed(
      {errc::unavailable, "the model said nothing in time", {}, said_ ? "stall" : "first_token"});
  }

private:
  void ask() {
    const auto& options = run_->options ? *run_->options : response_options{};
    error why{errc::unavailable, "the app names no model for the conversation", {}, "no_model"};
    for (; model_ < app_->conversation_models.size(); ++model_) {
      auto opened = open_model(options);
      if (opened) {
        stream_ = std::move(*opened);
        patience_until_ = parts_.where->now() + parts_.timing.first_token;
        return watch(parts_.timing.first_token);
      }
      why = opened.error();
      log_failure(why);
    }
    end(response_status::failed, why.reason.empty() ? to_string(why.code) : why.reason, {});
  }

  result<std::unique_ptr<llm_stream>> open_model(const response_options& options) {
    if (providers_.size() <= model_)
      providers_.resize(app_->conversation_models.size());
    auto& provider = providers_[model_];
    if (!provider) {
      auto made = parts_.providers->make_llm(app_->conversation_models[model_],
                                             {*parts_.where, *parts_.ids, *parts_.count});
      if (!made)
        return made.error();
      provider = std::move(*made);
    }
    return provider->open(
      make_conversation_prompt(app_, *run_->view, options, wall_ms(*parts_.where)),
      [me = conversation_inner{self_}, run = run_number_, model = model_](llm_event event) {
        caf::anon_send(me, llm_piece{run, model, std::move(event)});
      });
  }

  /// One timer watches a run: it looks when the model spoke last, and sleeps for the rest.
  void watch(loop::clock::duration left) {
    self_->delayed_send(self_, std::chrono::ceil<std::chrono::milliseconds>(left),
                        check_silence{run_number_});
  }

  void say(const std::string& text) {
    for (auto& piece : cutter_.add(text)) {
      said_ = true;
      self_->send(session_, answer_delta{run_->response, run_->attempt, run_->item, ++pieces_,
                                         piece.clause, std::move(piece.text)});
    }
  }

  void on_model_failed(const error& why) {
    log_failure(why);
    stream_.reset();
    // What was said cannot be unsaid: another model may only begin where nothing was.
    if (!said_ && calls_.empty() && model_ + 1 < app_->conversation_models.size()) {
      ++model_;
      return ask();
    }
    end(said_ ? response_status::incomplete : response_status::failed,
        why.reason.empty() ? to_string(why.code) : why.reason, {});
  }

  void finish(const llm_done& done) {
    const token_usage usage{done.input_tokens, done.output_tokens};
    if (done.reason == "length")
      return end(response_status::incomplete, "max_output_tokens", usage);
    if (done.reason == "content_filter")
      return end(response_status::incomplete, "content_filter", usage);
    end(response_status::completed, {}, usage);
  }

  void end(response_status status, const std::string& reason, token_usage usage) {
    self_->send(session_, answer_done{run_->response, run_->attempt, run_->item, status, reason,
                                      std::move(calls_), usage});
    forget();
  }

  void forget() {
    stream_.reset();
    run_.reset();
    calls_.clear();
  }

  void log_failure(const error& why) {
    log(log_level::warning, "conversation.model_failed",
        {{"model", app_->conversation_models.at(model_).vendor},
         {"error", to_string(why.code)},
         {"detail", why.detail},
         {"response", run_->response}});
  }

  conversation_inner::pointer self_;
  node_parts parts_;
  app_ptr app_;
  session_actor session_;
  std::vector<std::unique_ptr<llm_provider>> providers_;
  std::optional<run_response> run_;
  std::unique_ptr<llm_stream> stream_;
  std::size_t model_ = 0;
  clause_cutter cutter_;
  std::vector<item> calls_;
  std::uint32_t pieces_ = 0;
  bool said_ = false;
  std::uint64_t run_number_ = 0;
  loop::clock::time_point patience_until_;
};

conversation_inner::behavior_type
conversation_behavior(conversation_inner::stateful_pointer<conversation_state> self,
                      const node_parts& parts, const app_ptr& app, const session_actor& session) {
  auto& s = self->state;
  s.start(parts, app, session);
  return {
    [&s](run_response& run) { s.on_run(std::move(run)); },
    [&s](const cancel_run& cancel) { s.on_cancel(cancel); },
    [&s](llm_piece& piece) { s.on_piece(std::move(piece)); },
    [&s](const check_silence& check) { s.on_silence(check); },
  };
}

} // namespace

runner_actor spawn_conversation(caf::actor_system& sys, const node_parts& parts, const app_ptr& app,
                                const session_actor& session) {
  return sys.spawn(conversation_behavior, parts, app, session);
}

} // namespace sidevoice
