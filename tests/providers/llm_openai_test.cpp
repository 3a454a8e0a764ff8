#include "config/asio_loop.hpp"
#include "tests/providers/openai_fixture.hpp"
#include "tests/providers/scripted_server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <map>
#include <mutex>

namespace sidevoice {

namespace {

using namespace std::chrono_literals;
using namespace openai_test;
using fixture = openai_fixture;
using nlohmann::json;

} // namespace

TEST_CASE("OpenAI's models keep the interface's promises") {
  counted_ids ids;
  counters count;
  std::map<hand_loop*, std::unique_ptr<scripted_http>> clients;
  llm_conformance::run({[&](hand_loop& l) {
                          // Each loop with a client of its own, which outlives the provider.
                          auto& http = clients[&l];
                          http = std::make_unique<scripted_http>(l);
                          http->answers = {good_answer()};
                          provider_context c{l, ids, count, http.get()};
                          c.account.key = key;
                          auto made = make_llm_openai(c, model);
                          REQUIRE(made.has_value());
                          return std::move(*made);
                        },
                        request()});
}

TEST_CASE_FIXTURE(fixture, "a request goes to the service with the key, and nowhere else") {
  http.answers = {good_answer()};
  const auto got = run();
  CHECK(got->text() == "Hello there");
  REQUIRE(http.calls.size() == 1);
  const auto& call = http.calls.front();
  CHECK(call.url == "https://api.openai.com/v1/chat/completions");
  CHECK_FALSE(call.private_addresses);
  const auto body = json::parse(call.body);
  CHECK(body["model"] == "gpt-4.1-mini");
  CHECK(body["stream"] == true);
  CHECK(body["prompt_cache_key"].is_string());
  const auto has_key = [](const http_call::field& f) {
    return f.value == std::string{"Bearer "} + key;
  };
  CHECK(std::count_if(call.fields.begin(), call.fields.end(), has_key) == 1);
  CHECK(call.body.find("Canary") == std::string::npos);
  const auto& done = std::get<llm_done>(got->events.back());
  CHECK(done.input_tokens == 20);
  CHECK(done.cached_tokens == 16);
  CHECK(done.output_tokens == 2);
  CHECK(http.cancelled == 0);
}

TEST_CASE_FIXTURE(
  fixture, "a compatible server gets no field that only the service knows, and needs no key") {
  for (const auto* base : {"http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1/"}) {
    auto c = context();
    c.account = {};
    c.account.base_url = base;
    http.answers = {good_answer()};
    const auto provider = make(c);
    const auto got = std::make_shared<llm_conformance::record>();
    const auto stream = llm_conformance::open(*provider, request(), got);
    turned.advance(1min);
    CHECK(got->text() == "Hello there");
    const auto& call = http.calls.back();
    CHECK(call.url == "http://127.0.0.1:8000/v1/chat/completions");
    CHECK(call.private_addresses);
    CHECK_FALSE(json::parse(call.body).contains("prompt_cache_key"));
    for (const auto& field : call.fields)
      CHECK(field.name != "Authorization");
  }
}

TEST_CASE_FIXTURE(fixture, "what cannot work is refused when the provider is made") {
  struct row {
    vendor_account account;
    json_text options;
    const char* reason;
    const char* says;
  };
  vendor_account good;
  good.key = key;
  auto bad_url = good;
  bad_url.base_url = "ftp://x";
  auto secret_url = good;
  secret_url.base_url = "https://user:Canary@x/v1";
  vendor_account broken_key;
  broken_key.key = "sk-Canary\r\nX-Evil: 1";
  for (const auto& row : std::vector<struct row>{
         {{}, model, "no_key", "live.vendors.openai.key"},
         {bad_url, model, "bad_url", "live.vendors.openai.base_url"},
         {secret_url, model, "bad_url", "base_url"},
         {broken_key, model, "bad_key", "live.vendors.openai.key"},
         {good, R"({"vendor":"openai"})", "no_model", "model"},
         {good, "[]", "bad_option", "object"},
         {good, R"({"model":"m","temperature":"hot"})", "bad_option", "number from"},
         {good, R"({"model":"m","temprature":1})", "bad_option", "temprature"},
         {good, R"({"model":"m","max_tokens_field":"tokens"})", "bad_option", "max_tokens"},
         {good, R"({"model":"m","seed":1.5})", "bad_option", "whole"},
       }) {
    INFO(row.reason, " ", row.options);
    auto c = context();
    c.account = row.account;
    const auto made = make_llm_openai(c, row.options);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code == errc::invalid);
    CHECK(made.error().reason == row.reason);
    CHECK(made.error().detail.find(row.says) != std::string::npos);
    CHECK(made.error().detail.find("Canary") == std::string::npos);
  }
}

