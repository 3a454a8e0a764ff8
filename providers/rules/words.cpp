#include "providers/rules/words.hpp"

#include <algorithm>
#include <set>

namespace sidevoice::rules {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Length of a mark beyond ASCII (currency signs, typographic quotes, dashes, hard space) at `i`;
/// 0 where the character belongs to a word.
std::size_t wide_mark(std::string_view text, std::size_t i) {
  static constexpr std::string_view marks[] = {"€", "£", "–", "—", "“", "”", "„", "…", "\u00a0"};
  for (const auto mark : marks)
    if (text.substr(i, mark.size()) == mark)
      return mark.size();
  return 0;
}

constexpr std::string_view curly = "\u2019";

/// Length of the piece of a word at `i`; 0 where the word ends.
std::size_t word_piece(std::string_view text, std::size_t i) {
  const auto c = text[i];
  if (is_letter(c) || is_digit(c))
    return 1;
  const bool letter_follows = i + 1 < text.size() && (is_letter(text[i + 1]) || text[i + 1] < 0);
  if (c == '\'' || c == '-')
    return letter_follows ? 1 : 0;
  if (text.substr(i, curly.size()) == curly)
    return curly.size();
  if (static_cast<unsigned char>(c) >= 0x80 && wide_mark(text, i) == 0)
    return 1;
  return 0;
}

std::size_t word_end(std::string_view text, std::size_t i) {
  while (i < text.size()) {
    const auto n = word_piece(text, i);
    if (n == 0)
      break;
    i += n;
  }
  return i;
}

std::size_t number_end(std::string_view text, std::size_t i) {
  while (i < text.size()) {
    const bool inner = i + 1 < text.size() && is_digit(text[i + 1])
                       && std::string_view{".,:-/"}.find(text[i]) != std::string_view::npos;
    if (!is_digit(text[i]) && !inner)
      break;
    ++i;
  }
  return i;
}

std::string plain_lower(std::string_view word) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word.substr(i, curly.size()) == curly) {
      out += '\'';
      i += curly.size() - 1;
    } else {
      out += word[i];
    }
  }
  return to_lower(out);
}

token next_token(std::string_view text, std::size_t i) {
  token t;
  t.begin = i;
  if (is_digit(text[i])) {
    t.what = token::kind::number;
    t.end = number_end(text, i);
  } else if (const auto wide = wide_mark(text, i); wide != 0) {
    t.end = i + wide;
  } else if (is_letter(text[i]) || static_cast<unsigned char>(text[i]) >= 0x80) {
    t.what = token::kind::word;
    t.end = std::max(word_end(text, i), i + 1);
    t.capital = !(text[i] >= 'a' && text[i] <= 'z');
  } else {
    t.end = i + 1;
  }
  t.lower = plain_lower(text.substr(i, t.end - i));
  return t;
}

} // namespace

bool token::is_any(std::initializer_list<std::string_view> texts) const {
  return std::any_of(texts.begin(), texts.end(), [this](auto text) { return lower == text; });
}

bool token::ends_sentence() const {
  return is_any({".", "!", "?", "\n"});
}

utterance::utterance(std::string_view whole) : text(cut(whole, bytes_max)) {
  bool space = true;
  for (std::size_t i = 0; i < text.size() && tokens.size() < tokens_max;) {
    const auto c = text[i];
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\0'
                       || std::string_view{text}.substr(i, 2) == "\u00a0";
    if (blank) {
      i += text[i] < 0 ? 2 : 1;
      space = true;
      continue;
    }
    auto t = next_token(text, i);
    t.glued = !space;
    space = false;
    i = t.end;
    tokens.push_back(std::move(t));
  }
}

const token& utterance::at(std::size_t i) const {
  static const token none;
  return i < tokens.size() ? tokens[i] : none;
}

std::string utterance::slice(std::size_t first, std::size_t end) const {
  end = std::min(end, tokens.size());
  if (first >= end)
    return {};
  return text.substr(tokens[first].begin, tokens[end - 1].end - tokens[first].begin);
}

std::size_t utterance::phrase_at(std::size_t i, std::string_view phrase) const {
  std::size_t n = 0;
  while (!phrase.empty()) {
    const auto space = phrase.find(' ');
    if (at(i + n).lower != phrase.substr(0, space))
      return 0;
    ++n;
    phrase = space == std::string_view::npos ? std::string_view{} : phrase.substr(space + 1);
  }
  return n;
}

std::size_t utterance::phrase_at(std::size_t i,
                                 std::initializer_list<std::string_view> phrases) const {
  std::size_t best = 0;
  for (const auto phrase : phrases)
    best = std::max(best, phrase_at(i, phrase));
  return best;
}

bool utterance::has_phrase(std::initializer_list<std::string_view> phrases) const {
  for (std::size_t i = 0; i < size(); ++i)
    if (phrase_at(i, phrases) != 0)
      return true;
  return false;
}

std::size_t utterance::sentence_begin(std::size_t i) const {
  while (i > 0 && !at(i - 1).ends_sentence())
    --i;
  return i;
}

std::size_t utterance::sentence_end(std::size_t i) const {
  while (i < size() && !at(i).ends_sentence())
    ++i;
  return i;
}

bool utterance::is_question(std::size_t i) const {
  return at(sentence_end(i)).is("?");
}

