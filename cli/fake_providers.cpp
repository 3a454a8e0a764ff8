#include "cli/commands.hpp"
#include "cli/fake_connection.hpp"
#include "config/asio_loop.hpp"
#include "config/text_file.hpp"
#include "gateway/listener.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <cstdio>
#include <memory>
#include <optional>

namespace sidevoice::cli {

namespace {

constexpr std::size_t script_bytes_max = 8U << 20U;

constexpr auto help =
  R"(Point a client at it: base URL http://127.0.0.1:9090/v1, any key. Without a script it repeats what
the user said, and calls a function where tool_choice forces one. A script says more, in JSON with
comments; the first rule that matches answers:

  { "defaults": { "latency_ms": 300, "words_per_second": 30 },
    "rules": [
      { "match": { "last_user": "weather", "last_role": "user" },
        "answer": { "tool_calls": [{ "name": "get_weather", "arguments": { "city": "Oslo" } }] } },
      { "match": { "last_role": "tool" }, "answer": { "text": "They say: {{tool_output}}" } },
      { "match": { "call": 3 }, "answer": { "status": 429, "retry_after_ms": 500 } },
      { "match": { "last_user": "story" },
        "answer": { "text": "Once upon a time there was", "drop_after": 3 }, "times": 1 }
    ] }

While it runs:
  curl http://127.0.0.1:9090/fake/requests                        what it was asked
  curl --data-binary @script.jsonc http://127.0.0.1:9090/fake/script    another script
  curl -X POST http://127.0.0.1:9090/fake/reset                   counts and log begin again
All keys: docs/fake-providers.md)";

struct fake_settings {
  std::string listen = "127.0.0.1:9090";
  std::string script;
  fake_options service;
};

int fail(const std::string& why, int code) {
  std::fprintf(stderr, "sidevoice: %s\n", why.c_str());
  return code;
}

/// Nothing: the faults were printed.
std::optional<fake_script> read_script(const std::string& path) {
  if (path.empty())
    return fake_script{};
  const auto text = read_text_file(path, script_bytes_max);
  if (!text) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(), text.error().detail.c_str());
    return std::nullopt;
  }
  auto read = read_fake_script(*text);
  for (const auto& fault : read.faults)
    std::fprintf(stderr, "%s: %s\n", path.c_str(), fault.c_str());
  if (!read.faults.empty())
    return std::nullopt;
  return std::move(read.script);
}

int run_fake_providers(const fake_settings& settings) {
  auto script = read_script(settings.script);
  if (!script)
    return 2;
  fake_openai service{settings.service, std::move(*script)};
  boost::asio::io_context io{1};
  asio_loop where{io};
  fake_context context{service, where};

  auto opened = listener::open(io, {settings.listen, "--listen"});
  if (!opened)
    return fail(opened.error().detail, opened.error().code == errc::invalid ? 2 : 1);
  auto& doors = **opened;
  if (!doors.is_loopback() && settings.service.key.empty())
    std::fprintf(stderr, "warning: other machines can use this server and read what it was asked; "
                         "give it a --key\n");
  doors.start([&context](boost::asio::ip::tcp::socket socket) {
    start_fake_connection(std::move(socket), context);
  });
  boost::asio::signal_set signals{io, SIGINT, SIGTERM};
  signals.async_wait([&io](const boost::system::error_code& ec, int) {
    if (!ec)
      io.stop();
  });
  std::printf("listening on http://%s/v1\n", doors.address().c_str());
  std::fflush(stdout);
  io.run();
  return 0;
}

} // namespace

void add_fake_providers(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand(
    "fake-providers",
    "Fake an OpenAI-compatible service: test an application without keys, network or cost");
  command->footer(help);
  auto settings = std::make_shared<fake_settings>();
  command->add_option("--listen", settings->listen, "HOST:PORT; port 0 picks a free one")
    ->capture_default_str();
  command->add_option("--key", settings->service.key, "Key that clients must send; without it any");
  command->add_option("--script", settings->script, "What to answer: a file of rules");
  command->add_option("--seed", settings->service.seed, "Of the jitter")->capture_default_str();
  command->callback(
    [&chosen, settings] { chosen = [settings] { return run_fake_providers(*settings); }; });
}

} // namespace sidevoice::cli
