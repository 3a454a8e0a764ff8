#include "providers/rules/reader.hpp"

#include <algorithm>

/// "No, I meant Tuesday", "change the date to 14 March", "not Leeds but York".
namespace sidevoice::rules {

namespace {

/// What people call a topic by its type.
bool names_type(const token& t, topic_type type) {
  switch (type) {
    case topic_type::date:
      return t.is_any({"date", "day"});
    case topic_type::email:
      return t.is_any({"email", "e-mail", "mail"});
    case topic_type::person_name:
      return t.is("name");
    case topic_type::address:
      return t.is("address");
    case topic_type::money:
      return t.is_any({"budget", "price", "amount"});
    default:
      return false;
  }
}

/// How many of the tokens in [first, end) name the topic.
int naming(const utterance& u, std::size_t first, std::size_t end, const topic_declaration& topic) {
  const auto words = topic_words(topic);
  int hits = 0;
  for (auto i = first; i < end; ++i) {
    const auto& t = u.at(i);
    const bool label = std::any_of(words.begin(), words.end(),
                                   [&](const auto& w) { return same_word(w, t.lower); });
    hits += (label ? 2 : 0) + (names_type(t, topic.type) ? 1 : 0);
  }
  return hits;
}

} // namespace

std::optional<finding> reader::try_extract(const scope& s) {
  if (tries_left_ == 0)
    return std::nullopt;
  --tries_left_;
  return extract(u_, s).found;
}

bool reader::correct_named() {
  for (std::size_t i = 0; i < u_.size(); ++i) {
    if (u_.phrase_at(i, {"change", "update", "correct", "set", "switch", "make"}) == 0)
      continue;
    // The value stands behind "to"; the topic's own label may hold one ("moving to").
    for (auto to = std::min(u_.sentence_end(i), i + 30); to > i + 1 && tries_left_ > 0; --to) {
      if (!u_.at(to).is_any({"to", "into", "be", "as", ":", "="}))
        continue;
      std::vector<std::pair<int, const topic_declaration*>> ranked;
      for (const auto& t : now_.topics())
        if (const auto score = naming(u_, i + 1, to, *t.topic); score > 0)
          ranked.emplace_back(score, t.topic);
      std::stable_sort(ranked.begin(), ranked.end(),
                       [](const auto& a, const auto& b) { return a.first > b.first; });
      for (const auto& [_, topic] : ranked)
        if (const auto f = try_extract(scope_for(*topic, true, to + 1))) {
          take(*topic, *f, true);
          return true;
        }
    }
  }
  return false;
}

bool reader::correct_not_but() {
  for (std::size_t i = 0; i + 1 < u_.size(); ++i) {
    if (!u_.at(i).is("not"))
      continue;
    auto end = i + 1;
    while (end < u_.size() && end < i + 10
           && !u_.at(end).is_any({"but", ",", ".", ";", "!", "it's", "rather"}))
      ++end;
    // "not in Leeds": the preposition is not part of the value.
    const auto first =
      i + (u_.at(i + 1).is_any({"from", "to", "in", "on", "a", "an", "the", "at"}) ? 2 : 1);
    const auto refused = to_lower(u_.slice(first, end));
    if (refused.size() < 2)
      continue;
    if (correct_refused(refused, first, end))
      return true;
  }
  return false;
}

bool reader::correct_refused(const std::string& refused, std::size_t first, std::size_t end) {
  const utterance alone{u_.slice(first, end)};
  // The board may have the new value already: then the topic that has it is meant.
  for (const bool analyzed : {false, true})
    for (const auto& t : now_.topics()) {
      if (!now_.has_value(t) || tries_left_ == 0)
        continue;
      --tries_left_;
      auto bare = scope_for(*t.topic, true);
      bare.taken.clear();
      const auto shown = to_lower(display_topic_value(*t.topic, t.value));
      const auto same = extract(alone, bare).found;
      const bool holds_it = shown.find(refused) != std::string::npos
                            || (same && same->value == t.value);
      if (!analyzed && !holds_it)
        continue;
      // "not Leeds but York", else "York, not Leeds".
      auto found = try_extract(scope_for(*t.topic, true, end + 1));
      if (!found) {
        auto before = scope_for(*t.topic, true);
        before.taken.emplace_back(u_.at(first - 1).begin, u_.text.size());
        found = try_extract(before);
      }
      if (found && (found->value == t.value) == analyzed) {
        take(*t.topic, *found, true);
        return true;
      }
    }
  return false;
}

bool reader::correct_behind(std::size_t from) {
  bool any = false;
  for (const auto& t : now_.topics()) {
    if (touched_.count(t.topic->id) != 0 || !now_.is_relevant(t))
      continue;
    const auto f = try_extract(scope_for(*t.topic, false, from));
    if (f) {
      take(*t.topic, *f, true);
      any = true;
    }
  }
  if (any)
    return true;
  for (const auto* topic : asked_before_) {
    const auto* t = now_.find(topic->id);
    // Anything would do as a text: the question that is open takes it, not this one.
    if (t == nullptr || topic->type == topic_type::text || touched_.count(topic->id) != 0
        || !now_.is_relevant(*t))
      continue;
    if (const auto f = try_extract(scope_for(*topic, true, from))) {
      take(*topic, *f, true);
      return true;
    }
  }
  return false;
}

bool reader::read_correction() {
  if (correct_named() || correct_not_but())
    return true;
  for (std::size_t i = 0; i < u_.size(); ++i) {
    const auto n =
      u_.phrase_at(i, {"i meant", "i mean", "actually", "correction", "make it", "make that",
                       "i wanted to say", "i should have said", "change it to", "change that to",
                       "scratch that", "sorry ,", "i made a mistake", "that was wrong",
                       "that's wrong", "wait ,", "no ,", "on second thought", "rather"});
    // A bare "no, ..." corrects only where nothing was asked that "no" answers.
    if (n == 0 || (u_.at(i).is("no") && i > 0))
      continue;
    if (u_.at(i).is("no")
        && (!out_.asked.empty() && out_.asked.front().topic->type == topic_type::yes_no))
      continue;
    if (i + n < u_.size() && correct_behind(i + n))
      return true;
  }
  if (u_.has_phrase({"instead"}))
    return correct_behind(0);
  return false;
}

} // namespace sidevoice::rules
