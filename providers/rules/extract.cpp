#include "providers/rules/extract.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice::rules {

bool scope::is_taken(std::size_t begin, std::size_t end) const {
  return std::any_of(taken.begin(), taken.end(),
                     [&](const auto& span) { return begin < span.second && span.first < end; });
}

finding over(const utterance& u, std::size_t first, std::size_t end, json_text value,
             double confidence) {
  end = std::min(end, u.size());
  return {std::move(value), u.at(first).begin, u.at(std::max(end, first + 1) - 1).end, confidence};
}

json_text quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

namespace {

std::vector<finding> candidates(const utterance& u, const scope& s) {
  switch (s.topic->type) {
    case topic_type::text:
      return find_text(u, s);
    case topic_type::person_name:
      return find_names(u, s);
    case topic_type::address:
      return find_places(u, s);
    case topic_type::date:
      return find_dates(u, s);
    case topic_type::choice:
      return find_choices(u, s);
    case topic_type::integer:
      return find_integers(u, s);
    case topic_type::yes_no:
      return find_yes_no(u, s);
    case topic_type::money:
      return find_money(u, s);
    case topic_type::email:
      return find_emails(u, s);
    case topic_type::object:
      return find_objects(u, s);
  }
  return {};
}

/// Types whose strong patterns do not say which of several topics is meant.
bool needs_cue(const scope& s) {
  switch (s.topic->type) {
    case topic_type::date:
    case topic_type::money:
    case topic_type::email:
    case topic_type::person_name:
      return !s.asked && !s.only_of_kind;
    default:
      return false;
  }
}

/// True when a word of the label stands before the finding, in the same sentence.
bool has_cue(const utterance& u, const scope& s, const finding& f) {
  const auto words = topic_words(*s.topic);
  std::size_t first = 0;
  while (first < u.size() && u.at(first).begin < f.begin)
    ++first;
  for (std::size_t back = 1; back <= 6 && back <= first; ++back) {
    const auto& t = u.at(first - back);
    if (t.ends_sentence() || s.is_taken(t.begin, t.end))
      return false;
    if (std::any_of(words.begin(), words.end(),
                    [&](const auto& w) { return same_word(w, t.lower); }))
      return true;
  }
  return false;
}

/// One value of all findings of a list.
finding joined(const std::vector<finding>& found) {
  auto all = found.front();
  auto values = nlohmann::json::array();
  for (const auto& f : found) {
    const auto value = nlohmann::json::parse(f.value, nullptr, false);
    if (std::find(values.begin(), values.end(), value) == values.end())
      values.push_back(value);
    all.begin = std::min(all.begin, f.begin);
    all.end = std::max(all.end, f.end);
    all.confidence = std::min(all.confidence, f.confidence);
  }
  all.value = values.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return all;
}

} // namespace

extraction extract(const utterance& u, const scope& s) {
  std::vector<finding> found;
  for (auto& f : candidates(u, s))
    if (!s.is_taken(f.begin, f.end) && (!needs_cue(s) || has_cue(u, s, f)))
      found.push_back(std::move(f));
  if (found.empty())
    return {};
  if (s.topic->list)
    found = {joined(found)};
  extraction out;
  for (auto& f : found) {
    auto checked = check_topic_value(*s.topic, f.value, s.today);
    if (checked) {
      f.value = *checked;
      out.found = std::move(f);
      out.refused.clear();
      return out;
    }
    if (out.refused.empty())
      out.refused = checked.error().detail;
  }
  return out;
}

} // namespace sidevoice::rules
