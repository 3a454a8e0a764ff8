#include "config/topic_value.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sidevoice;

namespace {

constexpr calendar_day today{2027, 3, 12};

topic_declaration topic(topic_type type) {
  topic_declaration out;
  out.id = "thing";
  out.label = "The thing";
  out.type = type;
  if (type == topic_type::choice)
    out.choices = {{"studio", {"one room", "bedsit"}}, {"flat", {"apartment"}}, {"house", {}}};
  if (type == topic_type::money)
    out.currency = "EUR";
  return out;
}

/// The canonical form, or "refused".
std::string canonical(const topic_declaration& topic, const std::string& value) {
  const auto checked = check_topic_value(topic, value, today);
  return checked ? *checked : "refused";
}

struct example {
  topic_type type;
  std::string value;
  std::string expected;
};

const std::string e_acute = "\xC3\xA9";

} // namespace

TEST_CASE("values come back in canonical form, and what a type does not know is refused") {
  const std::vector<example> rows = {
    {topic_type::text, R"("  two mirrors ")", R"("two mirrors")"},
    {topic_type::text, R"("a\nb")", R"("a\nb")"},
    {topic_type::text, R"("\u00a0x\u00a0")", R"("x")"},
    {topic_type::text, R"("  ")", "refused"},
    {topic_type::text, R"("")", "refused"},
    {topic_type::text, "5", "refused"},
    {topic_type::text, "null", "refused"},
    {topic_type::text, "two mirrors", "refused"},
    {topic_type::text, R"("a\u0000b")", "refused"},
    {topic_type::text, R"("a\u001bb")", "refused"},
    {topic_type::text, R"("\ud800")", "refused"},
    {topic_type::text, "\"\xFF\"", "refused"},
    {topic_type::text, '"' + std::string(2000, 'x') + '"', '"' + std::string(2000, 'x') + '"'},
    {topic_type::text, '"' + std::string(2001, 'x') + '"', "refused"},
    {topic_type::text, '"' + std::string(20'000, ' ') + '"', "refused"},

    {topic_type::person_name, R"(" Ada   Lovelace\n")", R"("Ada Lovelace")"},
    {topic_type::person_name, '"' + e_acute + '"', '"' + e_acute + '"'},
    {topic_type::person_name, R"("O'Brien-Smith, Jr.")", R"("O'Brien-Smith, Jr.")"},
    {topic_type::person_name, R"("42")", "refused"},
    {topic_type::person_name, R"("ada@example.org")", "refused"},
    {topic_type::person_name, R"("...")", "refused"},
    {topic_type::person_name, "true", "refused"},

    {topic_type::address, R"("12 Mill Lane,\n  Oxford ")", R"("12 Mill Lane, Oxford")"},
    {topic_type::address, R"("10115")", R"("10115")"},
    {topic_type::address, R"("-")", "refused"},
    {topic_type::address, R"("--")", "refused"},
    {topic_type::address, "{}", "refused"},

    {topic_type::date, R"(" 2027-03-12 ")", R"("2027-03-12")"},
    {topic_type::date, R"("2028-02-29")", R"("2028-02-29")"},
    {topic_type::date, R"("2027-02-29")", "refused"},
    {topic_type::date, R"("2027-02-30")", "refused"},
    {topic_type::date, R"("2027-13-01")", "refused"},
    {topic_type::date, R"("2027-3-1")", "refused"},
    {topic_type::date, R"("12.03.2027")", "refused"},
    {topic_type::date, R"("2027-03-12T10:00:00Z")", "refused"},
    {topic_type::date, R"("tomorrow")", "refused"},
    {topic_type::date, R"("-027-03-12")", "refused"},
    {topic_type::date, R"("0000-01-01")", "refused"},
    {topic_type::date, "20270312", "refused"},

    {topic_type::choice, R"("flat")", R"("flat")"},
    {topic_type::choice, R"(" Apartment")", R"("flat")"},
    {topic_type::choice, R"("ONE  ROOM")", R"("studio")"},
    {topic_type::choice, R"("castle")", "refused"},
    {topic_type::choice, R"("")", "refused"},
    {topic_type::choice, "1", "refused"},

    {topic_type::integer, "3", "3"},
    {topic_type::integer, "3.0", "3"},
    {topic_type::integer, "-2", "-2"},
    {topic_type::integer, R"(" 12 ")", "12"},
    {topic_type::integer, "9007199254740992", "9007199254740992"},
    {topic_type::integer, "3.5", "refused"},
    {topic_type::integer, "1e300", "refused"},
    {topic_type::integer, "1e999", "refused"},
    {topic_type::integer, R"("three")", "refused"},
    {topic_type::integer, R"("3 floors")", "refused"},
    {topic_type::integer, R"("")", "refused"},
    {topic_type::integer, R"("nan")", "refused"},
    {topic_type::integer, "true", "refused"},

    {topic_type::yes_no, "true", "true"},
    {topic_type::yes_no, "false", "false"},
    {topic_type::yes_no, R"("Yes")", "true"},
    {topic_type::yes_no, R"("no ")", "false"},
    {topic_type::yes_no, R"("maybe")", "refused"},
    {topic_type::yes_no, "1", "refused"},

    {topic_type::money, "1200", R"({"amount":1200,"currency":"EUR"})"},
    {topic_type::money, R"({"currency":"EUR","amount":1200.0})",
     R"({"amount":1200,"currency":"EUR"})"},
    {topic_type::money, R"({"amount":"1200.50"})", R"({"amount":1200.5,"currency":"EUR"})"},
    {topic_type::money, R"("EUR 1,200")", R"({"amount":1200,"currency":"EUR"})"},
    {topic_type::money, R"("1,234,567.89 eur")", R"({"amount":1234567.89,"currency":"EUR"})"},
    {topic_type::money, "0", R"({"amount":0,"currency":"EUR"})"},
    {topic_type::money, R"("1,5")", "refused"},
    {topic_type::money, R"(",500")", "refused"},
    {topic_type::money, "1.005", "refused"},
    {topic_type::money, "-5", "refused"},
    {topic_type::money, "1e13", "refused"},
    {topic_type::money, R"({"amount":5,"currency":"USD"})", "refused"},
    {topic_type::money, R"({"amount":5,"note":"x"})", "refused"},
    {topic_type::money, R"({"currency":"EUR"})", "refused"},
    {topic_type::money, R"("USD 5")", "refused"},
    {topic_type::money, R"("EUR")", "refused"},

    {topic_type::email, R"(" Ada@Example.ORG ")", R"("Ada@example.org")"},
    {topic_type::email, R"("a.b+c@mail.example.co")", R"("a.b+c@mail.example.co")"},
    {topic_type::email, R"("ada")", "refused"},
    {topic_type::email, R"("ada@example")", "refused"},
    {topic_type::email, R"("ada@@example.org")", "refused"},
    {topic_type::email, R"("ada lovelace@example.org")", "refused"},
    {topic_type::email, R"("ada..b@example.org")", "refused"},
    {topic_type::email, R"(".ada@example.org")", "refused"},
    {topic_type::email, R"("ada@-example.org")", "refused"},
    {topic_type::email, R"("ada@example..org")", "refused"},
    {topic_type::email, R"("ada@example.1")", "refused"},
    {topic_type::email, R"("@example.org")", "refused"},
    {topic_type::email, R"("ada@example.org\nBcc: x@example.org")", "refused"},
    {topic_type::email, '"' + std::string(65, 'a') + "@example.org\"", "refused"},
  };
  for (const auto& row : rows) {
    CAPTURE(to_string(row.type));
    CAPTURE(row.value);
    CHECK(canonical(topic(row.type), row.value) == row.expected);
  }
}

TEST_CASE("a canonical value is taken again and stays as it is") {
  for (const auto& [type, value] :
       std::vector<std::pair<topic_type, std::string>>{{topic_type::money, R"("EUR 1,200.50")"},
                                                       {topic_type::choice, R"("apartment")"},
                                                       {topic_type::yes_no, R"("yes")"},
                                                       {topic_type::email, R"("A@B.org")"}}) {
    const auto once = canonical(topic(type), value);
    CHECK(canonical(topic(type), once) == once);
  }
}

TEST_CASE("numbers keep to their bounds, and the refusal names them") {
  auto floor = topic(topic_type::integer);
  floor.min = 0;
  floor.max = 60;
  CHECK(canonical(floor, "0") == "0");
  CHECK(canonical(floor, "60") == "60");
  CHECK(canonical(floor, "61") == "refused");
  CHECK(canonical(floor, "-1") == "refused");
  CHECK(check_topic_value(floor, "61", today).error().detail
        == "\"The thing\" takes a whole number between 0 and 60, such as 3.");
  floor.min = 10;
  floor.max.reset();
  CHECK(check_topic_value(floor, "1", today).error().detail
        == "\"The thing\" takes a whole number of at least 10, such as 10.");

  auto debt = topic(topic_type::money);
  debt.min = -100;
  CHECK(canonical(debt, "-50") == R"({"amount":-50,"currency":"EUR"})");
  CHECK(canonical(debt, "-101") == "refused");
}

TEST_CASE("currencies without small coins take whole amounts, others their own places") {
  auto price = topic(topic_type::money);
  price.currency = "JPY";
  CHECK(canonical(price, "1200") == R"({"amount":1200,"currency":"JPY"})");
  CHECK(canonical(price, "1200.5") == "refused");
  price.currency = "KWD";
  CHECK(canonical(price, "1.125") == R"({"amount":1.125,"currency":"KWD"})");
}

TEST_CASE("a day with the bound today may be today, not yesterday") {
  auto day = topic(topic_type::date);
  day.min_today = true;
  CHECK(canonical(day, R"("2027-03-12")") == R"("2027-03-12")");
  CHECK(canonical(day, R"("2027-03-11")") == "refused");
  CHECK(check_topic_value(day, R"("2020-01-01")", today).error().detail
        == "\"The thing\" takes a day from today on, such as \"2027-03-12\".");
}

TEST_CASE("a value's own name comes before the words of the others") {
  auto home = topic(topic_type::choice);
  home.choices = {{"big", {"small"}}, {"small", {}}};
  CHECK(canonical(home, R"("small")") == R"("small")");
}

TEST_CASE("a list checks each of its elements, and a single value is a list of one") {
  auto fragile = topic(topic_type::text);
  fragile.list = true;
  CHECK(canonical(fragile, R"([" piano ", "mirror"])") == R"(["piano","mirror"])");
  CHECK(canonical(fragile, R"("piano")") == R"(["piano"])");
  CHECK(canonical(fragile, "[]") == "[]");
  CHECK(canonical(fragile, R"(["piano", ""])") == "refused");
  CHECK(canonical(fragile, R"([["piano"]])") == "refused");
  std::string many = "[\"x\"";
  for (int i = 0; i < 100; ++i)
    many += ",\"x\"";
  CHECK(canonical(fragile, many + "]") == "refused");
  CHECK(canonical(topic(topic_type::text), R"(["piano"])") == "refused");
}

TEST_CASE("keywords of a schema that nothing checks say nothing, whatever stands there") {
  auto boxes = topic(topic_type::object);
  for (const auto* schema :
       {R"({"properties":{"a":{"pattern":"("}}})", R"({"properties":{"a":{"pattern":7}}})",
        R"({"$ref":""})", R"({"$ref":"#"})", R"({"$ref":"#/none"})", R"({"$ref":{}})",
        R"({"propertyNames":{"pattern":"^b$"}})"}) {
    boxes.schema = schema;
    CHECK_MESSAGE(check_topic_value(boxes, R"({"a":"x"})", today).has_value(), schema);
  }
}

TEST_CASE("objects are checked against their schema") {
  auto boxes = topic(topic_type::object);
  boxes.schema =
    R"({"type":"object","properties":{"note":{"type":"string"},"size":{"enum":["s","l"]},)"
    R"("marks":{"type":"array","items":{"type":"integer","maximum":9}}},"required":["note"],)"
    R"("additionalProperties":{"type":"integer","minimum":0}})";
  CHECK(canonical(boxes, R"({"note":"x","kitchen":4})") == R"({"kitchen":4,"note":"x"})");
  CHECK(canonical(boxes, R"({"note":"x","size":"s","marks":[1,2.0]})")
        == R"({"marks":[1,2.0],"note":"x","size":"s"})");
  CHECK(canonical(boxes, R"({"kitchen":4})") == "refused");
  CHECK(canonical(boxes, R"({"note":"x","kitchen":-1})") == "refused");
  CHECK(canonical(boxes, R"({"note":"x","kitchen":"four"})") == "refused");
  CHECK(canonical(boxes, R"({"note":"x","size":"m"})") == "refused");
  CHECK(canonical(boxes, R"({"note":"x","marks":[10]})") == "refused");
  CHECK(canonical(boxes, R"({"note":5})") == "refused");
  CHECK(canonical(boxes, R"({"note":"x","note":"y"})") == "refused");
  CHECK(canonical(boxes, "[]") == "refused");
  boxes.schema = R"({"type":"object","additionalProperties":false})";
  CHECK(canonical(boxes, "{}") == "{}");
  CHECK(canonical(boxes, R"({"a":1})") == "refused");
  boxes.schema = R"({"additionalProperties":{"type":["null","boolean","number"]}})";
  CHECK(canonical(boxes, R"({"a":null,"b":true,"c":0.5})") == R"({"a":null,"b":true,"c":0.5})");
  CHECK(canonical(boxes, R"({"a":"x"})") == "refused");
}

TEST_CASE("a refusal names the topic and an example, and never the value") {
  for (const auto type :
       {topic_type::text, topic_type::person_name, topic_type::address, topic_type::date,
        topic_type::choice, topic_type::integer, topic_type::yes_no, topic_type::money,
        topic_type::email, topic_type::object}) {
    const auto refused = check_topic_value(topic(type), R"({"canary":"canary"})", today);
    if (type == topic_type::object) {
      CHECK(refused.has_value());
      continue;
    }
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == errc::invalid);
    CHECK(refused.error().param == "thing");
    CHECK(refused.error().detail.starts_with("\"The thing\" takes "));
    CHECK(refused.error().detail.find("canary") == std::string::npos);
  }
  auto boxes = topic(topic_type::object);
  boxes.schema = R"({"additionalProperties":{"type":"integer"}})";
  const auto refused = check_topic_value(boxes, R"({"canary":"canary"})", today);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().detail.find("canary") == std::string::npos);
}

TEST_CASE("people read values in words") {
  CHECK(display_topic_value(topic(topic_type::date), R"("2027-03-12")") == "12 March 2027");
  CHECK(display_topic_value(topic(topic_type::money), R"({"amount":1200,"currency":"EUR"})")
        == "EUR 1,200");
  CHECK(display_topic_value(topic(topic_type::money), R"({"amount":1234567.5,"currency":"EUR"})")
        == "EUR 1,234,567.50");
  CHECK(display_topic_value(topic(topic_type::money), R"({"amount":-999,"currency":"JPY"})")
        == "JPY -999");
  CHECK(display_topic_value(topic(topic_type::yes_no), "true") == "yes");
  CHECK(display_topic_value(topic(topic_type::yes_no), "false") == "no");
  CHECK(display_topic_value(topic(topic_type::choice), R"("flat")") == "flat");
  CHECK(display_topic_value(topic(topic_type::integer), "3") == "3");
  CHECK(display_topic_value(topic(topic_type::object), R"({"kitchen":4,"cellar":10})")
        == "cellar: 10, kitchen: 4");
  auto list = topic(topic_type::date);
  list.list = true;
  CHECK(display_topic_value(list, R"(["2027-03-12","2027-12-01"])")
        == "12 March 2027, 1 December 2027");
  CHECK(display_topic_value(topic(topic_type::date), "broken") == "broken");
  CHECK(display_topic_value(topic(topic_type::money), "null").empty());
}
