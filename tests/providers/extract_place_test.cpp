#include "tests/providers/extract_table.hpp"
#include "tests/providers/moving.hpp"

namespace sidevoice {

namespace {

const auto from = moving::topic("from", topic_type::address, "Moving from", true);
const auto to = moving::topic("to", topic_type::address, "Moving to", true);
const auto plain = moving::topic("address", topic_type::address, "Address", true);

struct route {
  std::string text;
  std::string from;
  std::string to;
};

std::string bare(const topic_declaration& t, const std::string& text, bool asked = false) {
  const auto value = extracted(t, text, asked, false);
  return value.size() < 2 ? value : value.substr(1, value.size() - 2);
}

} // namespace

TEST_CASE("both ends of a move are found in one sentence") {
  for (const auto& r : std::vector<route>{
         {"from 12 Elm Street, Leeds to Berlin", "12 Elm Street, Leeds", "Berlin"},
         {"We are moving from Leeds to York on 12 March", "Leeds", "York"},
         {"I'm moving to Berlin from New York next Friday.", "New York", "Berlin"},
         {"from leeds to berlin", "leeds", "berlin"},
         {"from leeds", "leeds", ""},
         {"to york, on the 3rd of april", "", "york"},
         {"i want to move to berlin from leeds", "leeds", "berlin"},
         {"Moving from 10115 Berlin to Hauptstraße 5, 20095 Hamburg!", "10115 Berlin",
          "Hauptstraße 5, 20095 Hamburg"},
         {"From 3 St. Mary Road, LS1 4AP to The Hague", "3 St. Mary Road, LS1 4AP", "The Hague"},
         {"from Leeds, and we want to go there soon", "Leeds", ""},
         {"We move to 7 Mill Lane in Oxford, tomorrow", "", "7 Mill Lane in Oxford"}}) {
    INFO("text: ", r.text);
    CHECK(bare(from, r.text) == r.from);
    CHECK(bare(to, r.text) == r.to);
  }
}

TEST_CASE("a bare answer to a question for a place is the place") {
  for (const auto& p :
       std::vector<phrase>{{"Leeds", "Leeds"},
                           {"leeds", "leeds"},
                           {"12 Elm Street, Leeds", "12 Elm Street, Leeds"},
                           {"12 elm street leeds", "12 elm street leeds"},
                           {"It's 12 Elm Street.", "12 Elm Street"},
                           {"I live in Leeds", "Leeds"},
                           {"We're in Leeds at the moment", "Leeds"},
                           {"SW1A 1AA", "SW1A 1AA"},
                           {"10115 Berlin", "10115 Berlin"},
                           {"from Leeds", "Leeds"},
                           {"Leeds to Berlin", "Leeds"},
                           {"Stratford upon Avon, on Monday", "Stratford upon Avon"},
                           {"München", "München"}}) {
    INFO("text: ", p.text);
    CHECK(bare(from, p.text, true) == p.value);
  }
}

TEST_CASE("what is no place is none") {
  for (const std::string text :
       {"from Monday to Friday", "from 3 to 5", "I want to be quick",
        "from my flat to my new house", "what do you mean?", "no", "tomorrow", "next Friday",
        "12 March", "to see it", "from 12 March", "up to 500 euros", "to be honest",
        "to answer your question", "ok bye", "a@b.com", "", "I'd like to know the price"}) {
    INFO("text: ", text);
    CHECK(bare(from, text).empty());
    CHECK(bare(to, text).empty());
    CHECK(bare(from, text, true).empty());
  }
  CHECK(bare(from, "to Berlin", true).empty());
  CHECK(bare(to, "from Leeds", true).empty());
}

TEST_CASE("a single address topic takes streets and postal codes anywhere") {
  check_phrases(plain, false,
                {{"We are at 12 Elm Street, Leeds", R"("12 Elm Street, Leeds")"},
                 {"my address is 5 Mill Lane", R"("5 Mill Lane")"},
                 {"I live in Leeds", R"("Leeds")"},
                 {"Hello there", ""},
                 {"I have 12 boxes", ""}});
}

} // namespace sidevoice
