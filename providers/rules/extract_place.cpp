#include "providers/rules/extract.hpp"

#include <algorithm>

namespace sidevoice::rules {

namespace {

enum class role { none, from, to, in };

role role_of(const token& preposition) {
  if (preposition.is("from"))
    return role::from;
  if (preposition.is_any({"to", "into", "towards"}))
    return role::to;
  return preposition.is_any({"in", "at", "near"}) ? role::in : role::none;
}

/// What part an address topic plays, by its label and id.
role role_of(const topic_declaration& topic) {
  for (const auto& source : {topic.label, topic.id}) {
    const utterance u{source};
    for (const auto& t : u.tokens) {
      if (t.is_any({"from", "origin", "pickup", "old", "current", "leaving", "departure"}))
        return role::from;
      if (t.is_any({"to", "into", "destination", "delivery", "new", "target", "arrival"}))
        return role::to;
    }
  }
  return role::none;
}

bool is_street_word(const token& t) {
  if (t.is_any({"street", "st",      "road",    "rd",        "avenue", "ave",
                "lane",   "ln",      "drive",   "close",     "court",  "square",
                "place",  "terrace", "gardens", "boulevard", "blvd",   "crescent",
                "grove",  "hill",    "mews",    "quay",      "way",    "parade"}))
    return true;
  for (const std::string_view end : {"straße", "strasse", "weg", "platz", "allee", "gasse", "str"})
    if (t.lower.size() > end.size() + 2
        && std::string_view{t.lower}.substr(t.lower.size() - end.size()) == end)
      return true;
  return false;
}

/// "New York" begins like "new house".
bool begins_no_place(const token& t) {
  return is_function_word(t.lower) && !(t.capital && t.is_any({"new", "old"}));
}

bool is_figures(const token& t, std::size_t least, std::size_t most) {
  return t.is_number() && t.lower.size() >= least && t.lower.size() <= most
         && t.lower.find_first_not_of("0123456789") == std::string::npos;
}

/// "LS1 4AP", "SW1A 1AA": letters and figures, then a figure and two letters.
bool is_uk_code(const utterance& u, std::size_t i) {
  const auto& out = u.at(i);
  const auto& in = u.at(i + 1);
  const auto& tail = u.at(i + 2);
  return out.is_word() && out.lower.size() >= 2 && out.lower.size() <= 4
         && out.lower.find_first_of("0123456789") != std::string::npos && is_figures(in, 1, 1)
         && tail.is_word() && tail.glued && tail.lower.size() == 2;
}

/// "12 Elm Street", "Hauptstraße 5": tokens of the street at `i`, 0 where there is none.
std::size_t street_at(const utterance& u, std::size_t i) {
  if (is_street_word(u.at(i)) && u.at(i).lower.size() > 6 && u.at(i).capital
      && is_figures(u.at(i + 1), 1, 4))
    return 2;
  if (!is_figures(u.at(i), 1, 5))
    return 0;
  auto at = i + 1;
  // "12a Elm Street"
  at += u.at(at).is_word() && u.at(at).glued && u.at(at).lower.size() == 1 ? 1 : 0;
  for (std::size_t words = 0; words < 5; ++words, ++at) {
    // "3 St. Mary Road"
    at += u.at(at).is(".") && u.at(at - 1).is("st") ? 1 : 0;
    const auto& t = u.at(at);
    if (!t.is_word() || (t.glued && words == 0) || is_function_word(t.lower))
      return 0;
    if (words > 0 && is_street_word(t))
      return at + 1 - i;
  }
  return 0;
}

/// Words at which an address ends when a lower-case one follows.
bool parts_clauses(const token& t) {
  return t.is_any(
    {"to",    "from",   "on",       "by",       "and",   "but",    "with",    "for",     "which",
     "that",  "i",      "we",       "my",       "our",   "is",     "are",     "it",      "it's",
     "its",   "next",   "this",     "tomorrow", "today", "until",  "because", "about",   "as",
     "then",  "please", "before",   "after",    "so",    "or",     "not",     "instead", "moving",
     "we're", "i'm",    "sometime", "into",     "early", "late",   "end",     "around",  "would",
     "will",  "where",  "thanks",   "now",      "soon",  "within", "can",     "should",  "if",
     "when",  "right",  "in",       "at"});
}

/// True where a comma at `i` is one inside an address.
bool comma_continues(const utterance& u, std::size_t i, calendar_day today) {
  const auto& t = u.at(i + 1);
  if (read_date(u, i + 1, today))
    return false;
  if (t.is_number())
    return is_figures(t, 4, 5) || street_at(u, i + 1) != 0;
  return t.is_word() && t.capital && !is_function_word(t.lower);
}

/// True where token `i`, inside an address so far, goes on with it.
bool word_continues(const utterance& u, std::size_t i, std::size_t first, calendar_day today) {
  const auto& t = u.at(i);
  if (t.is_number())
    return is_figures(t, 1, 5) && !read_date(u, i, today)
           && !u.at(i + 1).is_any(
             {"boxes", "people", "rooms", "days", "weeks", "euros", "bedrooms"});
  if (!t.is_word())
    return t.is_any({"/"}) && t.glued;
  const bool next_is_name = u.at(i + 1).capital && !read_date(u, i + 1, today)
                            && !begins_no_place(u.at(i + 1));
  if (t.is_any({"in", "on", "at", "upon", "the", "of", "am", "an", "de", "der", "la"}))
    return next_is_name;
  if (parts_clauses(t) || read_date(u, i, today))
    return false;
  // Somebody who types no capitals types none here either.
  const bool cased = u.at(first).capital
                     || (u.at(first).is_number()
                         && (u.at(first + 1).capital || u.at(first + 2).capital));
  return t.capital || t.glued || !cased || is_street_word(t);
}

std::size_t place_end(const utterance& u, std::size_t first, calendar_day today) {
  auto end = first;
  for (auto i = first; i < u.size() && i < first + 16; ++i) {
    const auto& t = u.at(i);
    if (i > first && t.is(",") && comma_continues(u, i, today))
      continue;
    if (i > first && t.is(".") && u.at(i - 1).is_any({"st", "rd", "ave", "blvd", "dr"})
        && (u.at(i + 1).is(",") || u.at(i + 1).is_word()))
      continue;
    if (i > first && !word_continues(u, i, first, today))
      break;
    end = i + 1;
  }
  return end;
}

/// A place that begins at `i`, with the index behind it. `plain` takes lower-case ones.
std::optional<std::size_t> place_at(const utterance& u, std::size_t i, calendar_day today,
                                    bool plain) {
  const auto& t = u.at(i);
  const bool the = t.is("the") && u.at(i + 1).capital;
  if (!the && (!(t.is_word() || t.is_number()) || begins_no_place(t)))
    return std::nullopt;
  if (t.is_number() && !is_figures(t, 5, 5) && street_at(u, i) == 0
      && !(is_figures(t, 4, 4) && u.at(i + 1).is_word() && u.at(i + 1).capital)
      && !(plain && is_figures(t, 1, 4) && u.at(i + 1).is_word() && !u.at(i + 1).glued
           && !is_function_word(u.at(i + 1).lower)))
    return std::nullopt;
  if (read_date(u, i, today) || (t.is_word() && number_at(u, i))
      || (t.is_word() && !t.capital && !plain))
    return std::nullopt;
  if (u.at(i + 1).is_any({"@", "dot"}) || (u.at(i + 1).is("at") && u.at(i + 3).is("dot")))
    return std::nullopt;
  const auto end = place_end(u, i, today);
  for (auto at = i; at < end; ++at)
    if (u.at(at).is_any({"your", "you", "me", "us", "them", "what", "how", "why"}))
      return std::nullopt;
  // Nine lower-case words are a sentence, not a place.
  if (plain && !t.capital && !t.is_number() && end - i > 8)
    return std::nullopt;
  return end;
}

/// The first place behind a preposition of this role.
std::optional<finding> behind_preposition(const utterance& u, const scope& s, role wanted,
                                          bool plain, bool paired = false) {
  for (auto i = s.from; i < u.size(); ++i) {
    if (role_of(u.at(i)) != wanted || (plain && !paired && u.is_question(i)))
      continue;
    const auto end = place_at(u, i + 1, s.today, plain);
    if (end && !s.is_taken(u.at(i + 1).begin, u.at(*end - 1).end))
      return over(u, i + 1, *end, quoted(u.slice(i + 1, *end)), plain ? 0.8 : 0.9);
  }
  return std::nullopt;
}

/// A short message that begins with the preposition and holds little else: "from leeds, please".
std::optional<finding> preposition_first(const utterance& u, const scope& s, role mine) {
  const auto i = skip_fillers(u, s.from);
  if (role_of(u.at(i)) != mine || u.is_question(i))
    return std::nullopt;
  const auto end = place_at(u, i + 1, s.today, true);
  if (!end || *end > i + 4 || (u.at(*end).is_word() && role_of(u.at(*end)) == role::none)
      || s.is_taken(u.at(i + 1).begin, u.at(*end - 1).end))
    return std::nullopt;
  return over(u, i + 1, *end, quoted(u.slice(i + 1, *end)), 0.75);
}

std::size_t skip_place_fillers(const utterance& u, std::size_t i, role mine) {
  for (;;) {
    const auto before = i;
    i = skip_fillers(u, i);
    i += u.phrase_at(i, {"it's",
                         "its",
                         "it is",
                         "that's",
                         "that is",
                         "i live",
                         "we live",
                         "i'm",
                         "im",
                         "i am",
                         "we're",
                         "we are",
                         "currently",
                         "at",
                         "in",
                         "near",
                         "my address is",
                         "the address is",
                         "our address is",
                         "address is",
                         "right now",
                         "moving",
                         "leaving",
                         "going",
                         "i will move",
                         "we will move",
                         "we'll move",
                         "i'll move",
                         "located",
                         "living",
                         "my place is",
                         "relocating"});
    if (mine == role::from || mine == role::to)
      i += role_of(u.at(i)) == mine ? 1 : 0;
    else
      i += u.at(i).is_any({"from", "to"}) ? 1 : 0;
    if (i == before)
      return i;
  }
}

/// A street or a postal code anywhere.
std::optional<finding> by_pattern(const utterance& u, const scope& s) {
  for (auto i = s.from; i < u.size(); ++i) {
    const auto n = u.phrase_at(i, {"address is", "live at", "live in", "located at", "located in",
                                   "address :", "based in"});
    auto first = n != 0 ? i + n : i;
    const bool pattern = n != 0 || street_at(u, i) != 0 || is_uk_code(u, i)
                         || (is_figures(u.at(i), 5, 5) && u.at(i + 1).capital);
    const auto end = pattern ? place_at(u, first, s.today, n != 0) : std::nullopt;
    if (end && !s.is_taken(u.at(first).begin, u.at(*end - 1).end))
      return over(u, first, *end, quoted(u.slice(first, *end)), 0.9);
  }
  return std::nullopt;
}

} // namespace

std::vector<finding> find_places(const utterance& u, const scope& s) {
  const auto mine = role_of(*s.topic);
  const bool both = u.has_phrase({"from"}) && u.has_phrase({"to"});
  const bool moves = u.has_phrase({"move", "moving", "relocate", "relocating", "going"});
  if (mine == role::from || mine == role::to) {
    for (const bool plain : {false, true})
      if (!plain || s.asked || both || moves)
        if (auto f = behind_preposition(u, s, mine, plain, both))
          return {*f};
  }
  if (mine == role::from || mine == role::to)
    if (auto f = preposition_first(u, s, mine))
      return {*f};
  if (s.only_of_kind || s.asked)
    if (auto f = by_pattern(u, s))
      return {*f};
  if (!s.asked)
    return {};
  const auto i = skip_place_fillers(u, s.from, mine);
  if (const auto end = place_at(u, i, s.today, true); end && !u.at(*end).is("?"))
    return {over(u, i, *end, quoted(u.slice(i, *end)), u.at(i).capital ? 0.9 : 0.75)};
  if (auto f = behind_preposition(u, s, role::in, false))
    return {*f};
  return {};
}

} // namespace sidevoice::rules
