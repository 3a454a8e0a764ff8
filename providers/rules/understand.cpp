#include "providers/rules/understand.hpp"

#include "providers/rules/reader.hpp"

#include <algorithm>

namespace sidevoice::rules {

std::string said_before(const std::vector<llm_message>& history, std::size_t index) {
  std::string said;
  bool found = false;
  for (auto i = std::min(index, history.size()); i-- > 0;) {
    const auto& m = history[i];
    if (m.role == llm_role::assistant) {
      // Long speeches of other models: their end holds the question.
      said = m.text + (said.empty() ? "" : "\n") + said;
      found = true;
    } else if (m.role == llm_role::user && found) {
      break;
    }
    if (said.size() > 20'000)
      break;
  }
  return said;
}

namespace {

constexpr std::size_t looked_back = 40;

/// Topics by the assistant's questions before `index`, newest first.
std::vector<const topic_declaration*> asked_so_far(const question_book& book,
                                                   const std::vector<llm_message>& history,
                                                   std::size_t index) {
  std::vector<const topic_declaration*> topics;
  std::size_t looked = 0;
  for (auto i = index; i-- > 0 && looked < looked_back;) {
    if (history[i].role != llm_role::assistant)
      continue;
    ++looked;
    for (const auto& a : book.find(history[i].text))
      if (std::find(topics.begin(), topics.end(), a.topic) == topics.end())
        topics.push_back(a.topic);
  }
  return topics;
}

/// Words like "actually": only then is the history of questions worth collecting.
bool may_correct(const std::string& text) {
  const auto lower = to_lower(cut(text, utterance::bytes_max));
  for (const auto* cue : {"mean", "actual", "correct", "make", "change", "sorry", "wrong", "wait",
                          "no", "instead", "rather", "should", "scratch", "mistake", "second"})
    if (lower.find(cue) != std::string::npos)
      return true;
  return false;
}

/// Topics that matter only now may have been answered long before ("third floor", then "a flat").
void look_back(const llm_request& request, board& now, calendar_day today,
               std::vector<message_reading>& messages) {
  for (const auto& t : now.topics()) {
    if (t.was_relevant || now.step_of(t) != step::ask)
      continue;
    std::size_t looked = 0;
    for (auto i = request.history.size(); i-- > 0 && looked < looked_back;) {
      const auto& m = request.history[i];
      if (m.role != llm_role::user)
        continue;
      ++looked;
      auto changes = reader{now, m, today, {}}.read_strong(*t.topic);
      if (changes.empty())
        continue;
      messages.back().changes.push_back(std::move(changes.front()));
      break;
    }
  }
}

} // namespace

reading understand(const llm_request& request, std::size_t first) {
  const board given{request};
  reading out{given, question_book{given}, {}};
  const auto& history = request.history;
  const auto today = day_in_zone(request.wall_ms, request.zone);
  std::set<std::string> settled;
  bool assistant_spoke = true;
  for (auto i = std::min(first, history.size()); i < history.size(); ++i) {
    const auto& m = history[i];
    assistant_spoke = assistant_spoke || m.role == llm_role::assistant;
    if (m.role != llm_role::user)
      continue;
    if (assistant_spoke)
      settled.clear();
    assistant_spoke = false;
    const auto said = said_before(history, i);
    reader r{out.now, m, today,
             may_correct(m.text) ? asked_so_far(out.book, history, i)
                                 : std::vector<const topic_declaration*>{}};
    auto message = r.read(out.book.find(said), said, settled);
    message.index = i;
    for (const auto& c : message.changes)
      settled.insert(c.topic->id);
    out.messages.push_back(std::move(message));
  }
  if (!out.messages.empty())
    look_back(request, out.now, today, out.messages);
  return out;
}

aside read_aside(std::string_view text) {
  const utterance u{text};
  const auto i = skip_fillers(u, 0);
  if (u.size() > 16)
    return aside::none;
  if (u.has_phrase({"still need", "what else", "what's left", "what is left", "what's missing",
                    "what is missing", "left to answer", "how much longer", "how many questions",
                    "what do you need", "what's next", "what is next", "what remains",
                    "are we done"}))
    return aside::what_is_left;
  if (u.has_phrase({"what do you have", "what have you", "what did you note", "summary",
                    "summarise", "summarize", "recap", "what do you know", "what did i tell",
                    "what did i say", "read it back", "what have i"}))
    return aside::what_is_known;
  if (u.has_phrase({"repeat that", "repeat the", "can you repeat", "say that again", "pardon",
                    "what did you say", "come again", "what was the question", "sorry ?",
                    "please repeat", "say again", "once more please"})
      || ((u.at(i).is_any({"what", "sorry", "repeat", "huh", "excuse"}) || u.at(0).is("repeat"))
          && u.size() <= i + 2))
    return aside::repeat;
  if (u.has_phrase({"how does this work", "what can you do", "what can i say", "i don't understand",
                    "i do not understand", "what do you mean", "help me", "how do i",
                    "what should i say"})
      || (u.at(i).is("help") && u.size() <= i + 2))
    return aside::help;
  if (u.has_phrase({"who are you", "are you a robot", "are you a bot", "are you human",
                    "are you real", "are you an ai", "what are you", "am i talking to",
                    "are you a human", "are you a person"}))
    return aside::who;
  if (u.has_phrase(
        {"why do you", "why ?", "why is that", "what for", "why would you", "why should i"}))
    return aside::why;
  if (u.at(0).is_any({"thanks", "thank"}) || u.at(i).is_any({"thank", "bye", "goodbye", "cheers"}))
    return aside::thanks;
  if (u.at(0).is_any({"hello", "hi", "hey"})
      || u.phrase_at(0, {"good morning", "good evening", "good afternoon", "good day"}) != 0)
    return aside::hello;
  return aside::none;
}

} // namespace sidevoice::rules
