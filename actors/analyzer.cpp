#include "actors/analyzer.hpp"

#include "actors/calls.hpp"
#include "actors/model_line.hpp"
#include "actors/presentable.hpp"
#include "actors/prompt.hpp"
#include "actors/pulse.hpp"
#include "actors/tracer.hpp"
#include "config/log.hpp"

namespace sidevoice {

/// What the model of analysis `run` said.
struct analysis_piece {
  std::uint64_t run = 0;
  /// Which model of the app said it.
  std::size_t model = 0;
  llm_event event;
};

/// Analysis `run` has had its time.
struct analysis_deadline {
  std::uint64_t run = 0;
};

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(analysis_piece)
SIDEVOICE_LOCAL_MESSAGE(analysis_deadline)

namespace sidevoice {

namespace {

/// What an analysis got wrong is shown to its model once, and no more.
constexpr std::uint32_t corrections_max = 1;

/// Calls of one analysis; a model that makes more is not listened to.
constexpr std::size_t calls_max = 64;

/// A session that takes so long to say where it stands has visitors who wait, too.
constexpr std::chrono::milliseconds behind{200};
/// Then the analysis is made in any case.
constexpr std::uint32_t put_offs_max = 5;

using again_atom = caf::atom_constant<caf::atom("again")>;
using analyzer_inner =
  listener_actor::extend<caf::reacts_to<analysis_piece>, caf::reacts_to<analysis_deadline>,
                         caf::reacts_to<again_atom>>;

/// True when there is something that no analysis has read. Speech counts once it has words.
bool has_unread(const session_view& view) {
  return std::any_of(view.items.begin(), view.items.end(), [&](const stored_item_ptr& entry) {
    return entry->seq > view.analyzed_to && entry->value.kind == item_kind::message
           && entry->value.role == item_role::user && !entry->value.text.empty();
  });
}

/// Owned by one analyzer actor; touched only inside its handlers.
class analyzer_state {
public:
  static inline const char* name = "analyzer";

  explicit analyzer_state(analyzer_inner::pointer self) : self_{self} {}

  void start(const node_parts& parts, const session_actor& session, std::string id) {
    parts_ = parts;
    session_ = session;
    id_ = std::move(id);
    models_ = std::make_unique<model_line>(parts);
    const auto me = caf::actor_cast<listener_actor>(analyzer_inner{self_});
    self_->request(session_, parts_.timing.store_deadline, attach{me, 0, true, false})
      .then([this](const attached& state) { look_at(state); },
            [this](const caf::error& why) { self_->quit(why); });
  }

  void on_published(const published& batch) {
    const auto news = std::any_of(batch.events.begin(), batch.events.end(), [](const event_ptr& e) {
      if (const auto* words = std::get_if<input_transcribed>(&e->body))
        return !words->text.empty();
      const auto* put = std::get_if<item_put>(&e->body);
      return put != nullptr && put->value.kind == item_kind::message
             && put->value.role == item_role::user;
    });
    if (news) {
      retried_ = false;
      look();
    }
  }

  /// Asks for the newest state, unless an analysis runs: then the next one will.
  void look() {
    if (busy_) {
      more_ = true;
      return;
    }
    if (waits_)
      return;
    busy_ = true;
    self_->request(session_, parts_.timing.store_deadline, view_atom::value)
      .then(
        [this, asked_at = parts_.where->now()](const attached& state) {
          busy_ = false;
          if (parts_.where->now() - asked_at > behind && put_offs_ < put_offs_max)
            return put_off();
          put_offs_ = 0;
          look_at(state);
        },
        [this](const caf::error&) { busy_ = false; });
  }

  void on_piece(analysis_piece piece) {
    if (piece.run != run_ || !models_->is_asking() || piece.model != models_->model())
      return;
    if (auto* call = std::get_if<llm_call>(&piece.event))
      take_call(*call);
    else if (auto* text = std::get_if<llm_text>(&piece.event))
      models_->note(text->delta.size());
    else if (auto* done = std::get_if<llm_done>(&piece.event))
      propose(*done);
    else if (auto* failed = std::get_if<llm_failed>(&piece.event))
      ask_next(failed->why);
  }

