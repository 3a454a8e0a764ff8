#pragma once

#include "gateway/auth.hpp"
#include "gateway/http_rules.hpp"
#include "gateway/routes.hpp"

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <random>
#include <string>

/// Requests and apps as the tables of tests write them.
namespace sidevoice::test {

/// A request with one good Host, then what the test says. Not yet checked.
inline http_request raw_request(std::string method, std::string target,
                                std::initializer_list<http_field> fields = {}) {
  http_request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.remote = "127.0.0.1";
  request.fields = {{"Host", "127.0.0.1:8080"}};
  request.fields.insert(request.fields.end(), fields);
  return request;
}

/// The same, as the router gets it.
inline http_request checked_request(std::string method, std::string target,
                                    std::initializer_list<http_field> fields = {}) {
  auto request = raw_request(std::move(method), std::move(target), fields);
  if (const auto refused = check_head(request))
    throw std::logic_error("the test's request is refused: " + refused->body);
  return request;
}

inline http_request upgrade_request(std::string target,
                                    std::initializer_list<http_field> fields = {}) {
  auto request = checked_request("GET", std::move(target),
                                 {{"Connection", "keep-alive, Upgrade"},
                                  {"Upgrade", "websocket"},
                                  {"Sec-WebSocket-Version", "13"},
                                  {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}});
  request.fields.insert(request.fields.end(), fields);
  return request;
}

/// The same request under another Host.
inline http_request at_host(http_request request, const std::string& host) {
  for (auto& field : request.fields)
    if (field.name == "Host")
      field.value = host;
  return request;
}

inline app_entry make_app(const std::string& id, bool is_public) {
  auto app = std::make_shared<app_definition>();
  app->id = id;
  app->title = "The " + id;
  app->release = "sha256:" + id;
  app->conversation_models = {{"rules", "", "{}"}};
  app->topics = {{.id = "name", .type = topic_type::person_name, .label = "Name", .required = true},
                 {.id = "when", .type = topic_type::date, .label = "Day"}};
  auto live = std::make_shared<live_settings>();
  live->is_public = is_public;
  live->origins = {"https://" + id + ".example"};
  live->server_keys = {"key-of-" + id, ""};
  return {.stable = app, .live = live};
}

inline app_entries make_apps() {
  return {{"open", make_app("open", true)}, {"closed", make_app("closed", false)}};
}

inline key_sealer test_sealer() {
  return key_sealer{std::string(key_sealer::key_bytes, 'k')};
}

constexpr request_time noon{std::chrono::steady_clock::time_point{std::chrono::hours{12}},
                            1'800'000'000};

/// A folder that goes with the test.
class scratch_folder {
public:
  scratch_folder() {
    std::random_device random;
    path_ = std::filesystem::temp_directory_path() / ("sidevoice-" + std::to_string(random()));
    std::filesystem::create_directories(path_);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  void write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream{path_ / name} << content;
  }

  [[nodiscard]] const std::filesystem::path& path() const {
    return path_;
  }

private:
  std::filesystem::path path_;
};

} // namespace sidevoice::test
