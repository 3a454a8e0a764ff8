#include "tests/providers/extract_table.hpp"
#include "tests/providers/moving.hpp"

namespace sidevoice {

namespace {

topic_declaration budget() {
  auto t = moving::topic("budget", topic_type::money, "Budget");
  t.currency = "EUR";
  return t;
}

topic_declaration floor_topic() {
  auto t = moving::topic("floor", topic_type::integer, "Floor");
  t.min = -2;
  t.max = 60;
  return t;
}

std::string eur(const std::string& amount) {
  return R"({"amount":)" + amount + R"(,"currency":"EUR"})";
}

} // namespace

TEST_CASE("an amount with its currency is found anywhere") {
  for (const auto& p : std::vector<phrase>{{"1,200 euros", "1200"},
                                           {"€1200", "1200"},
                                           {"€ 1.200", "1200"},
                                           {"1.200,50 EUR", "1200.5"},
                                           {"about 1.5k euros I think", "1500"},
                                           {"two thousand five hundred euros", "2500"},
                                           {"between 800 and 1,200 euros", "1200"},
                                           {"800 to 1200 euros", "1200"},
                                           {"800-1200 €", "1200"},
                                           {"€800-1200", "1200"},
                                           {"a thousand euros", "1000"},
                                           {"up to 900 euro", "900"}}) {
    INFO("text: ", p.text);
    CHECK(extracted(budget(), p.text, false) == eur(p.value));
  }
}

TEST_CASE("a bare amount counts only as an answer or beside its label") {
  CHECK(extracted(budget(), "1.5k", true) == eur("1500"));
  CHECK(extracted(budget(), "around 1200", true) == eur("1200"));
  CHECK(extracted(budget(), "twelve hundred", true) == eur("1200"));
  CHECK(extracted(budget(), "between 800 and 1200", true) == eur("1200"));
  CHECK(extracted(budget(), "my budget is 1200", false) == eur("1200"));
  for (const std::string text : {"1200", "I have 3 rooms", "12 March", "at 5"}) {
    INFO("text: ", text);
    CHECK(extracted(budget(), text, false).empty());
  }
  for (const std::string text : {"12 March 2027", "3 rooms", "no idea", "tomorrow", "third"}) {
    INFO("text: ", text);
    CHECK(extracted(budget(), text, true).empty());
  }
}

TEST_CASE("a whole number is found beside its label") {
  check_phrases(floor_topic(), false,
                {{"It is on the third floor", "3"},
                 {"3rd floor", "3"},
                 {"floor 3", "3"},
                 {"the floor is 12", "12"},
                 {"ground floor", "0"},
                 {"we live in the basement", "-1"},
                 {"twenty-first floor", "21"},
                 {"3 boxes", ""},
                 {"12 March", ""},
                 {"the lower floor", ""},
                 {"1,200 euros", ""}});
  const auto rooms = moving::topic("rooms", topic_type::integer, "Rooms");
  check_phrases(rooms, false, {{"we have 3 rooms", "3"}, {"one room", "1"}, {"3 boxes", ""}});
}

TEST_CASE("a bare number counts as an answer") {
  check_phrases(floor_topic(), true,
                {{"3", "3"},
                 {"three", "3"},
                 {"the third", "3"},
                 {"-1", "-1"},
                 {"ground", "0"},
                 {"it's 12", "12"},
                 {"zero", "0"},
                 {"99", ""},
                 {"1.5", ""},
                 {"12 March", ""},
                 {"1,200 euros", ""},
                 {"no", ""},
                 {"", ""}});
}

TEST_CASE("figures with separators") {
  CHECK(rules::figure("1,200") == 1200);
  CHECK(rules::figure("1.200.000") == 1200000);
  CHECK(rules::figure("1,200.50") == 1200.5);
  CHECK(rules::figure("1.5") == 1.5);
  CHECK(rules::figure("1234.5") == 1234.5);
  CHECK_FALSE(rules::figure("12:30"));
  CHECK_FALSE(rules::figure("2027-03-12"));
  CHECK_FALSE(rules::figure(""));
  CHECK_FALSE(rules::figure("11111111111111111111111111111111111"));
}

} // namespace sidevoice
