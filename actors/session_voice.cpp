#include "actors/session_state.hpp"
#include "actors/speech_line.hpp"
#include "config/fault_point.hpp"
#include "config/log.hpp"

#include <algorithm>

/// The voice seat of the session: who holds it and what was said there.
namespace sidevoice {

// -- the seat

std::string session_state::language() const {
  return spoken_language(*who_.app, ahead().about.locale);
}

caf::typed_response_promise<seat_taken> session_state::on_take_seat(const take_seat& request) {
  auto answer = self_->make_response_promise<seat_taken>();
  const auto refuse = [&](const error& why) {
    log(log_level::info, "seat.refused",
        {{"session", who_.id}, {"reason", why.reason}, {"detail", why.detail}});
    answer.deliver(to_caf(why));
    return answer;
  };
  if (!ahead().ended.empty())
    return refuse({errc::not_found, "this session has ended; open a new one", {}, "session_ended"});
  if (auto able = can_hear(parts_, *who_.app, language()); !able)
    return refuse(able.error());
  auto terms = request.terms;
  if (terms.speaks && !can_speak(parts_, *who_.app, language()))
    terms.speaks = false;
  auto ticket = seat_ ? std::move(seat_->ticket) : seat_register::ticket{};
  if (!ticket && parts_.seats != nullptr) {
    ticket = parts_.seats->take(who_.app->id, parts_.live_of(who_.app->id)->limits.voice_sessions);
    if (!ticket)
      return refuse({errc::overloaded,
                     "all voice places of this app are taken; type, or try again later",
                     {},
                     "voice_sessions"});
  }
  if (seat_ && seat_->holder != request.who)
    self_->send(seat_->holder, seat_lost{seat_->number, "taken"});
  const auto before = seat_ ? seat_->number : 0;
  seat_ = voice_seat{.number = ++seats_,
                     .holder = request.who,
                     .terms = std::move(terms),
                     .audio = {},
                     .stt = {},
                     .tts = {},
                     .ticket = std::move(ticket)};
  // What begins from here on is the new seat's.
  if (before != 0)
    end_voice(before);
  self_->monitor(request.who);
  parts_.count->add(counter::voice_seats_taken);
  fault_point("seat.taken");
  log(log_level::info, "seat.taken",
      {{"session", who_.id}, {"seat", std::to_string(seat_->number)}});
  if (keeper_)
    self_->send(keeper_, start_voice{seat_->number, seat_->holder, seat_->terms});
  answer.deliver(seat_taken{seat_->number});
  return answer;
}

void session_state::on_change_seat(const change_seat& change) {
  if (!seat_ || seat_->number != change.seat)
    return;
  seat_->terms = change.terms;
  if (seat_->terms.speaks && !can_speak(parts_, *who_.app, language()))
    seat_->terms.speaks = false;
  const change_seat now{change.seat, seat_->terms};
  if (seat_->audio)
    self_->send(seat_->audio, now);
  if (seat_->tts)
    self_->send(seat_->tts, now);
}

void session_state::on_leave_seat(const leave_seat& leave) {
  if (!seat_ || seat_->number != leave.seat)
    return;
  lose_seat();
}

/// The voice actors go; an answer that was being spoken ends as text.
void session_state::end_voice(std::uint64_t seat) {
  if (keeper_)
    self_->send(keeper_, stop_voice{seat});
  spoken_item_.clear();
  playing_ = {};
  if (speaking_)
    complete_answer(std::nullopt);
}

void session_state::lose_seat() {
  parts_.count->add(counter::voice_seats_lost);
  log(log_level::info, "seat.left",
      {{"session", who_.id}, {"seat", std::to_string(seat_->number)}});
  const auto before = seat_->number;
  seat_.reset();
  end_voice(before);
}

namespace {

/// As `newest_runner_`: a voice actor that was given up and comes back late.
template <class Actor>
bool is_outdated(const Actor& fresh, const Actor& known) {
  return known && fresh.id() < known.id();
}

} // namespace

void session_state::on_join_voice(const join_voice& join) {
  if (!seat_ || join.seat != seat_->number)
    return;
  const auto& seat = *seat_;
  if (const auto* audio = std::get_if<audio_actor>(&join.who);
      audio != nullptr && is_outdated(*audio, seat.audio))
    return;
  if (const auto* stt = std::get_if<stt_actor>(&join.who);
      stt != nullptr && is_outdated(*stt, seat.stt))
    return;
  if (const auto* tts = std::get_if<tts_actor>(&join.who);
      tts != nullptr && is_outdated(*tts, seat.tts))
    return;
  if (const auto* audio = std::get_if<audio_actor>(&join.who))
    seat_->audio = *audio;
  else if (const auto* stt = std::get_if<stt_actor>(&join.who))
    seat_->stt = *stt;
  else if (const auto* tts = std::get_if<tts_actor>(&join.who)) {
    const auto first = !seat_->tts;
    seat_->tts = *tts;
    if (first)
      speak_greeting();
    if (!spoken_item_.empty() && gate_.is_open()) {
      self_->send(*tts, speech_open{gate_.response(), gate_.attempt(), gate_.item(), true});
      if (speaking_ && text_told_)
        self_->send(*tts,
                    text_complete{gate_.response(), gate_.attempt(), gate_.item(), gate_.heard()});
    }
  }
  if (seat_->audio && seat_->tts)
    self_->send(seat_->holder, voice_team{seat_->number, seat_->audio, seat_->tts});
  // In this order: the holder tells a new audio of all speech before stt hears it once more.
  if (seat_->stt && seat_->audio)
    self_->send(seat_->stt, seat_->audio);
}

/// Whoever comes to talk hears the greeting, as long as nothing else has been said.
void session_state::speak_greeting() {
  const auto& items = ahead().items;
  if (seats_ != 1 || !seat_->terms.speaks || items.size() != 1)
    return;
  const auto& greeting = items.front()->value;
  if (greeting.role == item_role::assistant && greeting.kind == item_kind::message)
    self_->send(seat_->tts, say_filler{greeting.id, greeting.text});
}

void session_state::on_overdue(const transcript_overdue& overdue) {
  if (seat_ && seat_->stt)
    self_->send(seat_->stt, overdue);
}

void session_state::on_filler(const say_filler& filler) {
  tell_all(notice{"dead_air", "info", filler.text});
  if (seat_ && seat_->tts)
    self_->send(seat_->tts, filler);
}

// -- what is said

namespace {

/// Most of the shorter one lies in the other: the same words, heard again after a break. Their
/// edges may stand a little elsewhere, and then touch those of the next sentence.
bool are_same_speech(sound_range a, sound_range b) {
  const auto length = [](sound_range one) { return one.to_ms - std::min(one.from_ms, one.to_ms); };
  const sound_range both{std::max(a.from_ms, b.from_ms), std::min(a.to_ms, b.to_ms)};
  return length(both) * 2 > std::min(length(a), length(b));
}

} // namespace

caf::typed_response_promise<speech_committed>
session_state::on_commit_speech(const commit_speech& speech) {
  auto answer = self_->make_response_promise<speech_committed>();
  const auto& view = ahead();
  speech_committed as{speech.item, false};
  const auto same =
    std::find_if(view.open_speech.begin(), view.open_speech.end(), [&](const speech_state& open) {
      return open.item == speech.item
             || (open.stream == speech.stream
                 && are_same_speech({open.from_ms, open.to_ms}, {speech.from_ms, speech.to_ms}));
    });
  if (same != view.open_speech.end()) {
    as.item = same->item;
    // Its sound is here again, and its words are on their way.
    speech_due_.erase(same->item);
    wait_for_words(same->item);
  } else if (const auto* dealt = view.find_stream(speech.stream);
             view.find_item(speech.item) != nullptr || view.removed.contains(speech.item)
             || (dealt != nullptr && dealt->has_heard({speech.from_ms, speech.to_ms}))) {
    as.known = true;
  } else if (!view.ended.empty()) {
    answer.deliver(
      to_caf({errc::not_found, "this session has ended; open a new one", {}, "session_ended"}));
    return answer;
  } else {
    parts_.count->add(counter::inputs_accepted);
    wait_for_words(speech.item);
    write({input_speech{next_rank(view), speech.item, speech.stream, speech.from_ms, speech.to_ms}},
          [answer, as](const error* why) mutable {
            if (why != nullptr)
              answer.deliver(to_caf(*why));
            else {
              fault_point("speech.journaled");
              answer.deliver(as);
            }
          });
    return answer;
  }
  parts_.count->add(counter::inputs_repeated);
  await(view.head, [this, answer, as](const error* why) mutable {
    if (why != nullptr)
      answer.deliver(to_caf(*why));
    else if (!as.known && ahead().find_speech(as.item) == nullptr)
      // Whoever asks has been told so before, and could not know that it was about this.
      answer.deliver(
        to_caf({errc::conflict, "its words came meanwhile; ask again", "item", "speech_settled"}));
    else
      answer.deliver(as);
  });
  return answer;
}

session_state::promise session_state::on_transcript(const put_transcript& words) {
  const auto& view = ahead();
  if (view.find_speech(words.item) == nullptr) {
    if (view.find_item(words.item) != nullptr || view.removed.contains(words.item))
      return repeat(view.head);
    return refuse({errc::not_found, "there is no speech " + words.item, "item", "speech_unknown"});
  }
  note_playing(words.playing);
  auto answered = words.answer && view.ended.empty();
  if (answered)
    if (auto why = over_limit()) {
      // What was said stays said; only its answer has to wait.
      tell_all(notice{"limit", "warning", why->detail});
      answered = false;
    }
  std::vector<event_body> events;
  // Where speech may not interrupt, its answer comes behind the running one.
  if (answered && (!seat_ || seat_->terms.turns.interrupt_response)) {
    interrupt("turn_detected", events);
    drop_calls(events);
  }
  events.emplace_back(input_transcribed{words.item, words.text, words.reason});
  if (words.reason == "nothing")
    events.emplace_back(item_removed{words.item});
  log_->push(std::move(events), wall_ms(*parts_.where));
  fault_point("transcript.known");
  events.clear();
  // A client may have asked for it already, before the words were there.
  if (answered && ahead().answered_to < ahead().head) {
    if (seat_)
      options_[words.response] = seat_->terms.options;
    events.emplace_back(response_requested{words.response, ahead().unanswered()});
  }
  return accept(std::move(events));
}

session_state::promise session_state::on_prompt(const request_prompt& prompt) {
  const auto& view = ahead();
  if (view.find_response(prompt.response) != nullptr)
    return repeat(view.head);
  if (!view.ended.empty() || !view.open_responses.empty() || !view.open_speech.empty())
    return refuse({errc::conflict, "the conversation is busy", {}, "response_active"});
  if (seat_)
    options_[prompt.response] = seat_->terms.options;
  return accept(
    {response_requested{prompt.response, {prompt.say.empty() ? prompt.response : "idle"}}});
}

/// What is said without asking a model: a prompt to a silent visitor, or that nothing was
/// understood.
std::string session_state::fixed_words(const response_state& response) const {
  if (response.cause == std::vector<std::string>{"idle"})
    return who_.app->voice.visitor_silent ? who_.app->voice.visitor_silent->say : std::string{};
  const auto not_understood = [&](const std::string& id) {
    const auto* cause = ahead().find_item(id);
    return cause != nullptr && cause->value.spoken && cause->value.role == item_role::user
           && cause->value.text.empty() && cause->value.status == item_status::incomplete;
  };
  if (!response.cause.empty()
      && std::all_of(response.cause.begin(), response.cause.end(), not_understood))
    return "Sorry, I did not catch that. Could you say it again?";
  return {};
}

/// Whoever has the seat may die with its sound: then the words are given up, and the agent asks.
void session_state::wait_for_words(const std::string& item) {
  const auto due = parts_.where->now() + parts_.timing.speech;
  speech_due_.emplace(item, due);
  if (!std::exchange(speech_watched_, true))
    self_->delayed_send(self_, parts_.timing.speech, speech_deadline{});
}

void session_state::on_speech_deadline() {
  speech_watched_ = false;
  const auto now = parts_.where->now();
  std::erase_if(speech_due_,
                [&](const auto& entry) { return ahead().find_speech(entry.first) == nullptr; });
  std::vector<event_body> events;
  std::optional<loop::clock::time_point> next;
  for (auto& [item, due] : speech_due_) {
    if (due > now) {
      next = next ? std::min(*next, due) : due;
      continue;
    }
    parts_.count->add(counter::speech_lost);
    parts_.count->add(counter::deadlines_passed);
    log(log_level::warning, "speech.lost", {{"session", who_.id}, {"item", item}});
    events.emplace_back(input_transcribed{item, {}, "lost"});
    due = now + parts_.timing.speech;
    next = next ? std::min(*next, due) : due;
  }
  if (next) {
    speech_watched_ = true;
    self_->delayed_send(self_, std::chrono::ceil<std::chrono::milliseconds>(*next - now),
                        speech_deadline{});
  }
  if (events.empty())
    return;
  log_->push(std::move(events), wall_ms(*parts_.where));
  events.clear();
  // Whoever asked for an answer to it before gets that one.
  if (auto cause = ahead().unanswered(); ahead().ended.empty() && !cause.empty())
    events.emplace_back(response_requested{parts_.ids->make("resp_"), std::move(cause)});
  write(std::move(events), nullptr);
}

} // namespace sidevoice
