#include "config/app_reader.hpp"
#include "config/app_references.hpp"
#include "config/base64.hpp"

#include <nlohmann/json.hpp>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

constexpr const char* no_effect_yet = "has no effect yet";

std::optional<std::uint32_t> count(object_fields& fields, const std::string& key,
                                   std::int64_t max) {
  const auto value = fields.whole(key, 1, max);
  return value ? std::optional{static_cast<std::uint32_t>(*value)} : std::nullopt;
}

/// Reads the parts of `live` that are one object or list each.
class live_reader {
public:
  live_reader(const app_source& source, live_settings& live, fault_list& faults)
      : source_(source),
        live_(live),
        faults_(faults) {}

  void read_failover(const ordered_json& value, const std::string& path) {
    object_fields fields{value, path, faults_};
    auto& how = live_.failover;
    if (const auto ms = fields.whole("first_byte_ms", 100, 120'000))
      how.first_byte = std::chrono::milliseconds{*ms};
    if (const auto ms = fields.whole("stall_ms", 100, 120'000))
      how.stall = std::chrono::milliseconds{*ms};
    if (const auto s = fields.whole("retry_vendor_after_s", 1, 3600))
      how.retry_vendor_after = std::chrono::seconds{*s};
    fields.finish();
  }

  void read_tools(const ordered_json* value, const std::string& path) {
    live_.tools.private_addresses = source_.is_dev();
    if (value == nullptr)
      return;
    object_fields fields{*value, path, faults_};
    live_.tools.private_addresses = fields.flag("private_addresses", live_.tools.private_addresses);
    live_.tools.secret = read_signing_secret(fields, "the signature of tool calls");
    fields.finish();
  }

  void read_limits(const ordered_json& value, const std::string& path) {
    object_fields fields{value, path, faults_};
    auto& limits = live_.limits;
    limits.sessions = count(fields, "sessions", 10'000'000);
    limits.sessions_per_address_per_hour = count(fields, "sessions_per_address_per_hour",
                                                 1'000'000);
    limits.voice_sessions = count(fields, "voice_sessions", 1'000'000);
    limits.minutes_per_session = count(fields, "minutes_per_session", 10'080);
    limits.turns_per_minute = count(fields, "turns_per_minute", 10'000);
    limits.eur_per_session = fields.number("eur_per_session", 0.001, 1'000'000);
    limits.eur_per_day = fields.number("eur_per_day", 0.001, 10'000'000);
    fields.finish();
    if (limits.eur_per_session && limits.eur_per_day
        && *limits.eur_per_session > *limits.eur_per_day)
      faults_.warn(fields.path("eur_per_session"), "more for a session than for a day",
                   "the limit of the day counts first: make it the larger one");
  }

  void read_privacy(const ordered_json& value, const std::string& path) {
    object_fields fields{value, path, faults_};
    live_.keep_days = count(fields, "keep_days", 36'500);
    if (fields.word("recordings", {"off", "on"}) == "on")
      faults_.warn(fields.path("recordings"), "a key of a later version", no_effect_yet);
    if (const auto* sensitive = fields.find("sensitive")) {
      object_fields inner{*sensitive, fields.path("sensitive"), faults_};
      live_.mask_sensitive = inner.flag("mask", true);
      inner.flag("webhooks", true);
      inner.finish();
    }
    fields.finish();
  }

  void read_releases(const ordered_json& value, const std::string& path) {
    object_fields fields{value, path, faults_};
    live_.new_sessions = fields.word("new_sessions", {"stable", "preview"}).value_or("stable");
    live_.on_save = fields.word("on_save", {"stable", "preview"}).value_or("stable");
    if (const auto* other = fields.find("not_stable")) {
      object_fields inner{*other, fields.path("not_stable"), faults_};
      live_.not_stable_effects = inner.word("effects", {"simulate", "run"}).value_or("simulate");
      inner.word("webhooks", {"off", "on"});
      inner.whole("keep_days", 1, 36'500);
      inner.text("ribbon", 40);
      inner.finish();
    }
    fields.finish();
  }

  void read_webhooks(const ordered_json& list, const std::string& path) {
    for (std::size_t i = 0; i < list.size(); ++i)
      read_webhook(list[i], path_of(path, i));
    if (!list.empty())
      faults_.warn(path, "events to webhooks", "has no effect yet, but a secret signs tool calls");
  }

  void read_session_start(const ordered_json& value, const std::string& path) {
    object_fields fields{value, path, faults_};
    fields.require("url", R"(add its address, such as "url": "${env:SHOP_URL}/start")");
    live_session_start start;
    if (const auto written = fields.text("url", 2000))
      start.url = address(*written, fields.path("url"), "the question at the start of a session");
    if (const auto ms = fields.whole("timeout_ms", 50, 10'000))
      start.timeout = std::chrono::milliseconds{*ms};
    start.on_error = fields.word("on_error", {"go_on", "refuse"}).value_or("go_on");
    fields.finish();
    faults_.warn(path, "a key of a later version", no_effect_yet);
    if (!start.url.empty())
      live_.session_start = std::move(start);
  }

private:
  void read_webhook(const ordered_json& entry, const std::string& path) {
    object_fields fields{entry, path, faults_};
    fields.require("url", R"(add its address, such as "url": "${env:SHOP_URL}/events")");
    live_webhook hook;
    if (const auto written = fields.text("url", 2000))
      hook.url = address(*written, fields.path("url"), "the webhook");
    hook.secret = read_signing_secret(fields, "the signature of webhooks");
    hook.events = fields.words(
      "events", {"session.started", "session.completed", "session.reopened", "session.ended",
                 "topic.updated", "approval.requested", "transfer.requested", "budget.warning"});
    fields.finish();
    if (!hook.url.empty())
      live_.webhooks.push_back(std::move(hook));
  }

  std::string address(const std::string& written, const std::string& path,
                      const std::string& left_out) {
    return reference_reader{source_, left_out, faults_}.address(written, path, true).value_or("");
  }

  /// Empty where there is none. "whsec_" and base64, as Standard Webhooks have it, or any text.
  std::string read_signing_secret(object_fields& fields, const std::string& left_out) {
    const auto* entry = fields.find("secret");
    if (entry == nullptr)
      return {};
    const auto path = fields.path("secret");
    auto secret = reference_reader{source_, left_out, faults_}.secret(*entry, path);
    if (!secret)
      return {};
    if (secret->starts_with("whsec_") && !is_base64(secret->substr(6))) {
      faults_.fault(path, "a secret that is no base64 after \"whsec_\"",
                    "copy it whole, or make one: whsec_ and the base64 of 24 to 64 random bytes");
      return {};
    }
    return std::move(*secret);
  }

  static bool is_base64(const std::string& text) {
    const auto bytes = read_base64(text, base64_kind::standard);
    return bytes && !bytes->empty();
  }

  const app_source& source_;
  live_settings& live_;
  fault_list& faults_;
};

} // namespace

void read_live(const ordered_json& object, const std::string& path, const app_source& source,
               live_settings& live, fault_list& faults) {
  object_fields fields{object, path, faults};
  live_reader reader{source, live, faults};
  if (const auto* value = fields.find("access"))
    read_access(*value, fields.path("access"), source, live, faults);
  if (const auto* value = fields.find("vendors"))
    read_vendors(*value, fields.path("vendors"), source, live, faults);
  if (const auto* value = fields.find("failover"))
    reader.read_failover(*value, fields.path("failover"));
  reader.read_tools(fields.find("tools"), fields.path("tools"));
  if (const auto* value = fields.find("limits"))
    reader.read_limits(*value, fields.path("limits"));
  if (const auto* value = fields.find("privacy"))
    reader.read_privacy(*value, fields.path("privacy"));
  if (const auto* value = fields.find("releases"))
    reader.read_releases(*value, fields.path("releases"));
  if (const auto* value = fields.find("session_start"))
    reader.read_session_start(*value, fields.path("session_start"));
  if (const auto* list = fields.find("webhooks", json_kind::list))
    reader.read_webhooks(*list, fields.path("webhooks"));
  fields.finish();
}

} // namespace sidevoice
