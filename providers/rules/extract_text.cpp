#include "providers/rules/extract.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice::rules {

namespace {

using nlohmann::json;

/// "fragile things are a mirror and a vase": index of the first word behind the label, 0 for none.
std::size_t behind_label(const utterance& u, const scope& s) {
  const utterance label{s.topic->label.empty() ? s.topic->id : s.topic->label};
  std::string phrase;
  for (const auto& t : label.tokens)
    if (t.is_word() && !(phrase.empty() && t.is_any({"your", "the", "my"})))
      phrase += (phrase.empty() ? "" : " ") + t.lower;
  if (phrase.empty())
    return 0;
  for (auto i = s.from; i < u.size(); ++i) {
    const auto n = u.phrase_at(i, phrase);
    if (n != 0 && u.at(i + n).is_any({"is", "are", ":", "=", "will", "would"}) && !u.is_question(i))
      return i + n + 1 + (u.at(i + n + 1).is("be") ? 1 : 0);
  }
  return 0;
}

/// Index of the first token of one part of an enumeration that says something.
std::size_t part_begin(const utterance& u, std::size_t i, std::size_t end) {
  while (i < end) {
    const auto n = u.phrase_at(
      i, {"i have", "we have", "there is",   "there are", "there's", "i've got", "we've got",
          "it's",   "also",    "then",       "maybe",     "just",    "well",     "yes",
          "yeah",   "and",     "a",          "an",        "the",     "some",     "my",
          "our",    "also a",  "please add", "add",       "mainly",  "only",     "sure",
          "ok",     "okay",    "oh",         "um",        "hmm"});
    const bool counts = u.at(i).is("a") && u.at(i + 1).is_any({"couple", "hundred", "dozen"});
    if (n == 0 || i + n >= end || counts)
      break;
    i += n;
  }
  return i;
}

struct part {
  std::size_t first = 0;
  std::size_t end = 0;
};

/// Cuts an enumeration at commas, "and", semicolons and line breaks.
std::vector<part> parts_of(const utterance& u, std::size_t first) {
  std::vector<part> parts;
  for (auto i = first; i <= u.size(); ++i) {
    const auto& t = u.at(i);
    const bool cut = i == u.size() || t.is_any({",", ";", "\n", ".", "!", "&", "and", "plus", "•"});
    if (!cut || (t.is(".") && u.at(i + 1).glued && i + 1 < u.size()))
      continue;
    const auto begin = part_begin(u, first, i);
    if (begin < i)
      parts.push_back({begin, i});
    first = i + 1;
  }
  return parts;
}

/// The whole answer, without the space round it.
finding whole(const utterance& u, std::size_t first, std::size_t end, double confidence) {
  auto f = over(u, first, end, {}, confidence);
  // Where the text has more words than are read, the answer still goes to its end.
  if (end == u.size())
    f.end = f.begin + trimmed(std::string_view{u.text}.substr(f.begin)).size();
  f.value = quoted(u.text.substr(f.begin, f.end - f.begin));
  return f;
}

} // namespace

std::vector<finding> find_text(const utterance& u, const scope& s) {
  auto first = behind_label(u, s);
  const bool labelled = first != 0;
  if ((!labelled && !s.asked) || u.size() == 0)
    return {};
  auto end = u.size();
  if (labelled) {
    end = u.sentence_end(first);
  } else {
    first = s.from;
    while (first < u.size() && u.at(first).is_any({"\n", ",", "."}))
      ++first;
  }
  if (first >= end)
    return {};
  const double confidence = labelled ? 0.85 : 0.8;
  if (!s.topic->list)
    return {whole(u, first, end, confidence)};
  std::vector<finding> found;
  for (const auto& p : parts_of(u, first))
    if (p.first < end && found.size() < 50)
      found.push_back(whole(u, p.first, std::min(p.end, end), confidence));
  return found;
}

