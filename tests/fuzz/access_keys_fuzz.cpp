#include "gateway/client_key.hpp"
#include "gateway/client_secrets.hpp"
#include "tests/fuzz/fuzzing.hpp"

#include <nlohmann/json.hpp>

#include <string>

using namespace sidevoice;
using namespace sidevoice::fuzzing;

namespace {

constexpr std::int64_t now_s = 1'800'000'000;

const key_sealer& sealer() {
  static const key_sealer ours{std::string(key_sealer::key_bytes, 'k')};
  return ours;
}

void must_refuse(std::string_view text) {
  const auto found = sealer().unseal(text, now_s);
  must(!found && found.error().code == errc::unauthorized && found.error().param.empty(),
       "a key that nobody gave out");
}

/// A key that was given out says what it said; one that was changed is none.
void change_key(const client_key& key, std::size_t at, unsigned char flip) {
  const auto text = sealer().seal(key);
  const auto read = sealer().unseal(text, now_s);
  must(read.has_value() == (key.expires_s > now_s && text.size() <= key_sealer::text_bytes_max),
       "a good key that is refused, or an old one that is taken");
  must(!read || *read == key, "a key that says something else");
  auto changed = text;
  changed[at % changed.size()] ^= static_cast<char>(flip == 0 ? 1 : flip);
  must_refuse(changed);
  must_refuse(text.substr(0, at % text.size()));
  must_refuse(text + "A");
  must_refuse(text + text);
}

/// Whatever is taken can be stored and sealed, and what a key carries is an object.
void ask_for_secret(const std::string& body) {
  const auto answer = read_secret_request(body);
  if (const auto* fault = std::get_if<realtime_fault>(&answer)) {
    must(!fault->code.empty() && !fault->message.empty(), "a bare refusal");
    return;
  }
  const auto& asked = std::get<secret_request>(answer);
  must(asked.seconds >= 10 && asked.seconds <= 7200, "a key that lives too long or not at all");
  for (const auto* name : {&asked.model, &asked.release, &asked.session, &asked.user})
    must(name->size() <= 200 && name->find('\n') == std::string::npos, "a name that breaks lines");
  if (!asked.preset.empty()) {
    const auto preset = nlohmann::json::parse(asked.preset, nullptr, false);
    must(preset.is_object() && !preset.contains("model") && preset["type"] == "realtime",
         "fields that are no session's");
  }
  const client_key key{.app = asked.model,
                       .session = asked.session,
                       .user = asked.user,
                       .expires_s = now_s + asked.seconds,
                       .id = "id",
                       .release = asked.release,
                       .preset = asked.preset};
  change_key(key, body.size(), 1);
}

} // namespace

/// What somebody shows as a client key, and what a backend asks for as one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text{text_of(bytes, size)};
  must_refuse(text);
  must_refuse("ek_" + text);
  ask_for_secret(text);
  if (size >= 3)
    change_key({.app = "open", .session = "sess_1", .expires_s = now_s - 128 + bytes[2], .id = "i"},
               bytes[0], bytes[1]);
  return 0;
}
