#include "tests/providers/extract_table.hpp"
#include "tests/providers/moving.hpp"

namespace sidevoice {

namespace {

const auto day = moving::topic("date", topic_type::date, "Moving day", true);

} // namespace

TEST_CASE("a date is found anywhere, in many spellings") {
  check_phrases(day, false,
                {{"12 March 2027", R"("2027-03-12")"},
                 {"We move on 12 March 2028.", R"("2028-03-12")"},
                 {"12th of March, please", R"("2027-03-12")"},
                 {"the twelfth of March", R"("2027-03-12")"},
                 {"March 12th", R"("2027-03-12")"},
                 {"March 12, 2029", R"("2029-03-12")"},
                 {"Mar 12", R"("2027-03-12")"},
                 {"on the 3rd of sept", R"("2027-09-03")"},
                 {"twenty-first of June", R"("2027-06-21")"},
                 {"12.3.2027", R"("2027-03-12")"},
                 {"12.03.27", R"("2027-03-12")"},
                 {"am 12. March", R"("2027-03-12")"},
                 {"12/3/2027", R"("2027-03-12")"},
                 {"3/25/2027", R"("2027-03-25")"},
                 {"2027-03-12", R"("2027-03-12")"},
                 {"it is 2027-03-12.", R"("2027-03-12")"},
                 {"tomorrow", R"("2027-03-02")"},
                 {"Today would be great", R"("2027-03-01")"},
                 {"the day after tomorrow", R"("2027-03-03")"},
                 {"next Friday", R"("2027-03-05")"},
                 {"on friday", R"("2027-03-05")"},
                 {"next Monday", R"("2027-03-08")"},
                 {"this Monday", R"("2027-03-01")"},
                 {"Friday week", R"("2027-03-12")"},
                 {"the Friday after next", R"("2027-03-12")"},
                 {"Friday, 12 March", R"("2027-03-12")"},
                 {"Friday the 12th", R"("2027-03-12")"},
                 {"in two weeks", R"("2027-03-15")"},
                 {"in 10 days", R"("2027-03-11")"},
                 {"in a month", R"("2027-04-01")"},
                 {"a week from now", R"("2027-03-08")"},
                 {"three weeks from today", R"("2027-03-22")"},
                 {"in a couple of weeks", R"("2027-03-15")"}});
}

TEST_CASE("a day without a year is the next such day") {
  check_phrases(day, false,
                {{"1 March", R"("2027-03-01")"},
                 {"28 February", R"("2028-02-28")"},
                 {"29 February", R"("2028-02-29")"},
                 {"31 December", R"("2027-12-31")"}});
}

TEST_CASE("short and vague days count only as answers") {
  const std::vector<phrase> phrases = {{"the 12th", R"("2027-03-12")"},
                                       {"the 12th would be fine", R"("2027-03-12")"},
                                       {"12.3.", R"("2027-03-12")"},
                                       {"12/3", R"("2027-03-12")"},
                                       {"end of March", R"("2027-03-31")"},
                                       {"mid April", R"("2027-04-15")"},
                                       {"beginning of February", R"("2028-02-01")"},
                                       {"next week", R"("2027-03-08")"}};
  check_phrases(day, true, phrases);
  for (const auto& p : phrases) {
    INFO("text: ", p.text);
    CHECK(extracted(day, p.text, false).empty());
  }
}

TEST_CASE("what only looks like a date is none") {
  check_phrases(day, true,
                {{"30 February", ""},
                 {"31 April 2027", ""},
                 {"2027-13-40", ""},
                 {"the 3rd floor", ""},
                 {"the first one", ""},
                 {"in March", ""},
                 {"may I ask something", ""},
                 {"in two rooms", ""},
                 {"12 boxes", ""},
                 {"1.5k", ""},
                 {"version 12.34.5678.9", ""},
                 {"0 March", ""},
                 {"99 March", ""},
                 {"the sun is out", ""},
                 {"", ""}});
}

TEST_CASE("a day in the past is refused where the topic begins today, with the reason") {
  auto from_today = day;
  from_today.min_today = true;
  rules::scope s;
  s.topic = &from_today;
  s.today = monday;
  s.asked = true;
  const auto e = rules::extract(rules::utterance{"12 March 2020"}, s);
  CHECK_FALSE(e.found.has_value());
  CHECK(e.refused.find("Moving day") != std::string::npos);
}

TEST_CASE("of two dates each goes to the topic whose words stand before it") {
  const auto in = moving::topic("arrival", topic_type::date, "Arrival");
  const auto out = moving::topic("departure", topic_type::date, "Departure");
  const std::string text = "Arrival is 12 March and departure 14 March";
  CHECK(extracted(in, text, false, false) == R"("2027-03-12")");
  CHECK(extracted(in, "12 March", false, false).empty());
  CHECK(extracted(out, "departure on 14 March", false, false) == R"("2027-03-14")");
}

} // namespace sidevoice