namespace {

/// One entry of an object: "3 boxes in the kitchen".
struct entry {
  std::string key;
  std::int64_t count = 0;
  /// Stands with a preposition, so that nobody has to have asked.
  bool is_placed = false;
};

std::string key_of(const utterance& u, std::size_t first, std::size_t end) {
  while (first < end
         && u.at(first).is_any({"the", "my", "our", "each", "a", "in", "for", "of", "-"}))
    ++first;
  while (end > first && !u.at(end - 1).is_word())
    --end;
  return to_lower(u.slice(first, end));
}

std::optional<entry> entry_in(const utterance& u, const part& p) {
  for (auto i = p.first; i < p.end; ++i) {
    const auto n = number_at(u, i);
    if (!n || n->is_ordinal || n->next > p.end)
      continue;
    entry e;
    e.count = static_cast<std::int64_t>(std::min(n->value, 1e9));
    // "kitchen: 3", "the kitchen has 3 boxes"
    auto before = i;
    while (before > p.first
           && u.at(before - 1).is_any({":", "=", "has", "with", "gets", "about", "-", "needs"}))
      --before;
    if (before > p.first && before < i) {
      e.key = key_of(u, p.first, before);
      e.is_placed = true;
    }
    for (auto at = n->next; e.key.empty() && at < p.end; ++at)
      if (u.at(at).is_any({"in", "for", "from", "into", "at", "on"})) {
        e.key = key_of(u, at + 1, p.end);
        e.is_placed = true;
      }
    if (e.key.empty() && before > p.first)
      e.key = key_of(u, p.first, i);
    if (e.key.empty())
      e.key = key_of(u, n->next, p.end);
    if (e.key.empty() || e.key.size() > 60)
      return std::nullopt;
    return e;
  }
  return std::nullopt;
}

/// The key as the schema spells it, where it names its keys.
std::optional<std::string> schema_key(const json& schema, const std::string& said) {
  if (!schema.contains("properties") || !schema["properties"].is_object())
    return said;
  for (const auto& [key, _] : schema["properties"].items()) {
    auto spoken = to_lower(key);
    std::replace(spoken.begin(), spoken.end(), '_', ' ');
    if (said == spoken || same_word(said, spoken))
      return key;
  }
  const auto more = schema.find("additionalProperties");
  if (more != schema.end() && more->is_boolean() && !more->get<bool>())
    return std::nullopt;
  return said;
}

bool holds_integers(const json& schema) {
  const auto is_integer = [](const json& s) {
    return s.is_object()
           && (s.value("type", json{}) == "integer" || s.value("type", json{}) == "number");
  };
  if (schema.contains("additionalProperties") && is_integer(schema["additionalProperties"]))
    return true;
  const auto properties = schema.find("properties");
  return properties != schema.end() && properties->is_object() && !properties->empty()
         && std::all_of(properties->begin(), properties->end(), is_integer);
}

/// "colour: red, size: large" for schemas that name their keys.
json named_parts(const utterance& u, const json& schema, const std::vector<part>& parts) {
  json out = json::object();
  for (const auto& p : parts)
    for (auto i = p.first; i < p.end; ++i) {
      if (!u.at(i).is_any({":", "=", "is", "are"}) || i == p.first || i + 1 == p.end)
        continue;
      const auto said = key_of(u, p.first, i);
      if (const auto key = schema_key(schema, said);
          key && schema.value("properties", json{}).contains(*key)) {
        const auto value = u.slice(i + 1, p.end);
        const auto n = number_at(u, i + 1);
        const bool text = schema["properties"][*key].value("type", json{}) == "string";
        out[*key] = n && !text ? json(static_cast<std::int64_t>(n->value)) : json(value);
      }
      break;
    }
  return out;
}

} // namespace

std::vector<finding> find_objects(const utterance& u, const scope& s) {
  const auto schema = json::parse(s.topic->schema, nullptr, false);
  if (!schema.is_object() || u.size() == 0 || s.from >= u.size())
    return {};
  const auto label_words = topic_words(*s.topic);
  const bool named = std::any_of(u.tokens.begin(), u.tokens.end(), [&](const token& t) {
    return std::any_of(label_words.begin(), label_words.end(),
                       [&](const auto& w) { return w.size() > 3 && same_word(w, t.lower); });
  });
  if (!s.asked && !named)
    return {};
  if (s.asked && u.at(s.from).is("{")) {
    const auto literal = json::parse(trimmed(u.text.substr(u.at(s.from).begin)), nullptr, false);
    if (literal.is_object())
      return {over(u, s.from, u.size(),
                   literal.dump(-1, ' ', false, json::error_handler_t::replace), 0.95)};
  }
  const auto parts = parts_of(u, s.from);
  if (!holds_integers(schema)) {
    const auto out = named_parts(u, schema, parts);
    return out.empty()
             ? std::vector<finding>{}
             : std::vector{over(u, parts.front().first, parts.back().end,
                                out.dump(-1, ' ', false, json::error_handler_t::replace), 0.8)};
  }
  json out = json::object();
  std::size_t first = u.size();
  std::size_t end = 0;
  for (const auto& p : parts) {
    const auto e = entry_in(u, p);
    const auto key = e && (s.asked || e->is_placed) ? schema_key(schema, e->key) : std::nullopt;
    if (!key || out.size() >= 100)
      continue;
    out[*key] = out.value(*key, std::int64_t{0}) + e->count;
    first = std::min(first, p.first);
    end = p.end;
  }
  if (out.empty())
    return {};
  return {over(u, first, end, out.dump(-1, ' ', false, json::error_handler_t::replace), 0.85)};
}

} // namespace sidevoice::rules
