#include "tests/persistence/samples.hpp"
#include "tests/persistence/store_conformance.hpp"

#include <doctest/doctest.h>

namespace sidevoice::samples {

namespace {

const session_key first{.app = "moving", .id = "sess_1"};
const session_key second{.app = "moving", .id = "sess_2"};

std::uint64_t spent(store_writer& store, std::int32_t day, const std::string& app = "moving") {
  return ask(store, get_spend{.app = app, .day = day}).value().micro;
}

key_list keys(store_writer& store, const std::string& app = "") {
  return ask(store, list_keys{.app = app}).value();
}

append_events spending(append_events job, std::uint64_t micro, std::int32_t day) {
  job.spent = micro;
  job.day = day;
  return job;
}

// -- releases
// ------------------------------------------------------------------------------------

void releases_are_kept(store_writer& store) {
  CHECK_FALSE(ask(store, get_release{"moving", "sha256:1"}).value().body.has_value());
  const std::string body = R"({ "title": "Zo\u00eb" })";
  REQUIRE(ask(store, put_release{"moving", "sha256:1", body, 700}).has_value());
  CHECK(ask(store, get_release{"moving", "sha256:1"}).value().body == body);
  CHECK_FALSE(ask(store, get_release{"moving", "sha256:2"}).value().body.has_value());
  CHECK_FALSE(ask(store, get_release{"other", "sha256:1"}).value().body.has_value());
  // The digest names the body: whoever comes second changes nothing.
  REQUIRE(ask(store, put_release{"moving", "sha256:1", "{}", 900}).has_value());
  CHECK(ask(store, get_release{"moving", "sha256:1"}).value().body == body);
  CHECK(ask(store, list_releases{"moving"}).value().rows
        == std::vector<release_row>{{.digest = "sha256:1", .created_at = 700}});
  CHECK(ask(store, put_release{"moving", "", "{}"}).error().code == errc::invalid);
  CHECK(ask(store, put_release{"", "sha256:1", "{}"}).error().code == errc::invalid);
  CHECK(ask(store, put_release{"moving", "sha256:1", std::string(1, '\0')}).error().code
        == errc::invalid);
}

void names_point_to_releases(store_writer& store) {
  for (const auto& [digest, at] : {std::pair{"b", 200}, {"a", 100}, {"c", 200}, {"d", 0}})
    REQUIRE(ask(store, put_release{"moving", digest, "{}", at}).has_value());
  REQUIRE(ask(store, put_release{"other", "x", "{}", 300}).has_value());
  const auto point = [&](const char* app, const char* name, const char* digest) {
    const auto answer = ask(store,
                            point_release{.app = app, .name = name, .digest = digest, .at = 900});
    return answer ? "pointed" : to_string(answer.error().code);
  };
  CHECK(point("moving", "stable", "a") == doctest::String("pointed"));
  CHECK(point("moving", "preview", "b") == doctest::String("pointed"));
  CHECK(point("other", "stable", "x") == doctest::String("pointed"));
  CHECK(point("moving", "stable", "x") == doctest::String("not_found"));
  CHECK(point("moving", "stable", "none") == doctest::String("not_found"));
  CHECK(point("moving", "", "a") == doctest::String("invalid"));
  CHECK(ask(store, list_releases{"moving"}).value().rows
        == std::vector<release_row>{
          {"b", 200, {"preview"}}, {"c", 200, {}}, {"a", 100, {"stable"}}, {"d", 0, {}}});
  CHECK(point("moving", "stable", "b") == doctest::String("pointed"));
  const auto rows = ask(store, list_releases{"moving"}).value().rows;
  CHECK(rows.at(0) == release_row{"b", 200, {"preview", "stable"}});
  CHECK(rows.at(2).names.empty());
  CHECK(ask(store, list_releases{"other"}).value().rows
        == std::vector<release_row>{{"x", 300, {"stable"}}});
  CHECK(ask(store, list_releases{"none"}).value().rows.empty());
}

// -- keys
// ----------------------------------------------------------------------------------------

void server_keys_are_kept(store_writer& store) {
  CHECK(keys(store).keys.empty());
  auto b = sample_server_key("b");
  b.expires_at = 9000;
  auto a = sample_server_key("a");
  a.name.clear();
  auto foreign = sample_server_key("c");
  foreign.app = "another";
  for (const auto& key : {b, a, foreign})
    REQUIRE(ask(store, put_key{key}).has_value());
  CHECK(keys(store).keys == std::vector{foreign, a, b});
  CHECK(keys(store, "moving").keys == std::vector{a, b});
  CHECK(keys(store, "none").keys.empty());
  // The same row again, as after an answer that was lost.
  const auto change = keys(store).change;
  CHECK(ask(store, put_key{a}).has_value());
  CHECK(keys(store).change == change);
  CHECK(keys(store).keys.size() == 3);
}

void of_a_key_id_and_hash_are_used_once(store_writer& store) {
  const auto key = sample_server_key("a");
  REQUIRE(ask(store, put_key{key}).has_value());
  const auto refused = [&](const key_row& row) {
    const auto answer = ask(store, put_key{row});
    return answer ? "kept" : to_string(answer.error().code);
  };
  auto same_id = sample_server_key("b");
  same_id.id = "a";
  CHECK(refused(same_id) == doctest::String("conflict"));
  auto renamed = key;
  renamed.name = "somebody else";
  CHECK(refused(renamed) == doctest::String("conflict"));
  auto same_hash = sample_server_key("b");
  same_hash.hash = key.hash;
  CHECK(refused(same_hash) == doctest::String("conflict"));
  same_hash.app = "other";
  CHECK(refused(same_hash) == doctest::String("conflict"));
  auto same_id_elsewhere = same_id;
  same_id_elsewhere.app = "other";
  CHECK(refused(same_id_elsewhere) == doctest::String("kept"));
  REQUIRE(ask(store, revoke_key{.app = "moving", .id = "gone", .at = 1000}).has_value());
  CHECK(refused(sample_server_key("gone")) == doctest::String("conflict"));
  CHECK(keys(store, "moving").keys == std::vector{key});
}

void wrong_keys_are_refused(store_writer& store) {
  const auto refused = [&](auto spoil) {
    auto key = sample_server_key("a");
    spoil(key);
    const auto answer = ask(store, put_key{std::move(key)});
    return answer.has_error() && answer.error().code == errc::invalid;
  };
  CHECK(refused([](key_row& key) { key.app.clear(); }));
  CHECK(refused([](key_row& key) { key.id.clear(); }));
  CHECK(refused([](key_row& key) { key.hash = "sk_live_the_key_itself"; }));
  CHECK(refused([](key_row& key) { key.hash[3] = 'A'; }));
  CHECK(refused([](key_row& key) { key.name = std::string("a\0b", 3); }));
  CHECK(ask(store, revoke_key{.app = "moving", .id = "", .at = 1}).error().code == errc::invalid);
  CHECK(ask(store, revoke_key{.app = "", .id = "a", .at = 1}).error().code == errc::invalid);
  CHECK(ask(store, revoke_key{.app = "moving", .id = "a"}).error().code == errc::invalid);
  CHECK(keys(store).keys.empty());
  CHECK(keys(store).revocations.empty());
}

void who_knows_the_last_change_gets_no_list(store_writer& store) {
  auto known = keys(store).change;
  CHECK(known > 0);
  const auto news = [&] {
    const auto list = ask(store, list_keys{.since_change = known}).value();
    CHECK(list.changed == (list.change != known));
    CHECK((list.changed || (list.keys.empty() && list.revocations.empty())));
    known = list.change;
    return list.changed;
  };
  CHECK_FALSE(news());
  REQUIRE(ask(store, put_key{sample_server_key("a")}).has_value());
  CHECK(news());
  CHECK_FALSE(news());
  REQUIRE(ask(store, revoke_key{.app = "moving", .id = "a", .at = 800}).has_value());
  CHECK(news());
  REQUIRE(ask(store, revoke_key{.app = "moving", .id = "client", .at = 800}).has_value());
  CHECK(news());
  // Neither a repetition nor a refusal is news.
  REQUIRE(ask(store, revoke_key{.app = "moving", .id = "a", .at = 900}).has_value());
  REQUIRE(ask(store, revoke_key{.app = "moving", .id = "client", .at = 900}).has_value());
  REQUIRE(ask(store, put_key{sample_server_key("client")}).has_error());
  CHECK_FALSE(news());
}

void a_server_key_is_revoked_once(store_writer& store) {
  REQUIRE(ask(store, put_key{sample_server_key("a")}).has_value());
  REQUIRE(ask(store, put_key{sample_server_key("b")}).has_value());
  CHECK(ask(store, revoke_key{.app = "moving", .id = "a", .at = 800}).value().server_key);
  CHECK(ask(store, revoke_key{.app = "moving", .id = "a", .at = 900}).value().server_key);
  // The same id of another app is another key.
  CHECK_FALSE(ask(store, revoke_key{.app = "other", .id = "b", .at = 900}).value().server_key);
  const auto list = keys(store, "moving");
  REQUIRE(list.keys.size() == 2);
  CHECK(list.keys[0].revoked_at == 800);
  CHECK(list.keys[1].revoked_at == 0);
  CHECK(list.revocations.empty());
}

void revocations_of_client_keys_go_with_the_key(store_writer& store) {
  const auto revoke = [&](const char* id, std::int64_t at, std::int64_t expires_at) {
    CHECK_FALSE(
      ask(store, revoke_key{.app = "moving", .id = id, .at = at, .expires_at = expires_at})
        .value()
        .server_key);
  };
  revoke("short", 1000, 2000);
  revoke("long", 1000, 5000);
  revoke("ever", 1000, 0);
  CHECK(keys(store).revocations
        == std::vector<key_revocation>{{"moving", "ever", 1000, 0},
                                       {"moving", "long", 1000, 5000},
                                       {"moving", "short", 1000, 2000}});
  CHECK(keys(store, "other").revocations.empty());
  revoke("last", 2000, 3000);
  CHECK(keys(store).revocations
        == std::vector<key_revocation>{{"moving", "ever", 1000, 0},
                                       {"moving", "last", 2000, 3000},
                                       {"moving", "long", 1000, 5000}});
  // One that has expired already needs no revocation.
  revoke("late", 9000, 8000);
  CHECK(keys(store).revocations == std::vector<key_revocation>{{"moving", "ever", 1000, 0}});
}

// -- spend
// ---------------------------------------------------------------------------------------

void spend_is_counted_by_app_and_day(store_writer& store) {
  const session_key foreign{.app = "other", .id = "sess_1"};
  for (const auto& key : {first, second, foreign})
    claim(store, key).value();
  CHECK(spent(store, 20'000) == 0);
  REQUIRE(ask(store, spending(append(first, 1, 0, messages(0, 2)), 300, 20'000)).has_value());
  REQUIRE(ask(store, spending(append(second, 1, 0, messages(0, 1)), 20, 20'000)).has_value());
  REQUIRE(ask(store, spending(append(first, 1, 2, messages(2, 1)), 5, 20'001)).has_value());
  REQUIRE(ask(store, spending(append(foreign, 1, 0, messages(0, 1)), 7, 20'000)).has_value());
  REQUIRE(ask(store, append(first, 1, 3, messages(3, 1))).has_value());
  CHECK(spent(store, 20'000) == 320);
  CHECK(spent(store, 20'001) == 5);
  CHECK(spent(store, 20'002) == 0);
  CHECK(spent(store, 20'000, "other") == 7);
}

void a_refused_append_spends_nothing(store_writer& store) {
  claim(store, first).value();
  const auto day = 20'000;
  CHECK(ask(store, spending(append(first, 7, 0, messages(0, 1)), 100, day)).has_error());
  CHECK(ask(store, spending(append(first, 1, 3, messages(3, 1)), 100, day)).has_error());
  CHECK(ask(store, spending(append(second, 1, 0, messages(0, 1)), 100, day)).has_error());
  const auto twice = [](std::uint64_t seq) {
    return make_event(seq, response_requested{.response = "r"});
  };
  CHECK(ask(store, spending(append(first, 1, 0, {twice(1), twice(2)}), 100, day)).has_error());
  const auto no_day = ask(store, spending(append(first, 1, 0, messages(0, 1)), 100, 0));
  REQUIRE(no_day.has_error());
  CHECK(no_day.error().code == errc::invalid);
  CHECK(ask(store, spending(append(first, 1, 0, messages(0, 1)), spent_max + 1, day)).error().code
        == errc::invalid);
  CHECK(spent(store, day) == 0);
  CHECK(ask(store, spending(append(first, 1, 0, messages(0, 1)), spent_max, day)).has_value());
  CHECK(spent(store, day) == spent_max);
}

void a_group_counts_each_append_once(store_writer& store) {
  claim(store, first).value();
  claim(store, second).value();
  std::vector<store_job> group;
  std::size_t stored = 0;
  const auto add = [&](append_events job, std::uint64_t micro) {
    group.emplace_back(
      store_task<append_events>{spending(std::move(job), micro, 20'000),
                                [&stored](const auto& answer) { stored += answer ? 1 : 0; }});
  };
  add(append(first, 1, 0, messages(0, 1), "a"), 1);
  add(append(first, 1, 0, messages(0, 1), "a"), 10); // repeats the head
  add(append(second, 9, 0, messages(0, 1), "b"), 100);
  add(append(first, 1, 1, messages(1, 1), "c"), 1000);
  add(append(second, 1, 0, messages(0, 1), "d"), 10'000);
  std::uint64_t seen = 0;
  group.emplace_back(
    store_task<get_spend>{{.app = "moving", .day = 20'000},
                          [&seen](const auto& answer) { seen = answer.value().micro; }});
  for (const auto& done : store.run(std::move(group)))
    done();
  CHECK(stored == 3);
  CHECK(seen == 11'001);
  CHECK(spent(store, 20'000) == 11'001);
}

} // namespace

const std::vector<store_rule>& admin_rules() {
  static const std::vector<store_rule> rules{
    {"releases are kept", releases_are_kept},
    {"names point to releases", names_point_to_releases},
    {"server keys are kept", server_keys_are_kept},
    {"of a key, id and hash are used once", of_a_key_id_and_hash_are_used_once},
    {"wrong keys are refused as invalid", wrong_keys_are_refused},
    {"who knows the last change gets no list", who_knows_the_last_change_gets_no_list},
    {"a server key is revoked once", a_server_key_is_revoked_once},
    {"revocations of client keys go with the key", revocations_of_client_keys_go_with_the_key},
    {"spend is counted by app and day", spend_is_counted_by_app_and_day},
    {"a refused append spends nothing", a_refused_append_spends_nothing},
    {"a group counts each append once", a_group_counts_each_append_once},
  };
  return rules;
}

} // namespace sidevoice::samples
