#include "actors/analyzer.hpp"

#include "actors/prompt.hpp"
#include "config/log.hpp"

namespace sidevoice {

/// What the model of analysis `run` said.
struct analysis_piece {
  std::uint64_t run = 0;
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

using again_atom = caf::atom_constant<caf::atom("again")>;
using analyzer_inner =
  listener_actor::extend<caf::reacts_to<analysis_piece>, caf::reacts_to<analysis_deadline>,
                         caf::reacts_to<again_atom>>;

/// True when there is something that no analysis has read.
bool has_unread(const session_view& view) {
  return std::any_of(view.items.begin(), view.items.end(), [&](const stored_item_ptr& entry) {
    return entry->seq > view.analyzed_to && entry->value.kind == item_kind::message
           && entry->value.role == item_role::user;
  });
}

/// Owned by one analyzer actor; touched only inside its handlers.
class analyzer_state {
public:
  static inline const char* name = "analyzer";

  explicit analyzer_state(analyzer_inner::pointer self) : self_{self} {}

  void start(const node_parts& parts, const app_ptr& app, const session_actor& session) {
    parts_ = parts;
    app_ = app;
    session_ = session;
    const auto me = caf::actor_cast<listener_actor>(analyzer_inner{self_});
    self_->request(session_, parts_.timing.store_deadline, attach{me, 0, true, false})
      .then([this](const attached& state) { look_at(state.view); },
            [this](const caf::error& why) { self_->quit(why); });
  }

  void on_published(const published& batch) {
    const auto news = std::any_of(batch.events.begin(), batch.events.end(), [](const event_ptr& e) {
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
    busy_ = true;
    self_->request(session_, parts_.timing.store_deadline, view_atom::value)
      .then(
        [this](const attached& state) {
          busy_ = false;
          look_at(state.view);
        },
        [this](const caf::error&) { busy_ = false; });
  }

  void on_piece(analysis_piece piece) {
    if (piece.run != run_ || !stream_)
      return;
    if (auto* call = std::get_if<llm_call>(&piece.event))
      take_call(*call);
    else if (std::holds_alternative<llm_done>(piece.event))
      propose();
    else if (auto* failed = std::get_if<llm_failed>(&piece.event))
      on_failed(failed->why);
  }

  void on_deadline(const analysis_deadline& over) {
    if (over.run != run_ || !busy_)
      return;
    parts_.count->add(counter::deadlines_passed);
    on_failed({errc::unavailable, "the analysis took too long", {}, "analysis_deadline"});
  }

private:
  void look_at(const view_ptr& view) {
    if (busy_ || !has_unread(*view) || app_->topics.empty() || !view->ended.empty())
      return;
    busy_ = true;
    more_ = false;
    ++run_;
    proposals_ = {view->head, {}};
    error why{errc::unavailable, "the app names no model for the analyzer", {}, "no_model"};
    for (const auto& choice : app_->analyzer_models) {
      auto provider = parts_.providers->make_llm(choice,
                                                 {*parts_.where, *parts_.ids, *parts_.count});
      if (!provider) {
        why = provider.error();
        continue;
      }
      auto opened = (*provider)->open(make_analyzer_prompt(app_, *view, wall_ms(*parts_.where)),
                                      [me = analyzer_inner{self_}, run = run_](llm_event event) {
                                        caf::anon_send(me, analysis_piece{run, std::move(event)});
                                      });
      if (opened) {
        provider_ = std::move(*provider);
        stream_ = std::move(*opened);
        self_->delayed_send(self_, parts_.timing.analysis, analysis_deadline{run_});
        return;
      }
      why = opened.error();
    }
    on_failed(why);
  }

  void take_call(const llm_call& call) {
    if (call.name != "update_topic") {
      log(log_level::warning, "analyzer.unknown_tool", {{"tool", call.name}});
      return;
    }
    auto proposal = read_update_topic(call.arguments);
    if (proposal)
      proposals_.topics.push_back(std::move(*proposal));
    else
      log(log_level::warning, "analyzer.bad_call", {{"detail", proposal.error().detail}});
  }

  void propose() {
    stream_.reset();
    self_->request(session_, parts_.timing.store_deadline, proposals_)
      .then(
        [this](const analysis_taken& taken) {
          parts_.count->add(counter::analyses_done);
          for (const auto& why : taken.refused)
            log(log_level::info, "analyzer.refused", {{"detail", why}});
          next();
        },
        [this](const caf::error& why) { on_failed(from_caf(why)); });
  }

  void on_failed(const error& why) {
    stream_.reset();
    parts_.count->add(counter::analyses_failed);
    log(log_level::warning, "analyzer.failed",
        {{"error", to_string(why.code)}, {"detail", why.detail}});
    ++run_;
    // One retry; after that the next input carries what was not read.
    if (!std::exchange(retried_, true))
      self_->delayed_send(self_, parts_.timing.analysis_retry, again_atom::value);
    next();
  }

  void next() {
    busy_ = false;
    if (std::exchange(more_, false))
      look();
  }

  analyzer_inner::pointer self_;
  node_parts parts_;
  app_ptr app_;
  session_actor session_;
  std::unique_ptr<llm_provider> provider_;
  std::unique_ptr<llm_stream> stream_;
  propose_topics proposals_;
  std::uint64_t run_ = 0;
  /// An analysis, or the question for the state, is under way.
  bool busy_ = false;
  bool more_ = false;
  bool retried_ = false;
};

analyzer_inner::behavior_type
analyzer_behavior(analyzer_inner::stateful_pointer<analyzer_state> self, const node_parts& parts,
                  const app_ptr& app, const session_actor& session) {
  auto& s = self->state;
  s.start(parts, app, session);
  return {
    [&s](const published& batch) { s.on_published(batch); },
    [](const answer_delta&) {},
    [](const notice&) {},
    [&s](analysis_piece& piece) { s.on_piece(std::move(piece)); },
    [&s](const analysis_deadline& over) { s.on_deadline(over); },
    [&s](again_atom) { s.look(); },
  };
}

} // namespace

listener_actor spawn_analyzer(caf::actor_system& sys, const node_parts& parts, const app_ptr& app,
                              const session_actor& session) {
  return sys.spawn(analyzer_behavior, parts, app, session);
}

} // namespace sidevoice
