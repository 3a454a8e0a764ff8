#include "config/trace_settings.hpp"

#include "config/trace_context.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace sidevoice;
using namespace std::chrono_literals;

namespace {

trace_load read(const std::map<std::string, std::string>& variables) {
  return read_trace_settings([&variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional{found->second};
  });
}

constexpr const char* endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

} // namespace

TEST_CASE("nothing is traced unless the environment says where to") {
  CHECK(read({}).settings.url.empty());
  CHECK(read({{"OTEL_SERVICE_NAME", "shop"}}).settings.url.empty());
  CHECK(read({{endpoint, "http://c:4318"}, {"OTEL_SDK_DISABLED", "TRUE"}}).settings.url.empty());
  CHECK(read({{endpoint, "http://c:4318"}, {"OTEL_TRACES_EXPORTER", "none"}}).settings.url.empty());
  CHECK(read({{"OTEL_TRACES_EXPORTER", "otlp"}}).settings.url == "http://localhost:4318/v1/traces");
}

TEST_CASE("the common address gets a path, the one for traces is taken as it is, and wins") {
  CHECK(read({{endpoint, "http://c:4318"}}).settings.url == "http://c:4318/v1/traces");
  CHECK(read({{endpoint, "https://c/base/"}}).settings.url == "https://c/base/v1/traces");
  CHECK(
    read({{endpoint, "http://c:4318"}, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other:1/in"}})
      .settings.url
    == "http://other:1/in");
}

TEST_CASE("headers, resource, sampler and the bounds of batches are OpenTelemetry's") {
  const auto loaded = read({{endpoint, "http://c:4318"},
                            {"OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b, x-team = voice"},
                            {"OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"},
                            {"OTEL_SERVICE_NAME", "shop"},
                            {"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"},
                            {"OTEL_TRACES_SAMPLER_ARG", "0.25"},
                            {"OTEL_BSP_MAX_QUEUE_SIZE", "100"},
                            {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10"},
                            {"OTEL_BSP_SCHEDULE_DELAY", "200"},
                            {"OTEL_EXPORTER_OTLP_TIMEOUT", "900"}});
  CHECK(loaded.faults.empty());
  const auto& to = loaded.settings;
  REQUIRE(to.fields.size() == 2);
  CHECK(to.fields[0] == std::pair<std::string, std::string>{"x-key", "a b"});
  CHECK(to.fields[1] == std::pair<std::string, std::string>{"x-team", "voice"});
  REQUIRE(to.resource.size() == 2);
  CHECK(to.resource[1] == std::pair<std::string, std::string>{"service.name", "shop"});
  CHECK(to.ratio == 0.25);
  CHECK(to.queue_max == 100);
  CHECK(to.batch_max == 10);
  CHECK(to.delay == 200ms);
  CHECK(to.deadline == 900ms);
}

TEST_CASE("a value that cannot be meant is named with its remedy, and the default holds") {
  const std::map<std::string, std::string> bad = {
    {"OTEL_TRACES_SAMPLER", "sometimes"},       {"OTEL_BSP_MAX_QUEUE_SIZE", "-1"},
    {"OTEL_BSP_SCHEDULE_DELAY", "5s"},          {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "9000"},
    {"OTEL_EXPORTER_OTLP_TIMEOUT", "99999999"}, {"OTEL_EXPORTER_OTLP_HEADERS", "secret-without"},
  };
  for (const auto& variable : bad) {
    INFO("variable " << variable.first);
    const auto& [name, value] = variable;
    const auto loaded = read({{endpoint, "http://c:4318"}, {name, value}});
    REQUIRE(loaded.faults.size() == 1);
    CHECK(loaded.faults[0].starts_with(name + " "));
    CHECK(loaded.faults[0].find("secret-without") == std::string::npos);
    CHECK(loaded.settings.url == "http://c:4318/v1/traces");
    CHECK(loaded.settings.queue_max == 2048);
    CHECK(loaded.settings.delay == 5s);
  }
}

TEST_CASE("a protocol or an address that cannot be used turns traces off, and says what can") {
  const auto grpc = read({{endpoint, "http://c:4317"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}});
  CHECK(grpc.settings.url.empty());
  REQUIRE(grpc.faults.size() == 1);
  CHECK(grpc.faults[0].find("OTEL_EXPORTER_OTLP_PROTOCOL=http/json") != std::string::npos);
  CHECK(read({{endpoint, "http://c:4318"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"}})
          .faults.empty());
  for (const auto* address : {"collector:4318", "http://", "http://user:word@c:4318"}) {
    const auto loaded = read({{endpoint, address}});
    CHECK(loaded.settings.url.empty());
    REQUIRE(loaded.faults.size() == 1);
    CHECK(loaded.faults[0].starts_with(endpoint));
    CHECK(loaded.faults[0].find("word@") == std::string::npos);
  }
}

TEST_CASE("a traceparent is read as it was written, and nothing else is one") {
  const trace_context where{"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", true};
  const auto text = to_traceparent(where);
  CHECK(text == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  CHECK(read_traceparent(text) == where);
  CHECK_FALSE(read_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")->sampled);
  // A later version may have more behind it.
  CHECK(read_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what") == where);
  for (const auto* wrong : {"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what"})
    CHECK_FALSE(read_traceparent(wrong));
}

TEST_CASE("equal names give equal ids, others others") {
  CHECK(named_trace_id("a", 16).size() == 32);
  CHECK(named_trace_id("a", 8).size() == 16);
  CHECK(named_trace_id("a", 16) == named_trace_id("a", 16));
  CHECK(named_trace_id("a", 16) != named_trace_id("b", 16));
}

TEST_CASE("a ratio keeps about that part of the traces, and always the same ones") {
  std::size_t kept = 0;
  for (int i = 0; i < 4000; ++i) {
    const auto id = named_trace_id(std::to_string(i), 16);
    const auto takes = trace_sampler{0.25}.takes(id);
    CHECK(takes == trace_sampler{0.25}.takes(id));
    // What a smaller part keeps, a larger one keeps as well.
    if (takes)
      CHECK(trace_sampler{0.5}.takes(id));
    CHECK(trace_sampler{1.0}.takes(id));
    CHECK_FALSE(trace_sampler{0.0}.takes(id));
    kept += takes ? 1 : 0;
  }
  CHECK(kept > 900);
  CHECK(kept < 1100);
}
