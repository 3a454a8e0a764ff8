#pragma once

#include "providers/rules/extract.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace sidevoice {

/// One phrase and the value it must give; an empty value: it must give none.
struct phrase {
  std::string text;
  std::string value;
};

/// Monday.
inline constexpr calendar_day monday{2027, 3, 1};

inline std::string extracted(const topic_declaration& topic, const std::string& text, bool asked,
                             bool only_of_kind = true) {
  rules::scope s;
  s.topic = &topic;
  s.today = monday;
  s.asked = asked;
  s.only_of_kind = only_of_kind;
  const rules::utterance u{text};
  const auto e = rules::extract(u, s);
  if (!e.found)
    return "";
  // The quote is always a piece of the text.
  CHECK(e.found->begin < e.found->end);
  CHECK(e.found->end <= text.size());
  CHECK(e.found->confidence > 0);
  CHECK(e.found->confidence <= 1);
  return e.found->value;
}

inline void check_phrases(const topic_declaration& topic, bool asked,
                          const std::vector<phrase>& phrases) {
  for (const auto& p : phrases) {
    INFO("text: ", p.text);
    CHECK(extracted(topic, p.text, asked) == p.value);
  }
}

} // namespace sidevoice
