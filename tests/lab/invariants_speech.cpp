#include "tests/lab/world.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

/// What is said is heard once, and answered.
namespace sidevoice::lab {

namespace {

/// Two pieces of a microphone's stream have most of the shorter one in common.
bool is_most_of(const input_speech& a, const input_speech& b) {
  const auto from = std::max(a.from_ms, b.from_ms);
  const auto to = std::min(a.to_ms, b.to_ms);
  return a.stream == b.stream && from < to
         && (to - from) * 2 > std::min(a.to_ms - a.from_ms, b.to_ms - b.from_ms);
}

} // namespace

void world::check_speech(const std::string& session, const std::vector<event_ptr>& events,
                         const session_view& view) {
  std::map<std::string, std::string> heard;
  std::map<std::string, int> said;
  std::set<std::string> asked;
  std::set<std::string> spoken;
  std::vector<input_speech> failed;
  std::map<std::string, input_speech> open;
  std::set<std::string> awaited;
  // Who hangs gives its answers late, and words are not waited for without end.
  const auto may_be_slow =
    plan_.served != nullptr
    || std::any_of(plan_.faults.begin(), plan_.faults.end(), [](const planned_fault& fault) {
         return fault.what.starts_with("hang ") && fault.ms > 1'000;
       });
  // Who hangs for as long as words are waited for loses them, and the visitor is asked again.
  const auto hearing_hung =
    plan_.served != nullptr
    || std::any_of(plan_.faults.begin(), plan_.faults.end(), [](const planned_fault& fault) {
         return fault.what.starts_with("hang ") && fault.ms > 5'000;
       });
  for (const auto& e : events) {
    if (const auto* speech = std::get_if<input_speech>(&e->body)) {
      if (!spoken.insert(speech->item).second)
        violated(session + ": the speech " + speech->item + " was taken twice");
      for (const auto& item : awaited)
        if (is_most_of(open[item], *speech))
          violated(session + ": " + speech->item + " is the speech of " + item
                   + ", of which the words are awaited");
      open[speech->item] = *speech;
      awaited.insert(speech->item);
    } else if (const auto* words = std::get_if<input_transcribed>(&e->body)) {
      if (heard.contains(words->item))
        violated(session + ": the speech " + words->item + " was transcribed twice");
      heard[words->item] = words->text;
      awaited.erase(words->item);
      if (words->reason == "failed" || (words->reason == "lost" && hearing_hung))
        failed.push_back(open[words->item]);
      ++said[words->text];
      ++out_.faults["speech: " + (words->reason.empty() ? "words" : words->reason)];
      if (words->reason == "failed" && voice_.unheard == 0 && !may_be_slow)
        violated(session + ": nobody heard " + words->item + ", and no engine has failed");
    } else if (const auto* request = std::get_if<response_requested>(&e->body)) {
      asked.insert(request->cause.begin(), request->cause.end());
    }
  }
  if (!view.open_speech.empty())
    violated(session + ": the words of " + view.open_speech.front().item + " never came");
  for (const auto& [text, count] : said)
    if (text.starts_with("said ") && count > 1)
      violated(session + ": \"" + text + "\" was heard " + std::to_string(count) + " times");
  for (const auto& [item, text] : heard)
    if (text.starts_with("said ") && !asked.contains(item) && view.ended.empty()
        && !view.removed.contains(item))
      violated(session + ": nobody answers what was said, " + text);
  for (const auto& who : patrons_) {
    auto* mic = who.session == session ? who.client->microphone() : nullptr;
    if (mic == nullptr)
      continue;
    for (const auto& sentence : mic->dealt_with()) {
      const auto text = "said " + std::to_string(sentence.number);
      // Every engine failed at it: the visitor was asked to say it again.
      const auto excused = std::any_of(failed.begin(), failed.end(), [&](const auto& speech) {
        return speech.stream == sentence.stream && speech.from_ms < sentence.to_ms
               && speech.to_ms > sentence.from_ms;
      });
      if (said[text] != 1 && !excused && view.ended.empty())
        violated(who.client->name() + " had \"" + text + "\" (" + sentence.stream + " "
                 + std::to_string(sentence.from_ms) + " to " + std::to_string(sentence.to_ms)
                 + " ms)" + " acknowledged, and it is in the journal " + std::to_string(said[text])
                 + " times");
    }
    if (!mic->is_settled() && view.ended.empty())
      violated(who.client->name() + " still keeps speech that nobody has acknowledged");
  }
}

namespace {

/// What the lab's voice takes for a byte of text.
constexpr std::uint64_t ms_per_byte = 60;
/// A word that is cut in its middle counts as heard, and what was shown before it was said stays
/// where its clause could not be spoken.
constexpr std::uint64_t slack_bytes = 40;

/// Signs alone are not spoken.
bool has_words(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0; });
}

} // namespace

/// An answer that was interrupted holds no more than was played to somebody, and one that is spoken
/// when nothing fails any more is heard.
void world::check_heard(const std::string& session, const session_view& view) {
  const auto heard_of = [&](const std::string& item) {
    std::uint64_t ms = 0;
    for (const auto& who : patrons_)
      if (const auto* mic = who.session == session ? who.client->microphone() : nullptr)
        ms += mic->heard_ms(item);
    return ms;
  };
  for (const auto& e : watch_of(session).events())
    if (const auto* started = std::get_if<response_started>(&e->body);
        started != nullptr && e->at >= quiet_from_ms_)
      if (const auto* item = view.find_item(started->item); item != nullptr && item->value.spoken
                                                            && has_words(item->value.text)
                                                            && heard_of(started->item) == 0)
        violated(session + ": " + started->item
                 + " is said to be spoken, and nobody heard a sound");
  for (const auto& response : view.closed_responses) {
    if (response->status != response_status::cancelled || response->reason != "turn_detected")
      continue;
    const auto* item = view.find_item(response->item);
    const auto heard_ms = heard_of(response->item);
    // Once nobody could hear it any more, it went on as text.
    if (item == nullptr || !item->value.spoken || heard_ms == 0)
      continue;
    ++out_.faults["answers cut by a voice"];
    const auto said = heard_ms / ms_per_byte;
    if (item->value.text.size() > said + slack_bytes)
      violated(session + ": of " + response->item + " " + std::to_string(item->value.text.size())
               + " bytes are said to have been heard, in " + std::to_string(heard_ms) + " ms");
  }
}

} // namespace sidevoice::lab
