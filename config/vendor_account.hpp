#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace sidevoice {

/// Price of a model in euros for a million tokens.
struct model_price {
  double input = 0;
  double cached_input = 0;
  double output = 0;

  bool operator==(const model_price&) const = default;
};

/// `live.vendors.NAME`: how this server reaches a vendor. `key` is a secret and is never printed.
struct vendor_account {
  std::string key;
  /// openai: any compatible server, such as "http://127.0.0.1:8000/v1"; empty: the vendor's own.
  std::string base_url;
  std::string region;
  /// azure: "https://RES.openai.azure.com", with "/openai/v1" (preferred) or without a path
  /// (classic, deployments in the path).
  std::string openai_url;
  /// azure, classic only.
  std::string api_version;
  std::string organization;
  std::string project;
  /// Runs of models that the vendor has under way for this app at once; more wait for their turn.
  std::uint32_t concurrency = 64;
  /// By model; a model without one costs what the built-in table says, else nothing.
  std::map<std::string, model_price> prices;

  bool operator==(const vendor_account&) const = default;
};

/// `live.failover`.
struct failover_settings {
  std::chrono::milliseconds first_byte{10'000};
  std::chrono::milliseconds stall{15'000};
  /// A vendor that failed is left out for so long while there is another.
  std::chrono::seconds retry_vendor_after{30};

  bool operator==(const failover_settings&) const = default;
};

} // namespace sidevoice
