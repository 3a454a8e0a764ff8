#include "providers/rules/extract.hpp"

#include <algorithm>

namespace sidevoice::rules {

namespace {

bool is_particle(const token& t) {
  return t.is_any({"von", "van", "de", "der", "den", "di", "da", "dos", "du", "la", "le", "al",
                   "el", "bin", "ibn", "ter", "zu", "y"});
}

bool is_title(const token& t) {
  return t.is_any({"mr", "mrs", "ms", "miss", "dr", "prof", "sir"});
}

/// Letters only: no digits, at most 40 bytes.
bool is_name_word(const token& t) {
  return t.is_word() && t.lower.size() <= 40
         && t.lower.find_first_of("0123456789") == std::string::npos;
}

/// Index behind the name that begins at `i`; `i` where none does. With `any_case`, lower-case words
/// count too, up to the next function word.
std::size_t name_end(const utterance& u, std::size_t i, calendar_day today, bool any_case) {
  auto end = i;
  std::size_t words = 0;
  for (auto at = i; at < u.size() && words < 5; ++at) {
    const auto& t = u.at(at);
    if (t.is(".") && at > i && (is_title(u.at(at - 1)) || u.at(at - 1).lower.size() == 1)
        && u.at(at + 1).is_word())
      continue;
    const bool name = is_name_word(t) && !is_function_word(t.lower)
                      && (t.capital || any_case || (words > 0 && is_particle(t)));
    if (!name || (words > 0 && read_date(u, at, today)) || t.is_any({"speaking", "btw", "instead"}))
      break;
    ++words;
    end = at + 1;
  }
  // A particle belongs to what follows it.
  while (end > i && is_particle(u.at(end - 1)) && !u.at(end - 1).capital)
    --end;
  return end;
}

/// A name as it is written, with capitals where somebody typed none.
std::string spelled(std::string name) {
  if (std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
    return name;
  bool start = true;
  for (auto& c : name) {
    if (start && c >= 'a' && c <= 'z')
      c = static_cast<char>(c - 'a' + 'A');
    start = c == ' ' || c == '-';
  }
  return name;
}

finding name_over(const utterance& u, std::size_t first, std::size_t end, double confidence) {
  return over(u, first, end, quoted(spelled(u.slice(first, end))), confidence);
}

/// "Anna Schmidt", after words that carry nothing, and nothing else in its clause.
std::optional<finding> bare_name(const utterance& u, const scope& s) {
  auto i = skip_fillers(u, s.from);
  if (const auto n = u.phrase_at(i, {"it's", "it is", "that's", "that is", "this is", "i'm", "i am",
                                     "im", "name", "name is", "the name is", "the name's", "for",
                                     "make it", "put down", "under"});
      n != 0)
    i += n;
  i += u.at(i).is(":") ? 1 : 0;
  const auto end = name_end(u, i, s.today, true);
  if (end == i)
    return std::nullopt;
  const auto& after = u.at(end);
  const bool clause_ends = end == u.size() || !after.is_word()
                           || after.is_any({"and", "here", "from", "but"});
  // "Anna?" asks, "change it to Anna?" tells.
  if (!clause_ends || (after.is("?") && s.from == 0) || after.is("@") || read_date(u, i, s.today))
    return std::nullopt;
  return name_over(u, i, end, u.at(i).capital ? 0.9 : 0.75);
}

} // namespace

std::vector<finding> find_names(const utterance& u, const scope& s) {
  std::vector<finding> found;
  for (auto i = s.from; i < u.size(); ++i) {
    // These say a name whatever its case; the second kind is said of many things.
    const auto sure = u.phrase_at(i, {"my name is", "my name's", "name is", "name's", "call me",
                                      "my full name is", "i am called", "i'm called"});
    const auto maybe = u.phrase_at(i, {"i'm", "i am", "im", "this is"});
    if (sure + maybe == 0
        || (maybe != 0 && sure == 0 && i > 0 && u.at(i - 1).is_word()
            && !u.at(i - 1).is_any({"hi", "hello", "hey", "and", "yes", "sure"})))
      continue;
    const auto first = i + std::max(sure, maybe);
    const auto end = name_end(u, first, s.today, sure != 0);
    if (end > first && !(sure == 0 && u.at(end).is_any({"street", "road"})))
      found.push_back(name_over(u, first, end, sure != 0 ? 0.95 : 0.85));
  }
  if (s.asked && found.empty())
    if (auto f = bare_name(u, s))
      found.push_back(*f);
  return found;
}

namespace {

bool is_mail_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.'
         || c == '-' || c == '_' || c == '+' || c == '%';
}

/// "anna@example.com" round the @ at byte `at`.
std::optional<finding> written_mail(const utterance& u, std::size_t at) {
  auto begin = at;
  while (begin > 0 && is_mail_char(u.text[begin - 1]) && at - begin < 64)
    --begin;
  auto end = at + 1;
  while (end < u.text.size() && is_mail_char(u.text[end]) && end - at < 255)
    ++end;
  while (end > at + 1 && (u.text[end - 1] == '.' || u.text[end - 1] == '-'))
    --end;
  while (begin < at && u.text[begin] == '.')
    ++begin;
  const auto domain = std::string_view{u.text}.substr(at + 1, end - at - 1);
  if (begin == at || domain.find('.') == std::string_view::npos)
    return std::nullopt;
  return finding{quoted(u.text.substr(begin, end - begin)), begin, end, 0.98};
}

/// "anna dot schmidt at example dot com"; `at` is the token "at" (or the sign, with spaces).
std::optional<finding> spoken_mail(const utterance& u, std::size_t at) {
  const auto link = [&](std::size_t i) -> std::string {
    if (u.at(i).is("dot") || (u.at(i).is(".") && u.at(i).glued && u.at(i + 1).glued))
      return ".";
    if (u.at(i).is_any({"underscore", "_"}))
      return "_";
    return u.at(i).is_any({"dash", "hyphen"}) ? "-" : "";
  };
  const auto piece = [&](std::size_t i) { return u.at(i).is_word() || u.at(i).is_number(); };
  if (at == 0 || !piece(at - 1) || !piece(at + 1) || is_function_word(u.at(at - 1).lower))
    return std::nullopt;
  auto first = at - 1;
  std::string local = u.at(first).lower;
  while (first >= 1) {
    if (const auto mark = first >= 2 ? link(first - 1) : ""; !mark.empty() && piece(first - 2)) {
      local = u.at(first - 2).lower + mark + local;
      first -= 2;
    } else if (piece(first - 1) && u.at(first).glued) {
      local = u.at(--first).lower + local;
    } else {
      break;
    }
  }
  auto last = at + 1;
  std::string domain = u.at(last).lower;
  bool dotted = domain.find('.') != std::string::npos;
  for (auto mark = link(last + 1); !mark.empty() && piece(last + 2); mark = link(last + 1)) {
    domain += mark + u.at(last + 2).lower;
    dotted = dotted || mark == ".";
    last += 2;
  }
  if (!dotted)
    return std::nullopt;
  return over(u, first, last + 1, quoted(local + "@" + domain), 0.85);
}

} // namespace

std::vector<finding> find_emails(const utterance& u, const scope& s) {
  std::vector<finding> found;
  for (auto i = s.from; i < u.size(); ++i) {
    if (u.at(i).is("@"))
      if (auto f = written_mail(u, u.at(i).begin))
        found.push_back(*f);
    if (u.at(i).is_any({"at", "@"}) && found.empty())
      if (auto f = spoken_mail(u, i))
        found.push_back(*f);
  }
  return found;
}

} // namespace sidevoice::rules
