#include "config/template_text.hpp"

#include "config/topic_text.hpp"

namespace sidevoice {

std::string fill_variables(std::string_view text, const variable_lookup& lookup) {
  std::string out;
  for (;;) {
    const auto begin = text.find("{{");
    const auto end = begin == std::string_view::npos ? begin : text.find("}}", begin);
    if (end == std::string_view::npos)
      return out.append(text);
    out += text.substr(0, begin);
    const auto inner = text.substr(begin + 2, end - begin - 2);
    const auto bar = std::min(inner.find('|'), inner.size());
    const auto value = lookup(trimmed(inner.substr(0, bar)));
    if (value && !value->empty())
      out += *value;
    else if (bar < inner.size())
      out += inner.substr(bar + 1);
    text.remove_prefix(end + 2);
  }
}

} // namespace sidevoice
