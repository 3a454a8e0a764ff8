#include "actors/webhook.hpp"

#include "providers/webhook_signature.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

webhook_exchange exchange(tool_effect effect, std::uint32_t output_max = 100) {
  tool_declaration tool;
  tool.effect = effect;
  tool.output_bytes_max = output_max;
  return webhook_exchange{tool};
}

webhook_exchange::step answer(webhook_exchange& call, unsigned status, const std::string& body) {
  call.on(http_head{status, {}});
  call.on(http_bytes{body});
  return call.on(http_end{});
}

http_failed broken(const std::string& reason) {
  return {{errc::unavailable, "it broke", {}, reason}};
}

} // namespace

TEST_CASE("the signature is that of the Standard Webhooks specification") {
  // The example of its reference libraries.
  CHECK(sign_webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                     1614265330, R"({"test": 2432232314})")
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_CASE("a call is signed under its call id, with arguments as the model gave them") {
  tool_declaration tool;
  tool.name = "book";
  tool.timeout = 4s;
  run_call run;
  run.call = {.call = "call_1", .name = "book", .arguments = R"({"day":"2027-03-12"})"};
  run.attempt = 2;
  run.session = "sess_1";
  run.about = {.app = "moving", .user = "ann", .zone = "Europe/Berlin"};
  live_settings live;
  live.webhooks.push_back({.secret = "whsec_c2VjcmV0"});
  const auto call = make_webhook(tool, run, "https://shop.example/visits", live, 5'000);
  CHECK(call.url == "https://shop.example/visits");
  CHECK(call.deadline == 4s);
  CHECK_FALSE(call.private_addresses);
  const auto body = nlohmann::json::parse(call.body);
  CHECK(body["data"]["arguments"]["day"] == "2027-03-12");
  CHECK(body["data"]["attempt"] == 2);
  CHECK(body["data"]["session"] == "sess_1");
  std::string signature;
  for (const auto& field : call.fields) {
    CHECK(field.value.find("c2VjcmV0") == std::string::npos);
    if (field.name == "webhook-signature")
      signature = field.value;
    if (field.name == "webhook-id")
      CHECK(field.value == "call_1");
  }
  CHECK(signature == sign_webhook("whsec_c2VjcmV0", "call_1", 5, call.body));
}

TEST_CASE("an answer is the output; refusals and redirects are named") {
  auto call = exchange(tool_effect::none);
  CHECK(answer(call, 200, R"({"price":7})").done->output == R"({"price":7})");
  auto moved = exchange(tool_effect::none);
  const auto redirect = answer(moved, 302, "");
  REQUIRE(redirect.done);
  CHECK(redirect.done->outcome == "failed");
  CHECK(redirect.done->output.find("redirect") != std::string::npos);
  auto bad = exchange(tool_effect::idempotent);
  CHECK(answer(bad, 404, "no such day").done->output.find("no such day") != std::string::npos);
}

TEST_CASE("a temporary refusal is tried again twice, but never a call that must be made once") {
  auto call = exchange(tool_effect::idempotent);
  CHECK(answer(call, 503, "").again == 200ms);
  CHECK(answer(call, 503, "").again == 400ms);
  CHECK(answer(call, 503, "").done->outcome == "failed");
  auto once = exchange(tool_effect::once);
  CHECK(answer(once, 503, "").done->outcome == "failed");
}

TEST_CASE("a break means unknown only where it may have been done") {
  for (const auto* reason : {"cut", "deadline", "first_byte"}) {
    auto once = exchange(tool_effect::once);
    CHECK(once.on(broken(reason)).done->outcome == "unknown");
  }
  auto unsent = exchange(tool_effect::once);
  CHECK(unsent.on(broken("connect")).again);
  auto refused = exchange(tool_effect::once);
  CHECK(refused.on(broken("private_address")).done->outcome == "failed");
  auto late = exchange(tool_effect::none);
  CHECK(late.on(broken("deadline")).done->outcome == "timeout");
  auto cut = exchange(tool_effect::none);
  CHECK(cut.on(broken("cut")).again);
}

TEST_CASE("a huge answer is cut at a character, and the model is told") {
  auto call = exchange(tool_effect::none, 5);
  call.on(http_head{200, {}});
  for (int i = 0; i < 1000; ++i)
    call.on(http_bytes{"\xC3\xA4\xC3\xA4"});
  const auto step = call.on(broken("too_large"));
  REQUIRE(step.done);
  CHECK(step.done->outcome == "ok");
  CHECK(step.done->output.starts_with("\xC3\xA4\xC3\xA4\n[the output is longer than 5 bytes"));
}

TEST_CASE("bytes that are no text become text") {
  CHECK(presentable(std::string{"a\0b\xFF", 4}, 100) == "ab\xEF\xBF\xBD");
  CHECK(presentable("plain", 100) == "plain");
}