  void on_deadline(const analysis_deadline& over) {
    if (over.run != run_ || !busy_)
      return;
    parts_.count->add(counter::deadlines_passed);
    on_failed({errc::unavailable, "the analysis took too long", {}, "analysis_deadline"});
  }

  void on_again() {
    waits_ = false;
    look();
  }

private:
  /// The node is behind with its messages: visitors are waiting for theirs, a checklist can wait.
  /// The next look sees everything that has come until then.
  void put_off() {
    parts_.count->add(counter::analyses_put_off);
    ++put_offs_;
    more_ = false;
    waits_ = true;
    self_->delayed_send(self_, parts_.timing.analysis_retry, again_atom::value);
  }

  void look_at(const attached& state) {
    const auto& view = *state.view;
    if (busy_ || !has_unread(view) || !view.ended.empty()
        || (state.app->topics.empty() && state.app->analyzer_tools.empty()))
      return;
    busy_ = true;
    more_ = false;
    app_ = state.app;
    corrections_ = 0;
    proposals_ = {.head_read = view.head};
    request_ = make_analyzer_prompt(app_, view, wall_ms(*parts_.where));
    begin_span(view);
    spent_ = view.spent;
    ask();
  }

  void begin_span(const session_view& view) {
    if (parts_.traces == nullptr)
      return;
    span_ = parts_.traces->begin({}, "analysis", span_kind::internal);
    span_.set("session.id", id_);
    span_.set("gen_ai.conversation.id", id_);
    span_.set("sidevoice.app", app_->id);
    span_.set("sidevoice.head_read", static_cast<std::int64_t>(view.head));
    request_.traceparent = span_.traceparent();
  }

  void ask() {
    ++run_;
    said_.clear();
    auto asked =
      models_->ask({.app = app_,
                    .choices = app_->analyzer_models,
                    .request = request_,
                    .session = id_,
                    .session_spent = spent_},
                   [me = analyzer_inner{self_}, run = run_](std::size_t model, llm_event event) {
                     caf::anon_send(me, analysis_piece{run, model, std::move(event)});
                   });
    if (!asked)
      return on_failed(asked.error());
    self_->delayed_send(self_, parts_.timing.analysis, analysis_deadline{run_});
  }

  void ask_next(const error& why) {
    // The next model begins from nothing.
    said_.clear();
    if (auto asked = models_->ask_next(why); !asked)
      on_failed(asked.error());
  }

  void take_call(const llm_call& call) {
    models_->note(call.arguments.size() + call.name.size());
    if (said_.size() < calls_max)
      said_.push_back(call);
    else
      parts_.count->add(counter::calls_refused);
  }

  /// The calls as proposals. What cannot be read is kept with its fault, for the model.
  void read_calls() {
    proposals_.topics.clear();
    proposals_.calls.clear();
    faults_.clear();
    for (const auto& call : said_) {
      if (call.name != "update_topic") {
        proposals_.calls.push_back({parts_.ids->make("call_"), call.name, call.arguments});
        continue;
      }
      auto proposal = read_update_topic(call.arguments);
      if (proposal) {
        proposals_.topics.push_back(std::move(*proposal));
        continue;
      }
      parts_.count->add(counter::calls_refused);
      faults_.push_back(proposal.error().detail);
    }
  }

  void propose(const llm_done& done) {
    const auto usage = models_->finish(done);
    proposals_.usage.input += usage.input;
    proposals_.usage.output += usage.output;
    proposals_.usage.cached += usage.cached;
    proposals_.usage.cost += usage.cost;
    spent_ += usage.cost;
    read_calls();
    self_->request(session_, parts_.timing.store_deadline, proposals_)
      .then([this](const analysis_taken& taken) { on_taken(taken); },
            [this](const caf::error& why) { on_failed(from_caf(why)); });
  }

