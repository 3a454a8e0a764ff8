#include "config/jsonc_scanner.hpp"

#include <utf8.h>

#include <algorithm>

namespace sidevoice {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool ends_word(char c) {
  return is_blank(c) || std::string_view{"{}[],:\"/"}.find(c) != std::string_view::npos;
}

} // namespace

jsonc_scanner::jsonc_scanner(std::string_view text, bool commented)
    : text_(text),
      commented_(commented) {
  if (text_.starts_with("\xEF\xBB\xBF"))
    pos_ = 3;
}

char jsonc_scanner::next() {
  while (pos_ < text_.size()) {
    const auto c = text_[pos_];
    if (is_blank(c))
      take();
    else if (c != '/')
      return c;
    else if (!skip_comment())
      return 0;
  }
  return 0;
}

void jsonc_scanner::take() {
  if (text_[pos_] == '\n')
    ++line_;
  ++pos_;
}

bool jsonc_scanner::skip_comment() {
  const auto rest = text_.substr(pos_);
  const auto to_line_end = rest.starts_with("//");
  if (!to_line_end && !rest.starts_with("/*")) {
    fault_ = "start a comment with // or /*";
    return false;
  }
  if (!commented_) {
    fault_ = "remove the comment: plain JSON has none";
    return false;
  }
  auto end = to_line_end ? rest.find('\n') : rest.find("*/", 2);
  if (end == std::string_view::npos && !to_line_end) {
    fault_ = "close the comment with */";
    return false;
  }
  if (end == std::string_view::npos)
    end = rest.size();
  else if (!to_line_end)
    end += 2;
  const auto comment = rest.substr(0, end);
  line_ += static_cast<std::size_t>(std::count(comment.begin(), comment.end(), '\n'));
  pos_ += end;
  return true;
}

std::optional<std::string_view> jsonc_scanner::take_string() {
  const auto start = pos_;
  for (auto at = pos_ + 1; at < text_.size(); ++at) {
    const auto c = text_[at];
    if (c == '"') {
      pos_ = at + 1;
      return text_.substr(start, pos_ - start);
    }
    if (c == '\\')
      ++at;
    if (at < text_.size() && static_cast<unsigned char>(text_[at]) < 0x20) {
      pos_ = at;
      fault_ = text_[at] == '\n' || text_[at] == '\r'
                 ? "close the text with \" on the line where it starts; a line break in it is "
                   "written \\n"
                 : "write control characters as escapes, such as \\t";
      return std::nullopt;
    }
  }
  pos_ = text_.size();
  fault_ = "close the text with \"";
  return std::nullopt;
}

std::string_view jsonc_scanner::peek_word() const {
  auto end = pos_;
  while (end < text_.size() && !ends_word(text_[end]))
    ++end;
  return text_.substr(pos_, end - pos_);
}

void jsonc_scanner::take_word(std::string_view word) {
  pos_ += word.size();
}

std::string jsonc_scanner::found() const {
  if (pos_ >= text_.size())
    return "the end of the text";
  if (text_[pos_] == '\n' || text_[pos_] == '\r')
    return "the end of the line";
  if (static_cast<unsigned char>(text_[pos_]) < 0x20)
    return "a control character";
  auto end = text_.begin() + static_cast<std::ptrdiff_t>(pos_);
  utf8::unchecked::next(end);
  const auto length = static_cast<std::size_t>(end - text_.begin()) - pos_;
  return '"' + std::string{text_.substr(pos_, length)} + '"';
}

} // namespace sidevoice
