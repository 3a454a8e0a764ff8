#include "providers/catalogue.hpp"
#include "providers/chat_provider.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace sidevoice {

namespace {

constexpr const char* url_field = "live.vendors.azure.openai_url";
constexpr const char* default_version = "2024-10-21";

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
         || c == '.' || c == '_' || c == '~';
}

std::string percent_encoded(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += is_unreserved(c)
             ? std::string{c}
             : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  return out;
}

/// The path without slashes at its end; empty where there is none.
std::string path_of(const std::string& url) {
  const auto first = url.find('/', url.find("://") + 3);
  auto path = first == std::string::npos ? std::string{} : url.substr(first);
  while (path.ends_with('/'))
    path.pop_back();
  return path;
}

/// Sets address and dialect by the form of the account's address; false where it has neither form.
bool place(chat_endpoint& endpoint, const vendor_account& account, const std::string& deployment) {
  const auto path = path_of(account.openai_url);
  if (path.ends_with("/v1")) {
    endpoint.url = join_url(account.openai_url, "chat/completions");
    return true;
  }
  if (!path.empty() && path != "/openai")
    return false;
  const std::string version = account.api_version.empty() ? default_version : account.api_version;
  const auto root =
    account.openai_url.substr(0, account.openai_url.find('/', account.openai_url.find("://") + 3));
  endpoint.dialect.model_in_body = false;
  endpoint.url = join_url(root, "openai/deployments/" + percent_encoded(deployment)
                                  + "/chat/completions?api-version=" + percent_encoded(version));
  return true;
}

} // namespace

/// Azure OpenAI: the v1 address, or the classic one with the deployment in its path.
result<std::unique_ptr<llm_provider>> make_llm_azure(const provider_context& context,
                                                     const json_text& options) {
  auto read = read_chat_options(options);
  if (!read)
    return std::move(read).error();
  const auto& account = context.account;
  chat_endpoint endpoint;
  endpoint.vendor = "azure";
  if (account.key.empty())
    return error{
      errc::invalid,
      "azure wants a key: set live.vendors.azure.key, such as \"${env:AZURE_KEY}\", and give "
      "the variable a value",
      "live.vendors.azure.key", "no_key"};
  if (auto fault = key_fault(endpoint.vendor, account.key))
    return std::move(*fault);
  if (account.openai_url.empty())
    return error{errc::invalid,
                 std::string{"azure wants the address of your resource: set "} + url_field
                   + ", such as \"https://RES.openai.azure.com/openai/v1\"",
                 url_field, "no_url"};
  if (auto fault = url_fault(url_field, account.openai_url))
    return std::move(*fault);
  if (!place(endpoint, account, read->model))
    return error{errc::invalid,
                 std::string{url_field}
                   + " ends in \"/openai/v1\", or has no path (classic: deployments in the path)",
                 url_field, "bad_url"};
  // The address is from the configuration, and private links resolve to private addresses.
  endpoint.private_addresses = true;
  endpoint.key = account.key;
  endpoint.fields = {{"Content-Type", "application/json"},
                     {"Accept", "text/event-stream"},
                     {"api-key", account.key}};
  endpoint.options = std::move(*read);
  return make_chat_provider(context, std::move(endpoint));
}

} // namespace sidevoice
