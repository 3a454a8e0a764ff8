#include "config/jsonc.hpp"

#include "config/jsonc_scanner.hpp"

#include <nlohmann/json.hpp>
#include <utf8.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
         || c == '-' || c == '$';
}

/// Recursive descent over the scanner's tokens. Recursion is bounded by `json_depth_max`.
class reader {
public:
  reader(std::string_view text, json_dialect dialect)
      : scan_(text, dialect == json_dialect::commented),
        with_positions_(dialect == json_dialect::commented) {}

  jsonc_document read() {
    ordered_json root;
    auto good = value(root, "", 1);
    if (good)
      good = at_end();
    if (good && out_.faults.empty())
      out_.root = std::make_shared<ordered_json>(std::move(root));
    return std::move(out_);
  }

private:
  bool fail(const std::string& key, std::string found, std::string remedy) {
    out_.faults.push_back({scan_.line(), key, std::move(found), std::move(remedy)});
    return false;
  }

  /// The scanner knows best what is wrong with a comment or a character.
  bool fail_at_token(const std::string& key, const std::string& remedy) {
    if (!scan_.fault().empty())
      return fail(key, scan_.found(), scan_.fault());
    return fail(key, scan_.found(), remedy);
  }

  void remember(const std::string& path, std::size_t line) {
    if (with_positions_)
      out_.positions.emplace(path, jsonc_position{line, path});
  }

  bool at_end() {
    if (scan_.next() == 0 && scan_.fault().empty())
      return true;
    return fail_at_token("", "remove what follows the last closing bracket");
  }

  bool value(ordered_json& into, const std::string& path, std::size_t depth) {
    const auto c = scan_.next();
    // A member's line is its key's: that one is there already, and emplace keeps it.
    remember(path, scan_.line());
    if ((c == '{' || c == '[') && depth > json_depth_max)
      return fail(path, "nesting deeper than " + std::to_string(json_depth_max) + " levels",
                  "flatten the value");
    if (c == '{')
      return object(into, path, depth);
    if (c == '[')
      return array(into, path, depth);
    if (c == '"')
      return text(into, path);
    return scalar(into, path);
  }

  bool object(ordered_json& into, const std::string& path, std::size_t depth) {
    into = ordered_json::object();
    std::set<std::string> keys;
    scan_.take();
    while (scan_.next() != '}') {
      if (scan_.next() != '"')
        return fail_at_token(path, "write a key in double quotes, or close the object with }");
      const auto line = scan_.line();
      ordered_json key;
      if (!text(key, path) || !colon(path, key))
        return false;
      const auto name = key.get<std::string>();
      const auto inner = path_of(path, name);
      remember(inner, line);
      ordered_json member;
      if (!value(member, inner, depth + 1))
        return false;
      if (keys.insert(name).second)
        into[name] = std::move(member);
      else
        out_.faults.push_back(
          {line, inner, "the key a second time", "keep one of the two: a key may occur once"});
      if (!separator('}', path))
        return false;
    }
    scan_.take();
    return true;
  }

  bool array(ordered_json& into, const std::string& path, std::size_t depth) {
    into = ordered_json::array();
    scan_.take();
    while (scan_.next() != ']') {
      ordered_json element;
      if (!value(element, path_of(path, into.size()), depth + 1))
        return false;
      into.push_back(std::move(element));
      if (!separator(']', path))
        return false;
    }
    scan_.take();
    return true;
  }

  bool colon(const std::string& path, const ordered_json& key) {
    if (scan_.next() != ':')
      return fail_at_token(path_of(path, key.get<std::string>()),
                           "write a colon between key and value");
    scan_.take();
    return true;
  }

  /// Takes a comma, or leaves the closing bracket. A comma before the bracket is fine in
  /// commented JSON.
  bool separator(char closing, const std::string& path) {
    const auto c = scan_.next();
    if (c == closing && scan_.fault().empty())
      return true;
    if (c != ',')
      return fail_at_token(path, std::string{"write a comma before it, or close with "} + closing);
    scan_.take();
    if (scan_.next() == closing && !scan_.commented())
      return fail(path, "a comma before " + std::string{closing}, "remove the comma");
    return true;
  }

  bool text(ordered_json& into, const std::string& path) {
    const auto token = scan_.take_string();
    if (!token)
      return fail(path, scan_.found(), scan_.fault());
    into = ordered_json::parse(*token, nullptr, false);
    if (into.is_discarded())
      return fail(path, "an escape that JSON does not know",
                  R"(use \" \\ \/ \b \f \n \r \t or \u with four digits, surrogates in pairs)");
    if (into.get_ref<const std::string&>().find('\0') != std::string::npos)
      return fail(path, "the character NUL", "remove it: no text may hold it");
    return true;
  }

  bool scalar(ordered_json& into, const std::string& path) {
    const auto word = scan_.peek_word();
    if (word.empty())
      return fail_at_token(path, "write a value: text in double quotes, a number, true, false, "
                                 "null, { or [");
    into = ordered_json::parse(word, nullptr, false);
    const auto good = !into.is_discarded()
                      && !(into.is_number_float() && !std::isfinite(into.get<double>()));
    if (!good)
      return fail_at_token(path, remedy_for(word));
    scan_.take_word(word);
    return true;
  }

  static std::string remedy_for(std::string_view word) {
    if (word == "True" || word == "False" || word == "None")
      return "write true, false or null in small letters";
    const auto number = word.front() == '-' || (word.front() >= '0' && word.front() <= '9');
    if (number)
      return "write a number as JSON does, such as 12, -0.5 or 1e6, or put it in double quotes";
    return "put text in double quotes";
  }

  jsonc_scanner scan_;
  bool with_positions_;
  jsonc_document out_;
};

/// The first thing wrong with the bytes as such.
std::optional<jsonc_fault> bad_bytes(std::string_view text) {
  const auto line_of = [&](std::size_t offset) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(offset);
    return static_cast<std::size_t>(std::count(text.begin(), end, '\n')) + 1;
  };
  if (const auto nul = text.find('\0'); nul != std::string_view::npos)
    return jsonc_fault{line_of(nul), "", "the character NUL", "remove it: no text may hold it"};
  const auto bad = utf8::find_invalid(text.begin(), text.end());
  if (bad != text.end())
    return jsonc_fault{line_of(static_cast<std::size_t>(bad - text.begin())), "",
                       "bytes that are no UTF-8", "save the file as UTF-8"};
  return std::nullopt;
}

} // namespace

jsonc_document parse_jsonc(std::string_view text, json_dialect dialect) {
  if (auto fault = bad_bytes(text)) {
    jsonc_document out;
    out.faults.push_back(std::move(*fault));
    return out;
  }
  return reader{text, dialect}.read();
}

std::string path_of(const std::string& parent, const std::string& key) {
  const auto plain = !key.empty() && std::all_of(key.begin(), key.end(), is_word_char);
  if (!plain)
    return parent
           + ordered_json::array({key}).dump(-1, ' ', false,
                                             ordered_json::error_handler_t::replace);
  return parent.empty() ? key : parent + '.' + key;
}

std::string path_of(const std::string& parent, std::size_t index) {
  return parent + '[' + std::to_string(index) + ']';
}

} // namespace sidevoice
