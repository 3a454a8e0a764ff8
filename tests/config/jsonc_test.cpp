#include "config/jsonc.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

using namespace sidevoice;

namespace {

std::string dump(std::string_view text, json_dialect dialect = json_dialect::commented) {
  const auto document = parse_jsonc(text, dialect);
  return document.root ? document.root->dump() : "refused";
}

std::size_t line_of(const jsonc_document& document, const std::string& path) {
  const auto found = document.positions.find(path);
  return found == document.positions.end() ? 0 : found->second.line;
}

} // namespace

TEST_CASE("comments and trailing commas are read over") {
  CHECK(dump("// first\n{ /* a */ \"a\": 1, // b\n \"b\": [1, 2, /* , */ ], }\n// last")
        == R"({"a":1,"b":[1,2]})");
  CHECK(dump("{\"url\": \"https://x/*no*/\", }") == R"({"url":"https://x/*no*/"})");
}

TEST_CASE("keys keep their order, and every kind of value is read") {
  CHECK(dump(R"({"z":1,"a":-2.5e3,"m":[true,false,null,{}],"e":"\u00e9\ud83d\ude00"})")
        == "{\"z\":1,\"a\":-2500.0,\"m\":[true,false,null,{}],\"e\":\"\xC3\xA9\xF0\x9F\x98\x80\"}");
}

TEST_CASE("a byte order mark is read over") {
  CHECK(dump("\xEF\xBB\xBF{}") == "{}");
}

TEST_CASE("plain JSON takes neither comments nor trailing commas") {
  CHECK(dump("{\"a\":1,}", json_dialect::strict) == "refused");
  CHECK(dump("[1,]", json_dialect::strict) == "refused");
  CHECK(dump("[1] // x", json_dialect::strict) == "refused");
  CHECK(dump(" [1] ", json_dialect::strict) == "[1]");
}

TEST_CASE("each value knows its line, whatever stands between") {
  const auto document = parse_jsonc("{\n"
                                    "  // comment\n"
                                    "  \"a\":\n"
                                    "    1,\r\n"
                                    "  /* two\n"
                                    "     lines */ \"b\": [\n"
                                    "    {\"c\": \"x\"},\n"
                                    "    2\n"
                                    "  ],\n"
                                    "  \"odd key\": {\"$x-y\": 0}\n"
                                    "}\n");
  REQUIRE(document.root);
  CHECK(line_of(document, "") == 1);
  CHECK(line_of(document, "a") == 3);
  CHECK(line_of(document, "b") == 6);
  CHECK(line_of(document, "b[0]") == 7);
  CHECK(line_of(document, "b[0].c") == 7);
  CHECK(line_of(document, "b[1]") == 8);
  CHECK(line_of(document, "[\"odd key\"].$x-y") == 10);
}

TEST_CASE("a key that occurs twice is refused, and all such keys are named") {
  const auto document = parse_jsonc("{\"a\":1,\n\"a\":2,\n\"b\":{\"c\":1,\n\"c\":1}}");
  CHECK_FALSE(document.root);
  REQUIRE(document.faults.size() == 2);
  CHECK(document.faults[0].line == 2);
  CHECK(document.faults[0].key == "a");
  CHECK(document.faults[1].line == 4);
  CHECK(document.faults[1].key == "b.c");
  // Another spelling of the same key.
  CHECK(dump(R"({"a":1,"\u0061":2})") == "refused");
}

TEST_CASE("nesting is read to 32 levels and no further") {
  CHECK(dump(std::string(32, '[') + std::string(32, ']')) != "refused");
  CHECK(dump(std::string(33, '[') + std::string(33, ']')) == "refused");
  CHECK(dump(std::string(1'000'000, '[')) == "refused");
}

TEST_CASE("NUL is refused as a byte and as an escape") {
  CHECK(dump(std::string_view{"{\"a\":\"\0\"}", 9}) == "refused");
  CHECK(dump(R"({"a":"x\u0000"})") == "refused");
  CHECK(dump(R"({"\u0000":1})") == "refused");
}

TEST_CASE("bytes that are no UTF-8 are refused with their line") {
  const auto document = parse_jsonc("{\n\"a\":\n\"\xFF\"}");
  REQUIRE(document.faults.size() == 1);
  CHECK(document.faults[0].line == 3);
  CHECK(dump("[\"\xED\xA0\x80\"]") == "refused");
  CHECK(dump("[\"\xC0\x80\"]") == "refused");
}

TEST_CASE("every syntax error has its line and says how to mend it") {
  struct example {
    std::string text;
    std::size_t line;
    std::string found;
    std::string remedy;
  };
  const std::vector<example> examples = {
    {"", 1, "the end of the text", "write a value"},
    {"{\n\"a\": 1\n\"b\": 2}", 3, "\"\"\"", "write a comma"},
    {"{\n\"a\" 1}", 2, "\"1\"", "colon"},
    {"{\n\n'a': 1}", 3, "\"'\"", "double quotes"},
    {"{\"a\":\n tru }", 2, "\"t\"", "double quotes"},
    {"{\"a\": True}", 1, "\"T\"", "small letters"},
    {"{\"a\": 01}", 1, "\"0\"", "number"},
    {"{\"a\": 1e999}", 1, "\"1\"", "number"},
    {"{\"a\": .5}", 1, "\".\"", "double quotes"},
    {"{\"a\": NaN}", 1, "\"N\"", "double quotes"},
    {"{\"a\": \"x\n\"}", 1, "the end of the line", "close the text"},
    {"{\"a\": \"x\ty\"}", 1, "a control character", "escapes"},
    {"{\"a\": \"x", 1, "the end of the text", "close the text"},
    {"{\"a\": \"\\x\"}", 1, "an escape", "\\u"},
    {"{\"a\": \"\\ud800\"}", 1, "an escape", "pairs"},
    {"[1\n, , 2]", 2, "\",\"", "write a value"},
    {"[1, 2", 1, "the end of the text", "close with ]"},
    {"{\"a\": 1", 1, "the end of the text", "close with }"},
    {"{\"a\": 1]", 1, "\"]\"", "close with }"},
    {"{}\n{}", 2, "\"{\"", "last closing bracket"},
    {"{ /* a\n", 1, "\"/\"", "*/"},
    {"{ / }", 1, "\"/\"", "//"},
    {"{\"a\": }", 1, "\"}\"", "write a value"},
    {"{,}", 1, "\",\"", "key in double quotes"},
  };
  for (const auto& wanted : examples) {
    CAPTURE(wanted.text);
    const auto document = parse_jsonc(wanted.text);
    CHECK_FALSE(document.root);
    REQUIRE(document.faults.size() == 1);
    CHECK(document.faults[0].line == wanted.line);
    CHECK(document.faults[0].found.starts_with(wanted.found));
    CAPTURE(document.faults[0].remedy);
    CHECK(document.faults[0].remedy.find(wanted.remedy) != std::string::npos);
  }
}

TEST_CASE("faults never repeat a value of the text") {
  for (const std::string text : {"{\"key\": canary-value}", "{\"key\": \"canary-value}",
                                 "{\"key\": \"canary-value\" \"canary\"}", "{\"key\": 'canary'}"}) {
    const auto document = parse_jsonc(text);
    REQUIRE(document.faults.size() == 1);
    const auto& fault = document.faults[0];
    CHECK((fault.found + fault.remedy + fault.key).find("canary") == std::string::npos);
  }
}

TEST_CASE("no prefix of a good text is taken for a good one, nor does it harm") {
  const std::string text = "{\"a\":[1,{\"b\":\"\\u00e9\"}],/*c*/\"d\":null}";
  for (std::size_t length = 0; length < text.size(); ++length)
    CHECK_FALSE(parse_jsonc(text.substr(0, length)).root);
  CHECK(parse_jsonc(text).root);
}
