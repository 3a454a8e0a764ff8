#include "providers/sse.hpp"

#include <doctest/doctest.h>

namespace sidevoice {

namespace {

/// The events of a text taken in the pieces that `cuts` makes, and its end.
std::vector<sse_event> read(const std::string& text, const std::vector<std::size_t>& cuts = {}) {
  sse_parser parser;
  std::vector<sse_event> out;
  std::size_t first = 0;
  const auto take = [&](std::size_t end) {
    auto some = parser.take(std::string_view{text}.substr(first, end - first));
    REQUIRE(some.has_value());
    out.insert(out.end(), some->begin(), some->end());
    first = end;
  };
  for (const auto cut : cuts)
    take(cut);
  take(text.size());
  if (auto last = parser.end())
    out.push_back(*last);
  return out;
}

struct row {
  const char* what;
  std::string text;
  std::vector<sse_event> events;
};

const std::vector<row>& rows() {
  static const std::vector<row> all{
    {"line feeds", "data: a\n\ndata: b\n\n", {{"message", "a"}, {"message", "b"}}},
    {"carriage returns with line feeds",
     "data: a\r\n\r\ndata: b\r\n\r\n",
     {{"message", "a"}, {"message", "b"}}},
    {"carriage returns alone", "data: a\r\rdata: b\r\r", {{"message", "a"}, {"message", "b"}}},
    {"all kinds of line ends in one event", "event: x\rdata: a\r\ndata: b\n\n", {{"x", "a\nb"}}},
    {"several data lines join with a line feed",
     "data: a\ndata:\ndata: b\n\n",
     {{"message", "a\n\nb"}}},
    {"one blank behind the colon goes, no more",
     "data:  a \n\ndata:b\n\n",
     {{"message", " a "}, {"message", "b"}}},
    {"comments say nothing",
     ": OPENROUTER PROCESSING\n\n:\n\ndata: a\n: b\n\n",
     {{"message", "a"}}},
    {"id, retry and unknown fields mean nothing",
     "id: 7\nretry: 10\nfoo: bar\ndata: a\n\n",
     {{"message", "a"}}},
    {"a type without data is no event", "event: ping\n\ndata: a\n\n", {{"message", "a"}}},
    {"a field without colon is a name without value", "data\n\n", {{"message", ""}}},
    {"a byte order mark at the beginning goes",
     "\xEF\xBB\xBF"
     "data: a\n\n",
     {{"message", "a"}}},
    {"text of many bytes",
     "data: \xC3\xBC\xF0\x9F\x98\x80\n\n",
     {{"message", "\xC3\xBC\xF0\x9F\x98\x80"}}},
    {"an event that no empty line ends",
     "data: a\n\ndata: [DONE]",
     {{"message", "a"}, {"message", "[DONE]"}}},
    {"nothing", "", {}},
    {"only line ends", "\r\n\n\r\r\n", {}},
  };
  return all;
}

} // namespace

TEST_CASE("server-sent events are read as their standard says") {
  for (const auto& row : rows()) {
    INFO(row.what);
    CHECK(read(row.text) == row.events);
  }
}

TEST_CASE("cuts between any two or three pieces change nothing") {
  for (const auto& row : rows()) {
    INFO(row.what);
    for (std::size_t a = 0; a <= row.text.size(); ++a)
      for (std::size_t b = a; b <= row.text.size(); ++b)
        REQUIRE(read(row.text, {a, b}) == row.events);
  }
}

TEST_CASE("events come with the piece that completes them") {
  sse_parser parser;
  CHECK(parser.take("data: a\n")->empty());
  CHECK(parser.take("\n")->size() == 1);
  // A CR may be half of a CRLF: the event is there all the same.
  CHECK(parser.take("data: b\r\r")->size() == 1);
  CHECK(parser.take("\ndata: c\n\n")->size() == 1);
}

TEST_CASE("an event that is too long breaks the stream, in one line or in many") {
  for (const auto* text : {"data: 0123456789abcdef", "data: 01234567\ndata: 89abcdef\n"}) {
    sse_parser parser{16};
    CHECK(parser.take("data: short\n\n")->size() == 1);
    const auto broken = parser.take(text);
    REQUIRE_FALSE(broken.has_value());
    CHECK(broken.error().reason == "too_large");
    CHECK_FALSE(parser.take("\n\ndata: a\n\n").has_value());
    CHECK_FALSE(parser.end().has_value());
  }
}

TEST_CASE("endless comments and fields take no memory that counts") {
  sse_parser parser{64};
  for (int i = 0; i < 10'000; ++i)
    REQUIRE(parser.take(": still working on it\nid: 1\n").has_value());
  CHECK(parser.take("data: a\n\n")->size() == 1);
}

} // namespace sidevoice
