#include "config/vendors.hpp"

#include <algorithm>
#include <array>

namespace sidevoice {

namespace {

struct listed_price {
  const char* model;
  model_price price;
};

/// Dollars for a million tokens: input, cached input, output. OpenAI's public list for its standard
/// tier as of August 2025; `live.vendors.NAME.prices` outranks it.
constexpr std::array<listed_price, 12> price_list = {{
  {"gpt-4.1", {2.00, 0.50, 8.00}},
  {"gpt-4.1-mini", {0.40, 0.10, 1.60}},
  {"gpt-4.1-nano", {0.10, 0.025, 0.40}},
  {"gpt-4o", {2.50, 1.25, 10.00}},
  {"gpt-4o-mini", {0.15, 0.075, 0.60}},
  {"gpt-5", {1.25, 0.125, 10.00}},
  {"gpt-5-mini", {0.25, 0.025, 2.00}},
  {"gpt-5-nano", {0.05, 0.005, 0.40}},
  {"o1", {15.00, 7.50, 60.00}},
  {"o3", {2.00, 0.50, 8.00}},
  {"o3-mini", {1.10, 0.55, 4.40}},
  {"o4-mini", {1.10, 0.275, 4.40}},
}};

/// "gpt-4.1-mini-2025-04-14" without its date.
std::string undated(const std::string& model) {
  constexpr std::size_t date_length = 11;
  if (model.size() <= date_length)
    return model;
  const auto tail = model.substr(model.size() - date_length);
  for (std::size_t i = 0; i < tail.size(); ++i) {
    const auto dash = i == 0 || i == 5 || i == 8;
    if (dash ? tail[i] != '-' : tail[i] < '0' || tail[i] > '9')
      return model;
  }
  return model.substr(0, model.size() - date_length);
}

} // namespace

const std::vector<std::string>& model_vendors() {
  static const std::vector<std::string> names = {"rules", "openai", "azure"};
  return names;
}

const std::vector<std::string>& hearing_vendors() {
  static const std::vector<std::string> names = {"deepgram", "azure", "openai", "local"};
  return names;
}

const std::vector<std::string>& speaking_vendors() {
  static const std::vector<std::string> names = {"cartesia", "azure", "openai", "deepgram",
                                                 "local"};
  return names;
}

const std::vector<std::string>& speech_vendors_here() {
  static const std::vector<std::string> names = {"local"};
  return names;
}

const std::vector<std::string>& account_vendors() {
  static const std::vector<std::string> names = {"openai", "azure", "deepgram", "cartesia"};
  return names;
}

bool needs_account(const std::string& vendor) {
  return vendor != "rules" && vendor != "local";
}

std::vector<model_choice> usable_models(const std::vector<model_choice>& models,
                                        const live_settings& live) {
  std::vector<model_choice> out;
  for (const auto& one : models)
    if (!needs_account(one.vendor) || live.vendors.contains(one.vendor))
      out.push_back(one);
  return out;
}

bool speaks_offline(const app_definition& app, const live_settings& live) {
  const auto models = usable_models(app.conversation_models, live);
  return models.empty() || models.front().vendor == "rules";
}

std::optional<model_price> list_price(const std::string& vendor, const std::string& model) {
  if (vendor != "openai" && vendor != "azure")
    return std::nullopt;
  const auto name = undated(model);
  const auto* const found = std::find_if(price_list.begin(), price_list.end(),
                                         [&](const auto& one) { return one.model == name; });
  return found == price_list.end() ? std::nullopt : std::optional{found->price};
}

std::optional<model_price> price_of(const vendor_account& account, const std::string& vendor,
                                    const std::string& model) {
  const auto own = account.prices.find(model);
  if (own != account.prices.end())
    return own->second;
  // A compatible server has models and prices of its own.
  return account.base_url.empty() ? list_price(vendor, model) : std::nullopt;
}

} // namespace sidevoice