std::string to_lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos)
    return {};
  return std::string{text.substr(first, text.find_last_not_of(blank) - first + 1)};
}

std::string_view cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes)
    return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0U) == 0x80U)
    --bytes;
  return text.substr(0, bytes);
}

std::vector<std::string> topic_words(const topic_declaration& topic) {
  static const std::set<std::string> empty = {"your", "the", "a",  "an",  "of", "for",   "my", "is",
                                              "and",  "or",  "do", "you", "we", "there", "by"};
  std::vector<std::string> words;
  for (auto source : {topic.label, topic.id}) {
    std::replace(source.begin(), source.end(), '_', ' ');
    for (const auto& t : utterance{source}.tokens)
      if (t.is_word() && empty.count(t.lower) == 0
          && std::find(words.begin(), words.end(), t.lower) == words.end())
        words.push_back(t.lower);
  }
  return words;
}

bool same_word(std::string_view a, std::string_view b) {
  static constexpr std::pair<std::string_view, std::string_view> pairs[] = {{"lift", "elevator"},
                                                                            {"floor", "storey"},
                                                                            {"e-mail", "email"},
                                                                            {"e-mail", "mail"},
                                                                            {"phone", "telephone"}};
  if (a == b)
    return true;
  // "box" and "boxes", "room" and "rooms".
  const auto plural = [](std::string_view one, std::string_view many) {
    return one.size() >= 3 && many.substr(0, one.size()) == one
           && (many.substr(one.size()) == "s" || many.substr(one.size()) == "es");
  };
  if (plural(a, b) || plural(b, a))
    return true;
  return std::any_of(std::begin(pairs), std::end(pairs), [&](const auto& p) {
    return (a == p.first && b == p.second) || (a == p.second && b == p.first);
  });
}

std::size_t skip_fillers(const utterance& u, std::size_t i) {
  while (i < u.size()) {
    if (const auto n =
          u.phrase_at(i, {"of course", "no problem", "let me see", "let me think", "i think",
                          "i guess", "i would say", "i'd say", "you know", "my answer is"});
        n != 0)
      i += n;
    else if (u.at(i).is_any({",",      ".",     "!",        "\n",      ":",       "-",
                             "–",      "—",     "…",        "well",    "sure",    "ok",
                             "okay",   "hi",    "hello",    "hey",     "um",      "uh",
                             "er",     "erm",   "hmm",      "so",      "oh",      "ah",
                             "yes",    "yeah",  "please",   "just",    "alright", "great",
                             "thanks", "maybe", "probably", "roughly", "about",   "around"}))
      ++i;
    else
      break;
  }
  return i;
}

bool is_function_word(const std::string& lower) {
  static const std::set<std::string> words = {
    "i",         "we",         "you",        "he",         "she",      "it",      "they",
    "me",        "us",         "my",         "our",        "your",     "his",     "her",
    "their",     "its",        "it's",       "i'm",        "im",       "i'd",     "i'll",
    "i've",      "we're",      "we'd",       "we'll",      "we've",    "you're",  "that's",
    "there's",   "what",       "why",        "how",        "when",     "where",   "who",
    "which",     "what's",     "who's",      "is",         "are",      "was",     "were",
    "be",        "been",       "do",         "does",       "did",      "don't",   "dont",
    "doesn't",   "didn't",     "can",        "can't",      "could",    "would",   "will",
    "won't",     "should",     "shall",      "may",        "might",    "must",    "have",
    "has",       "had",        "haven't",    "get",        "got",      "go",      "going",
    "want",      "need",       "like",       "know",       "think",    "mean",    "meant",
    "move",      "moving",     "see",        "say",        "tell",     "make",    "take",
    "give",      "put",        "the",        "a",          "an",       "this",    "that",
    "these",     "those",      "there",      "here",       "and",      "or",      "but",
    "if",        "because",    "not",        "no",         "nope",     "never",   "none",
    "nothing",   "nobody",     "to",         "from",       "in",       "on",      "at",
    "of",        "for",        "with",       "without",    "by",       "as",      "than",
    "then",      "so",         "too",        "also",       "very",     "really",  "still",
    "already",   "looking",    "planning",   "trying",     "ready",    "happy",   "fine",
    "good",      "sorry",      "skip",       "pass",       "help",     "stop",    "yes",
    "yeah",      "ok",         "okay",       "maybe",      "thanks",   "thank",   "hello",
    "hi",        "hey",        "please",     "actually",   "change",   "let's",   "living",
    "leaving",   "relocating", "wondering",  "interested", "asking",   "calling", "sure",
    "unsure",    "next",       "sometime",   "soon",       "another",  "some",    "any",
    "all",       "repeat",     "home",       "work",       "school",   "wait",    "again",
    "something", "someone",    "everything", "live",       "lives",    "new",     "old",
    "about",     "around",     "up",         "out",        "over",     "isn't",   "aren't",
    "wasn't",    "ain't",      "writing",    "here's",     "anything", "sleep",   "work",
    "buy",       "bye",        "goodbye",    "cheers",     "sell",     "talk",    "speak",
    "ask",       "find",       "keep",       "leave",      "start",    "finish",  "pay",
    "use",       "try",        "call",       "come",       "become",   "bring",   "book",
    "rent",      "stay",       "show",       "hear",       "them",     "him",     "myself",
    "cancel",    "order"};
  return words.count(lower) != 0;
}

} // namespace sidevoice::rules
