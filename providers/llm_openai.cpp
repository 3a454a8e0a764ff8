#include "providers/catalogue.hpp"
#include "providers/chat_provider.hpp"

#include <utility>

namespace sidevoice {

namespace {

constexpr const char* own_url = "https://api.openai.com/v1";

std::string without_slash(std::string url) {
  while (url.ends_with('/'))
    url.pop_back();
  return url;
}

} // namespace

/// OpenAI's Chat Completions, and every server that speaks them (`base_url`).
result<std::unique_ptr<llm_provider>> make_llm_openai(const provider_context& context,
                                                      const json_text& options) {
  auto read = read_chat_options(options);
  if (!read)
    return std::move(read).error();
  const auto& account = context.account;
  const auto base = account.base_url.empty() ? own_url : without_slash(account.base_url);
  chat_endpoint endpoint;
  endpoint.vendor = "openai";
  endpoint.dialect.is_openai = base == own_url;
  // Servers of one's own often want no key.
  if (account.key.empty() && endpoint.dialect.is_openai)
    return error{
      errc::invalid,
      "openai wants a key: set live.vendors.openai.key, such as \"${env:OPENAI_API_KEY}\", "
      "and give the variable a value; a server of your own goes into "
      "live.vendors.openai.base_url",
      "live.vendors.openai.key", "no_key"};
  if (auto fault = key_fault(endpoint.vendor, account.key))
    return std::move(*fault);
  if (auto fault = url_fault("live.vendors.openai.base_url", base))
    return std::move(*fault);
  endpoint.url = join_url(base, "chat/completions");
  endpoint.private_addresses = !endpoint.dialect.is_openai;
  endpoint.key = account.key;
  endpoint.fields = {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}};
  if (!account.key.empty())
    endpoint.fields.push_back({"Authorization", "Bearer " + account.key});
  if (!account.organization.empty())
    endpoint.fields.push_back({"OpenAI-Organization", account.organization});
  if (!account.project.empty())
    endpoint.fields.push_back({"OpenAI-Project", account.project});
  endpoint.options = std::move(*read);
  return make_chat_provider(context, std::move(endpoint));
}

} // namespace sidevoice