  void on_taken(const analysis_taken& taken) {
    parts_.count->add(counter::analyses_done);
    auto faults = faults_;
    faults.insert(faults.end(), taken.refused.begin(), taken.refused.end());
    // How many, not why: the sentences quote what the model wrote, and so perhaps the visitor.
    if (!faults.empty())
      log(log_level::info, "analyzer.refused",
          {{"session", id_}, {"calls", std::to_string(faults.size())}});
    span_.set("sidevoice.calls_refused", static_cast<std::int64_t>(faults.size()));
    // What has come meanwhile is worth more than a correction.
    if (faults.empty() || more_ || corrections_ >= corrections_max || !can_be_corrected())
      return next();
    ++corrections_;
    proposals_.usage = {};
    show(faults);
    ask();
  }

  /// The rules do not read what they are told about their calls.
  [[nodiscard]] bool can_be_corrected() const {
    return models_->model() < app_->analyzer_models.size()
           && app_->analyzer_models[models_->model()].vendor != "rules";
  }

  /// The model reads its own calls, and what was wrong with them.
  void show(const std::vector<std::string>& faults) {
    std::string text = "Some of these calls were refused:";
    for (const auto& why : faults)
      text += "\n- " + presentable(why, 1000);
    text += "\nMake only those again, mended. The others are done.";
    for (const auto& call : said_) {
      const auto id = parts_.ids->make("call_");
      request_.history.push_back({llm_role::function_call, {}, call.arguments, id, call.name});
      request_.history.push_back({llm_role::function_call_output, {}, text, id, call.name});
    }
  }

  void on_failed(const error& why) {
    models_->drop();
    parts_.count->add(counter::analyses_failed);
    span_.end(why.reason.empty() ? to_string(why.code) : why.reason);
    log(log_level::warning, "analyzer.failed",
        {{"session", id_}, {"error", to_string(why.code)}, {"detail", why.detail}});
    ++run_;
    // One retry; after that the next input carries what was not read.
    if (!std::exchange(retried_, true))
      self_->delayed_send(self_, parts_.timing.analysis_retry, again_atom::value);
    next();
  }

  void next() {
    span_.end();
    busy_ = false;
    request_ = {};
    said_.clear();
    if (std::exchange(more_, false))
      look();
  }

  analyzer_inner::pointer self_;
  node_parts parts_;
  app_ptr app_;
  session_actor session_;
  std::string id_;
  std::unique_ptr<model_line> models_;
  llm_request request_;
  std::uint64_t spent_ = 0;
  live_span span_;
  /// The calls of the running model, as it made them.
  std::vector<llm_call> said_;
  std::vector<std::string> faults_;
  std::uint32_t corrections_ = 0;
  propose_topics proposals_;
  std::uint64_t run_ = 0;
  /// An analysis, or the question for the state, is under way.
  bool busy_ = false;
  bool more_ = false;
  bool retried_ = false;
  /// An analysis was put off, and how many in a row.
  bool waits_ = false;
  std::uint32_t put_offs_ = 0;
};

analyzer_inner::behavior_type
analyzer_behavior(analyzer_inner::stateful_pointer<analyzer_state> self, const node_parts& parts,
                  const session_actor& session, const std::string& id) {
  take_pulse(self, parts, "analyzer", id);
  auto& s = self->state;
  s.start(parts, session, id);
  return {
    [&s](const published& batch) { s.on_published(batch); },
    [](const answer_delta&) {},
    [](const notice&) {},
    [](const move_away&) {},
    // It offers no tools.
    [](const tool_call&) {},
    [](const tool_cancelled&) {},
    [&s](analysis_piece& piece) { s.on_piece(std::move(piece)); },
    [&s](const analysis_deadline& over) { s.on_deadline(over); },
    [&s](again_atom) { s.on_again(); },
  };
}

} // namespace

listener_actor spawn_analyzer(caf::actor_system& sys, const node_parts& parts,
                              const session_actor& session, const std::string& id) {
  return sys.spawn(analyzer_behavior, parts, session, id);
}

} // namespace sidevoice
