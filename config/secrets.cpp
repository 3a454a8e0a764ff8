#include "config/secrets.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace sidevoice {

namespace {

constexpr std::size_t secret_bytes_max = 65'536;

bool is_variable(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), good);
}

error bad_file(const std::string& path, const std::string& why) {
  return {errc::invalid, "the file " + path + ' ' + why, {}, "file"};
}

/// Closes what open() gave.
struct descriptor {
  int number;

  explicit descriptor(int n) : number(n) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number >= 0)
      ::close(number);
  }
};

result<std::string> read_secret_file(const std::string& path) {
  // Not to wait for a pipe's other end.
  const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status = {};
  if (file.number < 0 || ::fstat(file.number, &status) != 0)
    return bad_file(path, "cannot be read: create it, readable for this user");
  if (!S_ISREG(status.st_mode))
    return bad_file(path, "is no plain file: name one");
  if ((status.st_mode & S_IROTH) != 0)
    return bad_file(path, "is readable for everybody: chmod 600 it");
  std::string text(secret_bytes_max + 1, '\0');
  const auto length = ::read(file.number, text.data(), text.size());
  if (length < 0 || static_cast<std::size_t>(length) > secret_bytes_max)
    return bad_file(path, "is larger than 64 KiB: name a file with nothing but the secret");
  text.resize(static_cast<std::size_t>(length));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.pop_back();
  if (text.empty())
    return bad_file(path, "is empty: write the secret into it");
  return text;
}

} // namespace

environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const auto* value = std::getenv(name.c_str()); // NOLINT(concurrency-mt-unsafe): nobody sets
    return value == nullptr ? std::nullopt : std::optional<std::string>{value};
  };
}

result<reference> parse_reference(const std::string& text) {
  const error literal{errc::invalid, "write ${env:NAME} or ${file:PATH}", {}, "literal"};
  if (!text.starts_with("${") || !text.ends_with('}'))
    return literal;
  const auto inner = text.substr(2, text.size() - 3);
  if (inner.starts_with("file:") && inner.size() > 5)
    return reference{reference::kind::file, inner.substr(5), std::nullopt};
  if (!inner.starts_with("env:"))
    return literal;
  const auto bar = inner.find('|');
  reference out{reference::kind::env, inner.substr(4, bar == std::string::npos ? bar : bar - 4),
                std::nullopt};
  if (bar != std::string::npos)
    out.otherwise = inner.substr(bar + 1);
  if (!is_variable(out.name))
    return literal;
  return out;
}

result<std::string> resolve(const reference& what, const environment& env,
                            const std::filesystem::path& folder) {
  if (what.from == reference::kind::file)
    return read_secret_file((folder / what.name).string());
  if (auto value = env(what.name); value && !value->empty())
    return *value;
  if (what.otherwise)
    return *what.otherwise;
  return error{errc::not_found, "set the variable " + what.name, {}, "unset"};
}

result<std::string> resolve_text(const std::string& text, const environment& env,
                                 const std::filesystem::path& folder) {
  if (!text.starts_with("${"))
    return text;
  const auto what = parse_reference(text);
  if (!what)
    return what.error();
  return resolve(*what, env, folder);
}

namespace {

/// Calls `with_text` and `with_reference` for the parts of a text, in their order.
template <class Text, class Reference>
result<void> walk(const std::string& text, Text with_text, Reference with_reference) {
  std::size_t from = 0;
  for (;;) {
    const auto begin = text.find("${", from);
    with_text(text.substr(from, begin == std::string::npos ? begin : begin - from));
    if (begin == std::string::npos)
      return {};
    const auto end = text.find('}', begin);
    const auto what = end == std::string::npos
                        ? result<reference>{error{errc::invalid, {}, {}, "literal"}}
                        : parse_reference(text.substr(begin, end + 1 - begin));
    if (!what || what->from != reference::kind::env)
      return error{
        errc::invalid, "write ${env:NAME} or ${env:NAME|default} inside a text", {}, "literal"};
    if (const auto done = with_reference(*what); !done)
      return done.error();
    from = end + 1;
  }
}

} // namespace

result<std::string> expand(const std::string& text, const environment& env) {
  std::string out;
  const auto done = walk(
    text, [&](const std::string& part) { out += part; },
    [&](const reference& what) -> result<void> {
      const auto value = resolve(what, env, {});
      if (!value)
        return value.error();
      out += *value;
      return {};
    });
  if (!done)
    return done.error();
  return out;
}

result<std::vector<reference>> references_in(const std::string& text) {
  std::vector<reference> out;
  const auto done = walk(
    text, [](const std::string&) {},
    [&](const reference& what) -> result<void> {
      out.push_back(what);
      return {};
    });
  if (!done)
    return done.error();
  return out;
}

} // namespace sidevoice
