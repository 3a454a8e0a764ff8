#include "providers/fake/reply.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace sidevoice {

namespace {

using json = nlohmann::ordered_json;

struct usual_error {
  unsigned status;
  std::string_view type;
  std::string_view code;
  std::string_view message;
};

constexpr std::array<usual_error, 12> usual = {{
  {400, "invalid_request_error", "", "The request is not valid."},
  {401, "invalid_request_error", "invalid_api_key", "The API key is not valid."},
  {403, "invalid_request_error", "unsupported_country_region_territory",
   "Country, region, or territory not supported"},
  {404, "invalid_request_error", "model_not_found", "The model does not exist."},
  {408, "invalid_request_error", "", "The request took too long."},
  {409, "invalid_request_error", "", "The request conflicts with another one."},
  {413, "invalid_request_error", "", "The request is too large."},
  {422, "invalid_request_error", "", "The request could not be processed."},
  {429, "requests", "rate_limit_exceeded", "Rate limit reached. Try again later."},
  {500, "server_error", "", "The server had an error while it processed the request."},
  {502, "server_error", "", "Bad gateway."},
  {503, "server_error", "", "The engine is overloaded. Try again later."},
}};

const usual_error& usual_of(unsigned status) {
  const auto* at = std::find_if(usual.begin(), usual.end(),
                                [status](const usual_error& e) { return e.status == status; });
  if (at != usual.end())
    return *at;
  return status >= 500 ? usual[9] : usual[0];
}

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

} // namespace

std::string error_json(fake_error error) {
  const auto& known = usual_of(error.status);
  // A message of one's own says what is wrong; the usual code would guess at it.
  if (error.message.empty() && error.code.empty())
    error.code = known.code;
  if (error.message.empty())
    error.message = known.message;
  if (error.type.empty())
    error.type = error.code == "insufficient_quota" ? error.code : std::string{known.type};
  const json body{{"error",
                   {{"message", error.message},
                    {"type", error.type},
                    {"param", text_or_null(error.param)},
                    {"code", text_or_null(error.code)}}}};
  // A message may name what the client has sent, in whatever encoding.
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

fake_answer json_answer(unsigned status, std::string body) {
  fake_answer out;
  out.status = status;
  out.fields = {{"content-type", "application/json"}};
  out.content_length = body.size();
  out.chunks.push_back({std::chrono::microseconds{0}, std::move(body)});
  return out;
}

fake_answer error_answer(fake_error error) {
  const auto status = error.status;
  return json_answer(status, error_json(std::move(error)));
}

} // namespace sidevoice
