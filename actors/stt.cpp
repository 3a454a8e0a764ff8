#include "actors/stt.hpp"

#include "actors/pulse.hpp"
#include "actors/speech_line.hpp"
#include "config/log.hpp"

#include <utility>

namespace sidevoice {

/// What an engine said, and which of the seat's streams.
struct stt_piece {
  std::uint64_t stream = 0;
  stt_event event;
};

} // namespace sidevoice

SIDEVOICE_LOCAL_MESSAGE(stt_piece)

namespace sidevoice {

namespace {

using stt_inner = stt_actor::extend<caf::reacts_to<stt_piece>>;

/// Owned by one stt actor; touched only inside its handlers.
class stt_state {
public:
  static inline const char* name = "stt";

  explicit stt_state(stt_inner::pointer self) : self_{self} {}

  void start(const node_parts& parts, const find_session& who, const session_actor& session,
             const start_voice& seat) {
    parts_ = parts;
    who_ = who;
    seat_ = seat;
    engines_ = hearing_engines(parts_, *who.app);
    self_->send(session, join_voice{seat.seat, stt_actor{stt_inner{self_}}});
    open_next(0);
  }

  void on_audio(const audio_actor& audio) {
    if (audio == audio_)
      return;
    // What was said to one that is gone is lost: all that is not settled is fed and heard again.
    if (std::exchange(audio_, audio))
      open_next(engine_);
    for (auto& text : std::exchange(untold_, {}))
      tell(std::move(text));
  }

  void on_overdue(const transcript_overdue& overdue) {
    parts_.count->add(counter::deadlines_passed);
    on_failed({overdue.utterance, {errc::unavailable, "no words in time", {}, "deadline"}});
  }

  void on_piece(stt_piece& piece) {
    if (piece.stream != stream_)
      return;
    if (auto* partial = std::get_if<stt_partial>(&piece.event)) {
      self_->send(seat_.holder, live_words{partial->utterance, partial->text});
      tell({partial->utterance, partial->text, false, false});
    } else if (auto* done = std::get_if<stt_final>(&piece.event)) {
      tell({done->utterance, done->text, true, false});
    } else {
      on_failed(std::get<stt_failed>(piece.event));
    }
  }

private:
  void tell(utterance_text text) {
    if (audio_)
      self_->send(audio_, std::move(text));
    else if (text.is_final)
      untold_.push_back(std::move(text));
  }

  void on_failed(const stt_failed& failed) {
    parts_.count->add(counter::hearing_failed);
    log(log_level::warning, "stt.failed",
        {{"session", who_.id},
         {"engine", engine_ < engines_.size() ? name_of(engines_[engine_]) : ""},
         {"reason", failed.why.reason},
         {"detail", failed.why.detail}});
    if (engine_ + 1 < engines_.size())
      return open_next(engine_ + 1);
    if (!failed.utterance.empty())
      return tell({failed.utterance, {}, true, true});
    // The whole stream broke and there is no other engine: begin again with the first. A restart
    // with backoff, and its limit, is the supervisor's.
    self_->quit(to_caf(failed.why));
  }

  void open_next(std::size_t first) {
    error why{errc::unavailable, "the app names no engine that can hear", {}, "no_engine"};
    for (engine_ = first; engine_ < engines_.size(); ++engine_) {
      const auto& choice = engines_[engine_];
      auto made = parts_.providers->make_stt(choice,
                                             speech_context(parts_, who_.app->id, choice.vendor));
      if (made) {
        const auto number = ++stream_;
        auto opened =
          (*made)->open({.app = who_.app->id, .language = spoken_language(*who_.app, who_.locale)},
                        [me = stt_inner{self_}, number](stt_event event) {
                          caf::anon_send(me, stt_piece{number, std::move(event)});
                        });
        if (opened) {
          provider_ = std::move(*made);
          self_->send(seat_.holder,
                      voice_feed{seat_.seat, std::shared_ptr<stt_stream>{std::move(*opened)}});
          return;
        }
        why = opened.error();
      } else {
        why = made.error();
      }
      log(log_level::warning, "stt.not_opened",
          {{"session", who_.id}, {"engine", name_of(choice)}, {"detail", why.detail}});
    }
    self_->quit(to_caf(why));
  }

  stt_inner::pointer self_;
  node_parts parts_;
  find_session who_;
  start_voice seat_;
  audio_actor audio_;
  /// Final words from before an audio was known, at most one for each utterance that is kept.
  std::vector<utterance_text> untold_;
  std::vector<model_choice> engines_;
  std::size_t engine_ = 0;
  /// Counts the streams that were opened; what older ones say is void.
  std::uint64_t stream_ = 0;
  std::unique_ptr<stt_provider> provider_;
};

stt_inner::behavior_type stt_behavior(stt_inner::stateful_pointer<stt_state> self,
                                      const node_parts& parts, const find_session& who,
                                      const session_actor& session, const start_voice& seat) {
  take_pulse(self, parts, "stt", who.id);
  auto& s = self->state;
  s.start(parts, who, session, seat);
  return {
    [&s](const audio_actor& audio) { s.on_audio(audio); },
    [&s](const transcript_overdue& overdue) { s.on_overdue(overdue); },
    [&s](stt_piece& piece) { s.on_piece(piece); },
  };
}

} // namespace

stt_actor spawn_stt(caf::actor_system& sys, const node_parts& parts, const find_session& who,
                    const session_actor& session, const start_voice& seat) {
  return sys.spawn(stt_behavior, parts, who, session, seat);
}

} // namespace sidevoice
