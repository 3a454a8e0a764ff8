#include "providers/rules/reader.hpp"

#include <algorithm>

namespace sidevoice::rules {

namespace {

/// Types whose bare answers could be anything: they are read behind all strong patterns.
bool is_greedy(topic_type type) {
  switch (type) {
    case topic_type::text:
    case topic_type::person_name:
    case topic_type::integer:
    case topic_type::address:
    case topic_type::yes_no:
    case topic_type::money:
    case topic_type::object:
      return true;
    default:
      return false;
  }
}

} // namespace

reader::reader(board& now, const llm_message& message, calendar_day today,
               std::vector<const topic_declaration*> asked_before)
    : now_(now),
      message_(message),
      today_(today),
      asked_before_(std::move(asked_before)),
      u_(message.text) {}

scope reader::scope_for(const topic_declaration& topic, bool asked, std::size_t from) const {
  scope s;
  s.topic = &topic;
  s.today = today_;
  s.asked = asked;
  s.only_of_kind = now_.only_of_kind(topic);
  s.from = from;
  s.taken = taken_;
  return s;
}

void reader::set(const topic_declaration& topic, const std::string& status, const json_text& value,
                 std::size_t begin, std::size_t end, double confidence) {
  change c;
  c.topic = &topic;
  c.status = status;
  c.value = value;
  c.item_id = message_.id;
  c.quote = u_.text.substr(begin, end - begin);
  c.confidence = confidence;
  touched_.insert(topic.id);
  taken_.emplace_back(begin, end);
  now_.set(topic.id, status, value);
  out_.changes.push_back(std::move(c));
}

void reader::take(const topic_declaration& topic, const finding& f, bool correction) {
  const auto* before = now_.find(topic.id);
  const bool replaces = before != nullptr && now_.has_value(*before) && before->value != f.value;
  // The same again settles a contradiction; a confirmed value stays confirmed.
  const bool same = before != nullptr && before->value == f.value;
  const auto status = same && (before->status == "confirmed" || before->status == "contradicted")
                        ? "confirmed"
                        : "answered";
  set(topic, status, f.value, f.begin, f.end, f.confidence);
  out_.changes.back().is_correction = correction || replaces;
}

bool reader::read_skip(const topic_declaration& topic) {
  if (topic.type == topic_type::person_name && u_.size() > 8)
    return false;
  const auto i = skip_fillers(u_, 0);
  auto n = u_.phrase_at(i, {"skip",
                            "i don't know",
                            "i dont know",
                            "don't know",
                            "dont know",
                            "no idea",
                            "not sure",
                            "i'm not sure",
                            "im not sure",
                            "i am not sure",
                            "pass",
                            "next question",
                            "rather not",
                            "i'd rather not",
                            "i would rather not",
                            "prefer not",
                            "i prefer not",
                            "no comment",
                            "leave it",
                            "leave that",
                            "not yet",
                            "later",
                            "doesn't matter",
                            "it doesn't matter",
                            "i don't care",
                            "can't say",
                            "i can't say",
                            "i have no idea",
                            "not applicable",
                            "no answer",
                            "i do not know",
                            "let's skip",
                            "can we skip",
                            "i want to skip",
                            "not relevant",
                            "i haven't decided",
                            "not decided",
                            "no preference",
                            "unknown",
                            "idk",
                            "don't care",
                            "i'd like to skip",
                            "we don't know",
                            "no clue",
                            "i won't say",
                            "ask me later"});
  const bool plain_no =
    n == 0 && topic.type != topic_type::yes_no && !topic.required
    && (topic.type != topic_type::integer || u_.at(i).is_any({"no", "nope"}))
    && (u_.phrase_at(i, {"nothing", "none", "there are none", "there is none", "i don't have any",
                         "we don't have any", "i have none", "no thanks", "no thank you",
                         "not really", "there isn't any", "there aren't any", "n", "nope"})
          != 0
        || (u_.at(i).is("no") && u_.size() <= i + 4))
    && u_.size() <= i + 9;
  if (n == 0 && !plain_no)
    return false;
  if (topic.required) {
    out_.is_reluctant = true;
    return true;
  }
  const auto end = std::max(plain_no ? u_.sentence_end(i) : i + n, i + 1);
  set(topic, "skipped", "null", u_.at(i).begin, u_.at(std::min(end, u_.size()) - 1).end, 0.9);
  return true;
}

void reader::read_answer_to_check(const asked_topic& a, const std::string& said) {
  const auto& topic = *a.topic;
  const auto* now = now_.find(topic.id);
  const auto answer = read_consent(u_, 0);
  const bool greedy_text = topic.type == topic_type::text || topic.type == topic_type::yes_no;
  auto from = std::size_t{0};
  if (answer != consent::none)
    from = u_.size() > 1 && !u_.at(1).is_word() ? 2 : 1;
  // "No" to "Is 3 right?" is an answer; "no, the second" is a new value.
  if (!greedy_text || answer == consent::no) {
    auto found = extract(u_, scope_for(topic, answer != consent::yes, from));
    out_.refused = found.refused;
    const bool cut_short = greedy_text && u_.size() < from + 2;
    if (found.found && !cut_short) {
      const bool as_read = said.find(display_topic_value(topic, found.found->value))
                           != std::string::npos;
      const bool confirmed = as_read && answer != consent::no;
      set(topic, confirmed ? "confirmed" : "answered", found.found->value, found.found->begin,
          found.found->end, found.found->confidence);
      out_.changes.back().is_correction = !confirmed;
      return;
    }
  }
  if (answer == consent::none || u_.size() == 0)
    return;
  const auto end = u_.at(std::min(std::max<std::size_t>(from, 1), u_.size()) - 1).end;
  if (answer == consent::yes && now != nullptr && now_.has_value(*now))
    set(topic, "confirmed", json_text{now->value}, u_.at(0).begin, end, 0.95);
  else if (answer == consent::no)
    set(topic, "open", "null", u_.at(0).begin, end, 0.9);
}

bool reader::is_labelled(const topic_declaration& topic, const finding& f) const {
  const auto words = topic_words(topic);
  std::size_t first = 0;
  while (first < u_.size() && u_.at(first).begin < f.begin)
    ++first;
  bool verb = false;
  for (std::size_t back = 1; back <= 4 && back <= first; ++back) {
    const auto& t = u_.at(first - back);
    if (t.ends_sentence())
      return false;
    verb = verb || t.is_any({"is", "are", ":", "be", "="});
    if (verb && std::any_of(words.begin(), words.end(), [&](const auto& w) {
          return same_word(w, t.lower);
        }))
      return true;
  }
  return false;
}

void reader::read_strong_patterns() {
  // Twice more, since an answer may make further topics matter ("a flat on the third floor").
  for (int round = 0; round < 3; ++round) {
    const auto before = out_.changes.size();
    for (const auto& t : now_.topics()) {
      const auto& topic = *t.topic;
      if (touched_.count(topic.id) != 0 || !now_.is_relevant(t))
        continue;
      const auto f = extract(u_, scope_for(topic, false)).found;
      if (!f)
        continue;
      const bool known = now_.has_value(t) && t.status != "skipped" && t.status != "contradicted";
      const bool labelled = is_labelled(topic, *f);
      if (!known || t.value == f->value || labelled || is_alone(topic, *f))
        take(topic, *f, false);
    }
    if (out_.changes.size() == before)
      return;
  }
}

bool reader::is_alone(const topic_declaration& topic, const finding& f) const {
  const bool distinct = topic.type == topic_type::date || topic.type == topic_type::email
                        || topic.type == topic_type::money;
  return distinct && !u_.is_question(0) && (f.end - f.begin) * 10 >= trimmed(u_.text).size() * 7;
}

/// "Nothing fragile", "no budget": said of what nobody has asked yet.
void reader::read_declined() {
  for (const auto& t : now_.topics()) {
    const auto& topic = *t.topic;
    const bool fits = topic.type == topic_type::text || topic.type == topic_type::object
                      || topic.type == topic_type::money;
    if (!fits || topic.required || t.status != "open" || touched_.count(topic.id) != 0
        || !now_.is_relevant(t))
      continue;
    const auto words = topic_words(topic);
    for (std::size_t i = 1; i < u_.size(); ++i) {
      const bool named = u_.at(i).lower.size() >= 4
                         && std::any_of(words.begin(), words.end(), [&](const auto& w) {
                              return same_word(w, u_.at(i).lower);
                            });
      if (!named || !u_.at(i - 1).is_any({"no", "nothing", "any"}) || u_.is_question(i)
          || (u_.at(i - 1).is("any") && !is_negated(u_, i)))
        continue;
      set(topic, "skipped", "null", u_.at(i - 1).begin, u_.at(i).end, 0.8);
      break;
    }
  }
}

void reader::read_asked(const topic_declaration& topic) {
  auto s = scope_for(topic, true);
  if (topic.type == topic_type::text || topic.type == topic_type::object) {
    std::size_t used = 0;
    for (const auto& [begin, end] : taken_)
      used += end - begin;
    if (u_.size() == 0 || used * 5 > u_.text.size() * 3 || u_.is_question(0))
      return;
    s.taken.clear();
  }
  // "Moving from Leeds" is no name, and "yes" behind another answer belongs to that one.
  auto result = extract(u_, s);
  if (result.found)
    take(topic, *result.found, false);
  else
    out_.refused = result.refused;
}

message_reading reader::read(std::vector<asked_topic> asked, const std::string& said,
                             const std::set<std::string>& settled) {
  std::erase_if(asked, [&](const auto& a) { return settled.count(a.topic->id) != 0; });
  out_.asked = asked;
  if (u_.size() == 0)
    return std::move(out_);
  out_.remark = read_aside(u_.text);
  if (out_.remark != aside::none && out_.remark != aside::thanks && out_.remark != aside::hello)
    return std::move(out_);
  if (!asked.empty() && asked.front().kind != step::ask) {
    read_answer_to_check(asked.front(), said);
    asked.clear();
  } else if (!asked.empty() && read_skip(*asked.front().topic)) {
    asked.erase(asked.begin());
  }
  if (read_correction())
    asked.clear();
  for (const auto& a : asked)
    if (!is_greedy(a.topic->type) && touched_.count(a.topic->id) == 0)
      read_asked(*a.topic);
  read_strong_patterns();
  read_declined();
  const bool polite = out_.remark != aside::none && u_.size() <= 3;
  for (const auto& a : asked)
    if (is_greedy(a.topic->type) && touched_.count(a.topic->id) == 0 && !polite)
      read_asked(*a.topic);
  if (out_.changes.empty() && out_.remark == aside::none && u_.is_question(0))
    out_.remark = aside::question;
  return std::move(out_);
}

std::vector<change> reader::read_strong(const topic_declaration& topic) {
  if (const auto f = extract(u_, scope_for(topic, false)).found)
    take(topic, *f, false);
  return std::move(out_.changes);
}

} // namespace sidevoice::rules
