#include "gateway/routes.hpp"
#include "tests/gateway/http_support.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

/// Every route of the public port against every kind of credential and origin: what is refused is
/// refused in the words that an unknown id gets.
using namespace sidevoice;
using namespace sidevoice::test;

namespace {

struct credential {
  std::string name;
  /// Empty: none is sent.
  std::string key;
  bool is_server = false;
  bool opens_app = false;
  bool opens_session = false;
};

struct origin {
  std::string name;
  /// Empty: none is sent.
  std::string value;
  bool may = true;
};

/// What is asked for: the private app "closed" and its session "sess_mine", or ids that nobody has.
struct target {
  std::string app = "closed";
  std::string session = "sess_mine";
};
const target unknown_app{"nowhere", "sess_mine"};
const target unknown_session{"closed", "sess_none"};

struct world {
  counted_ids ids{7};
  app_registry apps{make_apps()};
  key_ring ring;
  std::vector<credential> credentials;

  world() {
    const auto sealer = test_sealer();
    const auto client = [&sealer](const std::string& session, const std::string& id,
                                  std::int64_t expires_s) {
      return sealer.seal(
        {.app = "closed", .session = session, .user = "ada", .expires_s = expires_s, .id = id});
    };
    const auto row = [](const std::string& id, std::int64_t expires_at, std::int64_t revoked_at) {
      return key_row{.id = id,
                     .app = "closed",
                     .name = id,
                     .hash = hex_of(digest_of_key("sv_" + id)),
                     .created_at = 1,
                     .expires_at = expires_at,
                     .revoked_at = revoked_at};
    };
    ring.replace({.change = 1,
                  .keys = {row("good", 0, 0), row("old", noon.unix_s * 1000, 0), row("gone", 0, 5)},
                  .revocations = {{"closed", "ck_gone", 5, 0}}});
    const auto later = noon.unix_s + 60;
    credentials = {{"own server key of the app file", "key-of-closed", true, true, true},
                   {"own server key of the store", "sv_good", true, true, true},
                   {"expired server key", "sv_old"},
                   {"revoked server key", "sv_gone"},
                   {"another app's server key", "key-of-open", true},
                   {"own client key", client("sess_mine", "ck_1", later), false, true, true},
                   {"another session's client key", client("sess_else", "ck_2", later), false,
                    true},
                   {"expired client key", client("sess_mine", "ck_3", noon.unix_s)},
                   {"revoked client key", client("sess_mine", "ck_gone", later)},
                   {"no key", ""},
                   {"garbage", "garbage"},
                   {"garbage in the form of a client key", "ek_" + std::string(120, 'A')},
                   {"a very long key", std::string(9000, 'k')}};
  }

  /// Each answer comes from a router of its own, so that no throttle joins in.
  route_answer ask(const route& where, const std::string& method, const credential& who,
                   const origin& from, const target& what) {
    auto path = where.path;
    if (where.guarded_by == route::guard::app)
      path += "?model=" + what.app + "&session=" + what.session;
    auto request = where.guarded_by == route::guard::app ? upgrade_request(path)
                                                         : checked_request(method, path);
    request.method = method;
    if (!who.key.empty())
      request.fields.push_back({"Authorization", "Bearer " + who.key});
    if (!from.value.empty())
      request.fields.push_back({"Origin", from.value});
    if (where.guarded_by == route::guard::server_key)
      request.body = R"({"sidevoice":{"app":")" + what.app + R"(","session":")" + what.session
                     + "\"}}";
    router routes{router_parts{.apps = &apps,
                               .sealer = test_sealer(),
                               .own = {.public_url = "", .bound_to_loopback = false},
                               .files = static_files{"", ""},
                               .ids = &ids,
                               .ring = &ring}};
    return routes.handle(request, noon);
  }
};

const std::vector<origin> origins = {{"no origin", ""},
                                     {"own origin", "https://closed.example"},
                                     {"foreign origin", "https://evil.example", false},
                                     {"null origin", "null", false}};

unsigned status_of(const route_answer& answer) {
  const auto* response = std::get_if<http_response>(&answer);
  return response != nullptr ? response->status : 101;
}

/// All that a caller sees.
std::string shown(const route_answer& answer) {
  const auto* response = std::get_if<http_response>(&answer);
  if (response == nullptr)
    return "101";
  auto fields = to_wire(*response, {.unix_s = 0});
  return fields;
}

/// The rule, apart from the code that keeps it.
unsigned expected(const route& where, const credential& who, const origin& from) {
  switch (where.guarded_by) {
    case route::guard::nobody:
      return where.path == "/readyz" ? 503 : 200;
    case route::guard::filter:
      return 200;
    case route::guard::server_key:
      if (!who.is_server)
        return 401;
      if (!who.opens_app)
        return 404;
      return from.may ? 200 : 403;
    case route::guard::app:
      if (!who.is_server && !who.opens_app)
        return 401;
      if (!who.opens_app)
        return 404;
      if (!from.may)
        return 403;
      return who.opens_session ? 101 : 404;
  }
  return 0;
}

} // namespace

TEST_CASE("every route refuses every wrong credential as it refuses an unknown id") {
  world w;
  std::map<unsigned, std::size_t> seen;
  for (const auto& where : router::table()) {
    const auto method = where.allow.substr(0, where.allow.find(','));
    for (const auto& who : w.credentials) {
      for (const auto& from : origins) {
        CAPTURE(where.path);
        CAPTURE(who.name);
        CAPTURE(from.name);
        const auto answer = w.ask(where, method, who, from, {});
        const auto status = status_of(answer);
        CHECK(status == expected(where, who, from));
        ++seen[status];
        if (status != 401 && status != 403 && status != 404)
          continue;
        // An id that is somebody else's, and one that is nobody's.
        CHECK(shown(answer) == shown(w.ask(where, method, who, from, unknown_session)));
        if (!who.opens_app)
          CHECK(shown(answer) == shown(w.ask(where, method, who, from, unknown_app)));
      }
    }
  }
  for (const auto status : {101U, 200U, 401U, 403U, 404U})
    CHECK_MESSAGE(seen[status] > 0, status);
}

TEST_CASE("all wrong credentials look alike") {
  world w;
  for (const auto& where : router::table()) {
    std::set<std::string> refusals;
    for (const auto& who : w.credentials) {
      const auto answer = w.ask(where, where.allow.substr(0, where.allow.find(',')), who,
                                origins[0], {});
      if (status_of(answer) == 401)
        refusals.insert(shown(answer));
    }
    CHECK_MESSAGE(refusals.size() <= 1, where.path);
  }
}

TEST_CASE("the list of apps holds a private app for its own keys and pages only") {
  world w;
  for (const auto& where : router::table()) {
    if (where.guarded_by != route::guard::filter)
      continue;
    for (const auto& who : w.credentials)
      for (const auto& from : origins) {
        CAPTURE(who.name);
        CAPTURE(from.name);
        const auto shows = shown(w.ask(where, "GET", who, from, {})).find("closed\"")
                           != std::string::npos;
        CHECK(shows == (who.opens_app && from.may));
      }
  }
}

TEST_CASE("a wrong method is refused before anybody is asked who he is") {
  world w;
  for (const auto& where : router::table())
    for (const auto* method : {"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"}) {
      std::set<std::string> answers;
      for (const auto& who : w.credentials) {
        const auto answer = w.ask(where, method, who, origins[0], {});
        CHECK_MESSAGE(status_of(answer) == 405, method << " " << where.path);
        answers.insert(shown(answer));
      }
      CHECK_MESSAGE(answers.size() == 1, method << " " << where.path);
    }
}
