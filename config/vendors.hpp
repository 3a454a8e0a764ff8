#pragma once

#include "config/app.hpp"
#include "config/live.hpp"
#include "config/vendor_account.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sidevoice {

/// Vendors that this binary knows, by what they do.
const std::vector<std::string>& model_vendors();
const std::vector<std::string>& hearing_vendors();
const std::vector<std::string>& speaking_vendors();

/// Vendors that can hear or speak in this version; an app may name the others already.
const std::vector<std::string>& speech_vendors_here();

/// Vendors that `live.vendors` may have an account of.
const std::vector<std::string>& account_vendors();

/// "rules" and "local" work without an account.
bool needs_account(const std::string& vendor);

/// The models of a list that this server has an account for, in their order.
std::vector<model_choice> usable_models(const std::vector<model_choice>& models,
                                        const live_settings& live);

/// No language model leads the conversation here: "rules" is the first that can be used.
bool speaks_offline(const app_definition& app, const live_settings& live);

/// The list price of a model in the vendor's currency for a million tokens, taken as euros, which
/// errs on the safe side while a euro is worth more than a dollar. Dated releases of a model
/// ("gpt-4.1-mini-2025-04-14") have its price. Nothing where the table has none.
std::optional<model_price> list_price(const std::string& vendor, const std::string& model);

/// The account's own price, else the list price.
std::optional<model_price> price_of(const vendor_account& account, const std::string& vendor,
                                    const std::string& model);

} // namespace sidevoice
