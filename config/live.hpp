#pragma once

#include "config/vendor_account.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sidevoice {

/// `live.limits`; unset: no bound.
struct live_limits {
  /// Sessions with running actors, of this app on this node.
  std::optional<std::uint32_t> sessions;
  std::optional<std::uint32_t> sessions_per_address_per_hour;
  std::optional<std::uint32_t> voice_sessions;
  std::optional<std::uint32_t> minutes_per_session;
  /// Inputs that ask for an answer, of one session.
  std::optional<std::uint32_t> turns_per_minute;
  std::optional<double> eur_per_session;
  std::optional<double> eur_per_day;

  bool operator==(const live_limits&) const = default;
};

/// `live.tools`: how this server calls the app's webhook tools.
struct live_tools {
  /// Signs calls by Standard Webhooks; empty: the first webhook's secret, else unsigned.
  std::string secret;
  /// Tools may be at loopback and private addresses. Default: in profile dev only.
  bool private_addresses = false;

  bool operator==(const live_tools&) const = default;
};

/// `live.session_start`; without effect yet.
struct live_session_start {
  std::string url;
  std::chrono::milliseconds timeout{600};
  /// "go_on" or "refuse".
  std::string on_error = "go_on";

  bool operator==(const live_session_start&) const = default;
};

/// `live.webhooks[]`; without effect yet, but its secret signs tool calls.
struct live_webhook {
  std::string url;
  std::string secret;
  std::vector<std::string> events;

  bool operator==(const live_webhook&) const = default;
};

/// How a server runs an app: keys, origins, accounts, limits. Takes effect at once for all
/// releases; never part of one. Holds secrets: never printed.
struct live_settings {
  std::vector<std::string> origins;
  /// Listed origins may open anonymous sessions.
  bool is_public = false;
  std::vector<std::string> server_keys;
  /// Groups of session fields that holders of client keys may set: "tools", "output_modalities",
  /// "audio", "turn_detection", "instructions", "voice", "tool_choice", "max_output_tokens".
  std::vector<std::string> client_may_set = {"tools", "output_modalities", "audio",
                                             "turn_detection"};
  std::map<std::string, vendor_account> vendors;
  failover_settings failover;
  live_tools tools;
  live_limits limits;
  std::optional<live_session_start> session_start;
  std::vector<live_webhook> webhooks;
  std::optional<std::uint32_t> keep_days;
  /// Values of sensitive topics are masked wherever people other than the visitor look.
  bool mask_sensitive = true;
  /// The name a saved file gets: "stable" or "preview".
  std::string on_save = "stable";
  /// The name new sessions get.
  std::string new_sessions = "stable";
  /// Releases other than stable: tools with effects are "simulate"d, or "run".
  std::string not_stable_effects = "simulate";

  bool operator==(const live_settings&) const = default;
};

using live_ptr = std::shared_ptr<const live_settings>;

} // namespace sidevoice
