#include "config/app_reader.hpp"
#include "config/app_references.hpp"
#include "config/suggest.hpp"
#include "config/vendors.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace sidevoice {

namespace {

using nlohmann::ordered_json;

/// Reads one account.
class account_reader {
public:
  account_reader(const ordered_json& entry, const std::string& name, std::string path,
                 const app_source& source, fault_list& faults)
      : fields_(entry, std::move(path), faults),
        name_(name),
        references_(source, "the vendor", faults),
        faults_(faults),
        is_object_(entry.is_object()) {}

  /// Nothing where it cannot be used; why is said.
  std::optional<vendor_account> read() {
    if (!is_object_)
      return std::nullopt;
    if (name_ == "azure")
      read_azure();
    else
      read_address("base_url", account_.base_url);
    if (name_ == "openai") {
      read_setting("organization", account_.organization);
      read_setting("project", account_.project);
    }
    read_key();
    if (name_ == "openai" || name_ == "azure") {
      read_prices();
      if (const auto most = fields_.whole("concurrency", 1, 1024))
        account_.concurrency = static_cast<std::uint32_t>(*most);
    }
    fields_.finish();
    return usable_ ? std::optional{account_} : std::nullopt;
  }

private:
  void read_key() {
    // A compatible server of one's own may want none.
    const auto optional = name_ == "openai" && fields_.find("base_url") != nullptr;
    if (!optional)
      fields_.require("key",
                      R"(add it as a reference, such as "key": "${env:)" + variable() + R"(}")");
    const auto* key = fields_.find("key");
    if (key == nullptr) {
      usable_ = usable_ && optional;
      return;
    }
    if (auto secret = references_.secret(*key, fields_.path("key")))
      account_.key = std::move(*secret);
    else
      usable_ = false;
  }

  std::string variable() const {
    if (name_ == "azure")
      return "AZURE_KEY";
    auto out = name_ + "_API_KEY";
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return out;
  }

  void read_azure() {
    read_setting("region", account_.region);
    read_setting("api_version", account_.api_version);
    read_address("openai_url", account_.openai_url);
  }

  void read_setting(const std::string& key, std::string& into) {
    const auto written = fields_.text(key, 500);
    if (!written)
      return;
    if (auto value = references_.setting(*written, fields_.path(key)))
      into = std::move(*value);
    else
      usable_ = false;
  }

  /// Servers of one's own may speak http in a private network.
  void read_address(const std::string& key, std::string& into) {
    const auto written = fields_.text(key, 2000);
    if (!written)
      return;
    if (auto value = references_.address(*written, fields_.path(key), false))
      into = std::move(*value);
    else
      usable_ = false;
  }

  void read_prices() {
    const auto* prices = fields_.find("prices", json_kind::object);
    if (prices == nullptr)
      return;
    const auto path = fields_.path("prices");
    for (const auto& member : prices->items()) {
      object_fields one{member.value(), path_of(path, member.key()), faults_};
      one.require("input", R"(write euros for a million tokens: { "input": 0.4, "output": 1.6 })");
      one.require("output", R"(write euros for a million tokens: { "input": 0.4, "output": 1.6 })");
      model_price price;
      price.input = one.number("input", 0, 10'000).value_or(0);
      price.output = one.number("output", 0, 10'000).value_or(0);
      price.cached_input = one.number("cached_input", 0, 10'000).value_or(price.input);
      one.finish();
      account_.prices[member.key()] = price;
    }
  }

  object_fields fields_;
  const std::string& name_;
  reference_reader references_;
  fault_list& faults_;
  bool is_object_;
  bool usable_ = true;
  vendor_account account_;
};

} // namespace

void read_vendors(const ordered_json& object, const std::string& path, const app_source& source,
                  live_settings& live, fault_list& faults) {
  if (!object.is_object()) {
    faults.fault(path, describe_kind(object),
                 R"(write an object: { "openai": { "key": "${env:OPENAI_API_KEY}" } })");
    return;
  }
  const auto& known = account_vendors();
  for (const auto& member : object.items()) {
    const auto here = path_of(path, member.key());
    if (std::find(known.begin(), known.end(), member.key()) == known.end()) {
      faults.fault(here, "a vendor that is not known here", suggestion(member.key(), known));
      continue;
    }
    if (!member.value().is_object()) {
      faults.fault(here, describe_kind(member.value()), "write an object: { ... }");
      continue;
    }
    if (auto account = account_reader{member.value(), member.key(), here, source, faults}.read())
      live.vendors[member.key()] = std::move(*account);
  }
}

} // namespace sidevoice
