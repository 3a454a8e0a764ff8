#include "gateway/forwarded.hpp"
#include "gateway/origin.hpp"
#include "tests/fuzz/fuzzing.hpp"
#include "tests/gateway/http_support.hpp"

#include <arpa/inet.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>

using namespace sidevoice;
using namespace sidevoice::fuzzing;

namespace {

constexpr const char* secret = "outside-of-the-root";

/// A page with a file beside its root, and a link out of it.
struct world {
  test::scratch_folder folder;
  app_registry apps{test::make_apps()};
  counted_ids ids;
  proxy_list proxies = proxy_list::read({"10.0.0.0/8", "fd00::/8"}).value();

  world() {
    folder.write("page/index.html", "page");
    folder.write("page/deep/app.js", "script");
    folder.write("secret.js", secret);
    folder.write("page/.hidden.js", secret);
    std::error_code code;
    std::filesystem::create_symlink("../secret.js", folder.path() / "page/link.js", code);
  }
};

/// First line: method and target. Then fields; behind an empty line the body.
http_request read_request(std::string_view text) {
  http_request request;
  const auto lines = split(text, '\n', 40);
  const auto first = split(lines[0], ' ', 2);
  request.method = first[0];
  request.target = first.size() > 1 ? first[1] : "";
  request.remote = "10.1.2.3";
  for (std::size_t i = 1; i < lines.size() && !lines[i].empty(); ++i)
    if (const auto field = split(lines[i], ':', 2); field.size() == 2)
      request.fields.push_back({std::string{field[0]}, std::string{field[1]}});
  if (!lines.back().empty() && request.method == "POST")
    request.body = lines.back();
  return request;
}

bool is_address(const std::string& text) {
  in_addr v4{};
  in6_addr v6{};
  return ::inet_pton(AF_INET, text.c_str(), &v4) == 1
         || ::inet_pton(AF_INET6, text.c_str(), &v6) == 1;
}

void check_response(const http_response& response) {
  must(response.status >= 200 && response.status < 600, "a status that is none");
  must(response.body.find(secret) == std::string::npos, "a file outside of the root");
  const auto wire = to_wire(response, {.unix_s = 1'800'000'000});
  const auto head = wire.substr(0, wire.find("\r\n\r\n") + 2);
  must(std::all_of(head.begin(), head.end(),
                   [](unsigned char c) {
                     return c == '\r' || c == '\n' || (c >= 0x20 && c != 0x7f);
                   }),
       "control bytes in a response's header");
  must(static_cast<std::size_t>(std::count(head.begin(), head.end(), '\n'))
         == static_cast<std::size_t>(std::count(head.begin(), head.end(), '\r')),
       "a header line of somebody else");
}

/// What every request keeps that the rules let through.
void check_taken(const http_request& request) {
  must(!request.path.empty() && request.path[0] == '/', "a path without a slash");
  must(request.path.find('\0') == std::string::npos, "NUL in a path");
  must(request.count("Host") == 1 && !request.find("Host")->empty(), "no host, or two");
  must(request.count("Content-Length") + request.count("Transfer-Encoding") <= 1,
       "two ways to tell where the body ends");
}

void ask_router(world& around, const http_request& request) {
  router routes{{.apps = &around.apps,
                 .sealer = test::test_sealer(),
                 .own = {},
                 .files = {(around.folder.path() / "page").string(), ""},
                 .ids = &around.ids}};
  routes.set_ready(true, "");
  const auto answer = routes.handle(request, test::noon);
  if (const auto* response = std::get_if<http_response>(&answer)) {
    must(response->status != 500, "an error that is the server's");
    return check_response(*response);
  }
  const auto& opened = std::get<open_session>(answer);
  must(opened.app != nullptr && is_session_id(opened.session), "a session without app or id");
  must(!check_upgrade(request), "a socket without an upgrade");
  must(opened.by_server_key || opened.app->id == "open", "an app that is not open");
  // Nobody here has a client key: an id alone must not open what exists.
  must(opened.create || opened.by_server_key, "somebody else's session");
}

} // namespace

/// The head of a request, from our rules to the router's answer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static world around;
  auto request = read_request(text_of(bytes, size));
  if (const auto refused = check_head(request)) {
    must(refused->status >= 400 && refused->status < 600 && refused->close,
         "a refusal that keeps the connection");
    check_response(*refused);
    return 0;
  }
  check_taken(request);
  const auto client = around.proxies.client_of(request);
  must(client == request.remote || is_address(client), "a client that is no address");
  if (const auto* origin = request.find("Origin")) {
    const auto normal = normal_origin(*origin);
    must(normal_origin(normal) == normal, "an origin with two normal forms");
  }
  (void)read_credential(request);
  auto seen = request;
  seen.remote = client;
  ask_router(around, seen);
  return 0;
}