TEST_CASE_FIXTURE(fixture, "without a network it says so at once") {
  auto c = context();
  c.http = nullptr;
  const auto opened = make(c)->open(request(), [](const llm_event&) { FAIL("nothing may come"); });
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().reason == "no_network");
}

TEST_CASE_FIXTURE(fixture, "a server that ignores streaming is understood, a web page is not") {
  const auto with_type = [](const char* type, const std::string& body) {
    return scripted_http::answer{{0ms, http_head{200, {{"content-type", type}}}},
                                 {0ms, http_bytes{body}},
                                 {0ms, http_end{}}};
  };
  http.answers = {with_type(
    "application/json", R"({"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]})")};
  CHECK(run()->text() == "Hi");
  http.answers = {with_type("text/html", "<html>log in</html>")};
  CHECK(failure() == "bad_answer");
  http.answers = {with_type("application/json", R"({"error":{"code":"insufficient_quota"}})")};
  CHECK(failure() == "insufficient_quota");
  http.answers = {with_type("application/json", std::string(3 << 20, ' '))};
  CHECK(failure() == "too_large");
}

TEST_CASE(
  "over real sockets: an answer in pieces, a kept connection, and a cancelled one that closes") {
  boost::asio::io_context context;
  const auto work = boost::asio::make_work_guard(context);
  asio_loop turned{context};
  counters count;
  random_ids ids;
  const auto http = make_http_curl(turned, count);
  // Of the server's threads.
  std::mutex mutex;
  std::string last_request;
  const auto asked = [&] {
    const std::lock_guard guard{mutex};
    return last_request;
  };
  const auto text = chunk_of_text("Gr\xC3\xBC\xC3\x9F"
                                  "e");
  const auto middle = text.find('\xBC');
  scripted_server server{[&](scripted_server::peer& p) {
    for (;;) {
      auto one = p.read_request();
      if (one.empty())
        return;
      const bool is_endless = one.find("never end") != std::string::npos;
      {
        const std::lock_guard guard{mutex};
        last_request = std::move(one);
      }
      p.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
              "Transfer-Encoding: chunked\r\n\r\n");
      p.write(http_chunk(": hold on\n\n" + text.substr(0, middle)));
      if (is_endless)
        return p.wait_for_close();
      p.write(http_chunk(text.substr(middle) + chunk_of_stop)
              + http_chunk(chunk_of_usage + chunk_of_end) + http_chunk(""));
    }
  }};
  provider_context c{turned, ids, count, http.get()};
  c.account.key = key;
  c.account.base_url = server.url() + "/v1";
  const auto provider = make_llm_openai(c, model);
  REQUIRE(provider.has_value());
  const auto turn_until = [&](const auto& is_met) {
    const auto latest = turned.now() + 20s;
    while (!is_met() && turned.now() < latest)
      context.run_one_for(20ms);
    return is_met();
  };
  for (int i = 0; i < 3; ++i) {
    const auto got = std::make_shared<llm_conformance::record>();
    const auto stream = llm_conformance::open(**provider, request(), got);
    REQUIRE(turn_until([&] { return got->terminals() == 1; }));
    CHECK(std::holds_alternative<llm_done>(got->events.back()));
    CHECK(got->text()
          == "Gr\xC3\xBC\xC3\x9F"
             "e");
  }
  CHECK(server.connections() == 1);
  CHECK(asked().find(std::string{"Authorization: Bearer "} + key + "\r\n") != std::string::npos);
  auto endless = request();
  endless.history.back().text = "never end";
  const auto got = std::make_shared<llm_conformance::record>();
  auto stream = llm_conformance::open(**provider, endless, got);
  REQUIRE(turn_until([&] { return asked().find("never end") != std::string::npos; }));
  stream->reset();
  CHECK(server.wait_for_ended(1));
  context.poll();
  CHECK(got->terminals() == 0);
}

} // namespace sidevoice
