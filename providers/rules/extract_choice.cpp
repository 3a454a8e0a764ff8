#include "providers/rules/extract.hpp"

#include <algorithm>

namespace sidevoice::rules {

consent read_consent(const utterance& u, std::size_t i) {
  while (u.at(i).is_any({",", ".", "!", "oh", "well", "um", "uh", "er", "hmm", "and", "so", "ah",
                         "i", "think", "guess", "believe"})
         && i < u.size()) {
    // "I do" and "I think so" are answers, "I" alone is not.
    if (u.at(i).is("i") && !u.phrase_at(i, {"i think", "i guess", "i believe"}))
      break;
    ++i;
  }
  if (u.phrase_at(i, {"of course not",     "not really",    "not at all",
                      "i don't think so",  "afraid not",    "i'm afraid not",
                      "unfortunately not", "there is no",   "there isn't",
                      "there's no",        "there are no",  "there is none",
                      "there aren't",      "not",           "we don't",
                      "i don't",           "it doesn't",    "it does not",
                      "it isn't",          "it is not",     "it's not",
                      "that's wrong",      "that is wrong", "that's not",
                      "that is not",       "wrong",         "incorrect",
                      "we do not",         "i do not",      "no way"})
      != 0)
    return consent::no;
  if (u.at(i).is_any({"no", "nope", "nah", "none", "never", "n", "negative", "nein"}))
    return consent::no;
  if (u.at(i).is_any({"yes",        "yeah",    "yep",     "yup",         "yea",       "ya",
                      "y",          "sure",    "correct", "right",       "certainly", "definitely",
                      "absolutely", "exactly", "indeed",  "affirmative", "ok",        "okay",
                      "true",       "perfect", "aye",     "ja",          "fine",      "good"}))
    return consent::yes;
  if (u.phrase_at(i, {"of course",
                      "that's right",
                      "that is right",
                      "that's correct",
                      "that is correct",
                      "there is",
                      "there's",
                      "there are",
                      "it does",
                      "it has",
                      "it is",
                      "it's right",
                      "it's correct",
                      "we do",
                      "i do",
                      "we have",
                      "i have",
                      "we've got",
                      "so",
                      "looks good",
                      "sounds good",
                      "why not",
                      "all right"})
      != 0)
    return consent::yes;
  return consent::none;
}

bool is_negated(const utterance& u, std::size_t i) {
  for (std::size_t back = 1; back <= 4 && back <= i; ++back) {
    const auto& t = u.at(i - back);
    if (t.is_any({"no", "not", "without", "isn't", "don't", "dont", "doesn't", "haven't", "hasn't",
                  "never", "neither", "nor", "lacks", "ain't", "aren't", "wasn't", "cannot",
                  "can't"}))
      // "No, a flat" refuses something else.
      return !(t.is("no") && u.at(i - back + 1).is(","));
    if (!t.is_word() || t.is_any({"but", "rather", "instead", "it's", "i'm", "and"}))
      return false;
  }
  return false;
}

std::vector<finding> find_yes_no(const utterance& u, const scope& s) {
  const auto words = topic_words(*s.topic);
  for (auto i = s.from; i < u.size(); ++i) {
    const bool named = u.at(i).is_word() && u.at(i).lower.size() >= 3
                       && std::any_of(words.begin(), words.end(),
                                      [&](const auto& w) { return same_word(w, u.at(i).lower); });
    if (!named || (u.is_question(i) && !s.asked))
      continue;
    auto first = u.sentence_begin(i);
    for (auto at = first; at < i; ++at)
      if (u.at(at).is_any({",", ";", "but"}))
        first = at + 1;
    if (is_negated(u, i))
      return {over(u, first, i + 1, "false", 0.9)};
    // "The lift is broken" does not say what the label asks; "with a lift" and "there is one" do.
    if (u.phrase_at(i + 1, {": no", "is not", "isn't", "= no"}) != 0)
      return {over(u, first, i + 2, "false", 0.85)};
    for (auto at = first; at < i; ++at)
      if (u.at(at).is_any({"have", "has", "is", "are", "there's", "with", "got", "yes", "do",
                           "want", "need", "including", "includes", "of"}))
        return {over(u, first, i + 1, "true", 0.9)};
    if (u.phrase_at(i + 1, {": yes", "= yes", "yes"}) != 0)
      return {over(u, i, std::min(i + 3, u.size()), "true", 0.9)};
  }
  if (!s.asked)
    return {};
  const auto first = s.from;
  switch (read_consent(u, first)) {
    case consent::yes:
      return {over(u, first, std::min(u.sentence_end(first), u.size()), "true", 0.95)};
    case consent::no:
      return {over(u, first, std::min(u.sentence_end(first), u.size()), "false", 0.95)};
    case consent::none:
      break;
  }
  return {};
}

namespace {

struct choice_match {
  const topic_choice* choice = nullptr;
  std::size_t first = 0;
  std::size_t next = 0;
};

/// How many tokens from `i` on spell the word, the last one in singular or plural.
std::size_t spelled_at(const utterance& u, std::size_t i, const std::string& word) {
  if (word.empty() || u.at(i).lower.empty() || to_lower(word.substr(0, 1))[0] != u.at(i).lower[0])
    return 0;
  const utterance w{word};
  for (std::size_t k = 0; k < w.size(); ++k) {
    const auto& have = u.at(i + k).lower;
    const auto& want = w.at(k).lower;
    if (have != want && !(k + 1 == w.size() && (have == want + "s" || have == want + "es")))
      return 0;
  }
  return w.size();
}

std::optional<choice_match> choice_at(const utterance& u, std::size_t i,
                                      const topic_declaration& topic) {
  std::optional<choice_match> best;
  const auto consider = [&](const topic_choice& c, const std::string& word) {
    const auto n = spelled_at(u, i, word);
    if (n != 0 && (!best || n > best->next - best->first))
      best = choice_match{&c, i, i + n};
  };
  for (const auto& c : topic.choices) {
    auto spoken = c.value;
    std::replace(spoken.begin(), spoken.end(), '_', ' ');
    consider(c, c.value);
    consider(c, spoken);
    for (const auto& word : c.words)
      consider(c, word);
  }
  return best;
}

/// "the second one"
std::optional<finding> by_place(const utterance& u, const scope& s) {
  const auto& choices = s.topic->choices;
  auto i = skip_fillers(u, s.from);
  i += u.at(i).is("the") ? 1 : 0;
  const auto n = number_at(u, i);
  if (u.size() > i + 3 || choices.empty())
    return std::nullopt;
  if (u.at(i).is("last"))
    return over(u, i, i + 1, quoted(choices.back().value), 0.8);
  if (!n || !n->is_ordinal || n->value < 1 || n->value > static_cast<double>(choices.size()))
    return std::nullopt;
  return over(u, i, n->next, quoted(choices[static_cast<std::size_t>(n->value) - 1].value), 0.8);
}

} // namespace

std::vector<finding> find_choices(const utterance& u, const scope& s) {
  std::vector<choice_match> matches;
  for (auto i = s.from; i < u.size();) {
    const auto m = choice_at(u, i, *s.topic);
    if (!m) {
      ++i;
      continue;
    }
    // Short words mean something only as an answer.
    const bool distinct = u.at(m->first).lower.size() >= 4 || m->next - m->first > 1;
    const bool counts = s.asked || (distinct && !u.is_question(i));
    if (counts && !is_negated(u, m->first)
        && !s.is_taken(u.at(m->first).begin, u.at(m->next - 1).end))
      matches.push_back(*m);
    i = m->next;
  }
  if (matches.empty() && s.asked)
    if (auto f = by_place(u, s))
      return {*f};
  std::vector<finding> found;
  for (const auto& m : matches) {
    // Two different ones and no word which: better ask than guess. A list takes them all.
    if (!s.topic->list && m.choice != matches.front().choice)
      return {};
    found.push_back(over(u, m.first, m.next, quoted(m.choice->value), s.asked ? 0.95 : 0.8));
  }
  return found;
}

} // namespace sidevoice::rules
