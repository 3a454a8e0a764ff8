#include "tests/providers/fake_support.hpp"

#include <nlohmann/json.hpp>

#include <stdexcept>

namespace sidevoice::test {

using nlohmann::json;

fake_openai fake_with(const std::string& script, fake_options options) {
  auto read = read_fake_script(script);
  std::string faults;
  for (const auto& fault : read.faults)
    faults += fault + "\n";
  if (!faults.empty())
    throw std::runtime_error{faults};
  return fake_openai{std::move(options), std::move(read.script)};
}

fake_request get(const std::string& path) {
  return {.method = "GET", .path = path};
}

fake_request post(const std::string& path, const std::string& body) {
  return {.method = "POST", .path = path, .body = body, .unix_s = 1'790'000'000};
}

fake_request ask(const std::string& text, const std::string& more) {
  const json messages{{{"role", "user"}, {"content", text}}};
  return post("/v1/chat/completions", R"({"model":"m","messages":)" + messages.dump()
                                        + (more.empty() ? "" : "," + more) + "}");
}

json json_of(const fake_answer& answer) {
  return json::parse(answer.bytes());
}

std::vector<std::string> events_of(const fake_answer& answer) {
  std::vector<std::string> out;
  const auto bytes = answer.bytes();
  std::size_t at = 0;
  while ((at = bytes.find("data: ", at)) != std::string::npos) {
    at += 6;
    out.push_back(bytes.substr(at, bytes.find_first_of("\r\n", at) - at));
  }
  return out;
}

std::string text_of(const fake_answer& answer) {
  std::string out;
  for (const auto& event : events_of(answer)) {
    const auto chunk = json::parse(event, nullptr, false);
    if (!chunk.is_object() || !chunk.contains("choices") || chunk["choices"].empty())
      continue;
    const auto& delta = chunk["choices"][0]["delta"];
    if (delta.contains("content") && delta["content"].is_string())
      out += delta["content"].get<std::string>();
  }
  return out;
}

std::string error_of(const fake_answer& answer) {
  const auto error = json_of(answer)["error"];
  const auto text = [&](const char* key) {
    const auto value = error.value(key, json{});
    return value.is_string() ? value.get<std::string>() : std::string{"-"};
  };
  return std::to_string(answer.status) + ' ' + text("code") + ' ' + text("param");
}

} // namespace sidevoice::test
