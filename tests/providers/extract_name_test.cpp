#include "tests/providers/extract_table.hpp"
#include "tests/providers/moving.hpp"

namespace sidevoice {

namespace {

const auto name = moving::topic("name", topic_type::person_name, "Your name", true);
const auto mail = moving::topic("email", topic_type::email, "E-mail", true);

} // namespace

TEST_CASE("a name is found where somebody introduces themselves") {
  check_phrases(name, false,
                {{"I'm Anna Schmidt", R"("Anna Schmidt")"},
                 {"I’m Anna Schmidt, moving soon", R"("Anna Schmidt")"},
                 {"Hi, I am Anna.", R"("Anna")"},
                 {"my name is anna schmidt", R"("Anna Schmidt")"},
                 {"My name's Ludwig van Beethoven and I live in Bonn", R"("Ludwig van Beethoven")"},
                 {"call me Ishmael", R"("Ishmael")"},
                 {"This is Seán O'Brien", R"("Seán O'Brien")"},
                 {"my name is Jean-Luc Picard!", R"("Jean-Luc Picard")"},
                 {"My name is Dr. Anna Schmidt", R"("Dr. Anna Schmidt")"}});
}

TEST_CASE("what people say of themselves is no name") {
  check_phrases(name, false,
                {{"I'm moving from Leeds", ""},
                 {"I'm not sure", ""},
                 {"I am looking for a mover", ""},
                 {"I'm Moving tomorrow", ""},
                 {"i'm fine", ""},
                 {"this is great", ""},
                 {"Anna Schmidt", ""},
                 {"We live in Leeds", ""}});
}

TEST_CASE("a bare answer to a question for the name is the name") {
  check_phrases(name, true,
                {{"Anna Schmidt", R"("Anna Schmidt")"},
                 {"anna", R"("Anna")"},
                 {"anna schmidt", R"("Anna Schmidt")"},
                 {"It's Anna", R"("Anna")"},
                 {"Sure, Anna Schmidt.", R"("Anna Schmidt")"},
                 {"Anna Schmidt, moving from Leeds", R"("Anna Schmidt")"},
                 {"Zoë", R"("Zoë")"},
                 {"what?", ""},
                 {"why do you ask", ""},
                 {"no", ""},
                 {"yes", ""},
                 {"12 March", ""},
                 {"tomorrow", ""},
                 {"moving from Leeds to York", ""},
                 {"12345", ""},
                 {"", ""}});
}

TEST_CASE("an e-mail address is found written and spoken") {
  check_phrases(mail, false,
                {{"anna@example.com", R"("anna@example.com")"},
                 {"Write to anna.schmidt+move@mail.example.co.uk.",
                  R"("anna.schmidt+move@mail.example.co.uk")"},
                 {"<anna@example.com>", R"("anna@example.com")"},
                 {"anna at example dot com", R"("anna@example.com")"},
                 {"it's anna dot schmidt at mail dot example dot org please",
                  R"("anna.schmidt@mail.example.org")"},
                 {"anna underscore s at example.com", R"("anna_s@example.com")"},
                 {"my mail is anna99 at example dot com", R"("anna99@example.com")"},
                 {"we are at home", ""},
                 {"anna@", ""},
                 {"@example.com", ""},
                 {"anna@localhost", ""},
                 {"a @ b", ""},
                 {"look at example", ""}});
}

} // namespace sidevoice
