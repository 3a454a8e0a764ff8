#include "config/log.hpp"

#include <doctest/doctest.h>

using namespace sidevoice;

TEST_CASE("a log line is a sentence and its fields") {
  CHECK(log_text("session restored", {{"session", "sess_1"}, {"ms", "12"}})
        == "session restored session=sess_1 ms=12");
}

TEST_CASE("values with blanks, signs or nothing in them are quoted") {
  CHECK(log_text("x", {{"a", "two words"}}) == "x a=\"two words\"");
  CHECK(log_text("x", {{"a", "b=c"}}) == "x a=\"b=c\"");
  CHECK(log_text("x", {{"a", ""}}) == "x a=\"\"");
  CHECK(log_text("x", {{"a", "say \"hi\""}}) == R"(x a="say \"hi\"")");
  CHECK(log_text("x", {{"a", "back\\slash"}}) == R"(x a="back\\slash")");
}

TEST_CASE("no value can start a line of its own or steer a terminal") {
  const auto text = log_text("one\ntwo", {{"a", "b\r\nc\t\x1b[2J\x7f"}});
  CHECK(text == R"(one\ntwo a="b\r\nc\t\x1b[2J\x7f")");
  // C1 controls and the line separators of Unicode.
  CHECK(log_text("x", {{"a", "\xC2\x9B"
                             "2J"}})
        == R"(x a=\xc2\x9b2J)");
  CHECK(log_text("x", {{"a", "\xE2\x80\xA8"}}) == R"(x a=\xe2\x80\xa8)");
}

TEST_CASE("bytes that are no UTF-8 are shown as such, the rest stays readable") {
  CHECK(log_text("x", {{"a", "caf\xC3\xA9 \xFF"}}) == "x a=\"caf\xC3\xA9 \\xff\"");
  CHECK(log_text("x", {{"a", "\xE2\x82"}}) == R"(x a=\xe2\x82)");
  CHECK(log_text("x", {{"a", std::string(1, '\0')}}) == R"(x a=\x00)");
}

TEST_CASE("values are cut at 512 bytes, never inside a character") {
  CHECK(log_text("x", {{"a", std::string(512, 'v')}}) == "x a=" + std::string(512, 'v'));
  CHECK(log_text("x", {{"a", std::string(513, 'v')}}) == "x a=" + std::string(512, 'v') + "...");
  const auto odd = std::string(511, 'v') + "\xC3\xA9";
  CHECK(log_text("x", {{"a", odd}}) == "x a=" + std::string(511, 'v') + "...");
}
