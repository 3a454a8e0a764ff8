#include "providers/chat_provider.hpp"

#include "providers/chat_run.hpp"

#include <algorithm>
#include <utility>

namespace sidevoice {

namespace {

class chat_generation final : public llm_stream {
public:
  explicit chat_generation(std::shared_ptr<chat_run> run) : run_(std::move(run)) {}
  chat_generation(const chat_generation&) = delete;
  chat_generation& operator=(const chat_generation&) = delete;
  ~chat_generation() override {
    run_->cancel();
  }

private:
  std::shared_ptr<chat_run> run_;
};

class chat_provider final : public llm_provider {
public:
  chat_provider(const provider_context& context, chat_endpoint endpoint)
      : context_(context),
        endpoint_(std::make_shared<const chat_endpoint>(std::move(endpoint))) {}

  result<std::unique_ptr<llm_stream>> open(llm_request request, llm_sink sink) override {
    if (context_.http == nullptr)
      return error{errc::unavailable,
                   endpoint_->vendor + " is out of reach: this process makes no outgoing calls",
                   {},
                   "no_network"};
    auto run = std::make_shared<chat_run>(context_, endpoint_, std::move(request), std::move(sink));
    run->start();
    return std::unique_ptr<llm_stream>{std::make_unique<chat_generation>(std::move(run))};
  }

private:
  provider_context context_;
  std::shared_ptr<const chat_endpoint> endpoint_;
};

} // namespace

std::unique_ptr<llm_provider> make_chat_provider(const provider_context& context,
                                                 chat_endpoint endpoint) {
  return std::make_unique<chat_provider>(context, std::move(endpoint));
}

std::optional<error> key_fault(const std::string& vendor, const std::string& key) {
  const auto is_bad = [](char c) { return c <= ' ' || c > '~'; };
  if (std::none_of(key.begin(), key.end(), is_bad))
    return std::nullopt;
  const auto name = "live.vendors." + vendor + ".key";
  return error{errc::invalid,
               name + " has blanks, line breaks or other characters that no key has; copy it again",
               name, "bad_key"};
}

std::optional<error> url_fault(const std::string& field, const std::string& url) {
  const auto is_bad = [](char c) {
    return c <= ' ' || c > '~' || c == '@' || c == '?' || c == '#' || c == '\\';
  };
  const auto host = url.find("://");
  const bool is_http = url.starts_with("http://") || url.starts_with("https://");
  if (is_http && url.size() > host + 3 && url[host + 3] != '/'
      && std::none_of(url.begin(), url.end(), is_bad))
    return std::nullopt;
  return error{errc::invalid,
               field
                 + " is no address such as \"https://api.example/v1\": http or https, without "
                   "user, query or fragment",
               field, "bad_url"};
}

std::string join_url(const std::string& base, const std::string& path) {
  auto end = base.size();
  while (end > 0 && base[end - 1] == '/')
    --end;
  return base.substr(0, end) + "/"
         + path.substr(std::min(path.find_first_not_of('/'), path.size()));
}

} // namespace sidevoice
