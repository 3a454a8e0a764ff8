#include "config/trace_settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace sidevoice {

namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  return std::string{text.substr(first, text.find_last_not_of(" \t") - first + 1)};
}

std::string small(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// "%20" and the like; what is no such escape stays.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    if (text[i] == '%' && i + 2 < text.size()
        && std::from_chars(&text[i + 1], &text[i + 1] + 2, byte, 16).ptr == &text[i + 1] + 2) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// Reads variables one by one, and keeps what was wrong with them.
class reader {
public:
  explicit reader(const environment& env) : env_(env) {}

  /// Empty: not set. An empty value counts as not set, as OpenTelemetry has it.
  [[nodiscard]] std::string text(const std::string& name) const {
    return trimmed(env_(name).value_or(""));
  }

  void fault(const std::string& name, const std::string& why) {
    faults.push_back(name + ' ' + why);
  }

  /// The variable for traces where it is set, else the one for everything.
  [[nodiscard]] std::pair<std::string, std::string> special(const std::string& last) const {
    const auto own = "OTEL_EXPORTER_OTLP_TRACES_" + last;
    if (auto value = text(own); !value.empty())
      return {own, value};
    const auto common = "OTEL_EXPORTER_OTLP_" + last;
    return {common, text(common)};
  }

  [[nodiscard]] bool flag(const std::string& name) {
    const auto value = small(text(name));
    if (!value.empty() && value != "true" && value != "false")
      fault(name, "is neither true nor false; it counts as false");
    return value == "true";
  }

  /// `absent` for what is no number from `least` to `most`.
  template <class Number>
  [[nodiscard]] Number number(const std::string& name, const std::string& value, Number least,
                              Number most, Number absent, const char* unit) {
    if (value.empty())
      return absent;
    Number read{};
    const auto end = value.data() + value.size();
    const auto [rest, code] = std::from_chars(value.data(), end, read);
    if (code == std::errc{} && rest == end && read >= least && read <= most)
      return read;
    fault(name, "is no number from " + std::to_string(least) + " to " + std::to_string(most) + unit
                  + "; " + std::to_string(absent) + " is used");
    return absent;
  }

  /// "a=1,b=two%20words"
  pairs list(const std::string& name, const std::string& value) {
    pairs out;
    std::string_view rest{value};
    while (!rest.empty()) {
      const auto comma = std::min(rest.find(','), rest.size());
      const auto entry = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      const auto equal = entry.find('=');
      auto key = trimmed(entry.substr(0, std::min(equal, entry.size())));
      if (trimmed(entry).empty())
        continue;
      // The entry may hold a key of the collector: it is not repeated.
      if (equal == std::string_view::npos || key.empty()) {
        fault(name, "has an entry that is no name=value; entries stand between commas, and a comma "
                    "in a value is written %2C");
        continue;
      }
      out.emplace_back(std::move(key), decoded(trimmed(entry.substr(equal + 1))));
    }
    return out;
  }

  std::vector<std::string> faults;

private:
  const environment& env_;
};

bool is_address(const std::string& url) {
  const auto host = url.find("://");
  return (url.starts_with("http://") || url.starts_with("https://")) && url.size() > host + 3
         && url[host + 3] != '/' && std::none_of(url.begin(), url.end(), [](char c) {
              return c <= ' ' || c > '~' || c == '@';
            });
}

/// Empty: traces are off.
std::string read_url(reader& from) {
  if (from.flag("OTEL_SDK_DISABLED"))
    return {};
  const auto exporter = small(from.text("OTEL_TRACES_EXPORTER"));
  if (exporter == "none")
    return {};
  if (!exporter.empty() && exporter != "otlp") {
    from.fault("OTEL_TRACES_EXPORTER", "is not otlp or none, the exporters that there are; nothing "
                                       "is traced");
    return {};
  }
  std::string name = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
  auto url = from.text(name);
  if (url.empty()) {
    name = "OTEL_EXPORTER_OTLP_ENDPOINT";
    url = from.text(name);
    if (url.empty() && exporter == "otlp")
      url = "http://localhost:4318";
    if (url.empty())
      return {};
    // The common address is the collector's; each kind of data has its path behind it.
    // What is no address must not become one by what is put behind it.
    if (is_address(url))
      url += url.ends_with('/') ? "v1/traces" : "/v1/traces";
  }
  if (!is_address(url)) {
    from.fault(name, "is no address such as http://localhost:4318 (a name or password goes into "
                     "OTEL_EXPORTER_OTLP_HEADERS); nothing is traced");
    return {};
  }
  const auto [protocol_name, protocol] = from.special("PROTOCOL");
  if (!protocol.empty() && protocol != "http/json") {
    from.fault(protocol_name, "asks for a protocol that is not built in: http/json is the one that "
                              "is (grpc and http/protobuf would take a library more). Collectors "
                              "take http/json on the port of http/protobuf, 4318 by default: set "
                                + protocol_name + "=http/json. Nothing is traced");
    return {};
  }
  return url;
}

double read_ratio(reader& from) {
  const auto name = small(from.text("OTEL_TRACES_SAMPLER"));
  if (name.empty() || name == "always_on" || name == "parentbased_always_on")
    return 1.0;
  if (name == "always_off" || name == "parentbased_always_off")
    return 0.0;
  if (name != "traceidratio" && name != "parentbased_traceidratio") {
    from.fault("OTEL_TRACES_SAMPLER",
               "is none of always_on, always_off, traceidratio or these with parentbased_ before "
               "them; all traces are kept");
    return 1.0;
  }
  const auto argument = from.text("OTEL_TRACES_SAMPLER_ARG");
  if (argument.empty())
    return 1.0;
  char* end = nullptr;
  const auto ratio = std::strtod(argument.c_str(), &end);
  if (end == argument.c_str() + argument.size() && ratio >= 0.0 && ratio <= 1.0)
    return ratio;
  from.fault("OTEL_TRACES_SAMPLER_ARG",
             "is no part from 0 to 1, such as 0.1 for one trace in ten; all traces are kept");
  return 1.0;
}

pairs read_fields(reader& from) {
  auto [name, value] = from.special("HEADERS");
  auto fields = from.list(name, value);
  const auto bad = std::remove_if(fields.begin(), fields.end(), [](const auto& field) {
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; };
    return field.first.find_first_of(" :\t") != std::string::npos
           || std::any_of(field.second.begin(), field.second.end(), is_control);
  });
  if (bad != fields.end())
    from.fault(name, "has a header that no request can carry (blanks in its name, control "
                     "characters in its value); it is left out");
  fields.erase(bad, fields.end());
  return fields;
}

pairs read_resource(reader& from) {
  auto resource = from.list("OTEL_RESOURCE_ATTRIBUTES", from.text("OTEL_RESOURCE_ATTRIBUTES"));
  const auto is_name = [](const auto& pair) { return pair.first == "service.name"; };
  if (auto service = from.text("OTEL_SERVICE_NAME"); !service.empty()) {
    std::erase_if(resource, is_name);
    resource.emplace_back("service.name", std::move(service));
  } else if (std::none_of(resource.begin(), resource.end(), is_name)) {
    resource.emplace_back("service.name", "sidevoice");
  }
  return resource;
}

} // namespace

trace_load read_trace_settings(const environment& env) {
  reader from{env};
  trace_load out;
  auto& to = out.settings;
  to.url = read_url(from);
  if (!to.url.empty()) {
    to.fields = read_fields(from);
    to.resource = read_resource(from);
    to.ratio = read_ratio(from);
    const auto count = [&](const char* name, std::size_t most, std::size_t absent) {
      return from.number<std::size_t>(name, from.text(name), 1, most, absent, "");
    };
    const auto time = [&](const std::string& name, const std::string& value, std::int64_t least,
                          std::chrono::milliseconds absent) {
      return std::chrono::milliseconds{
        from.number<std::int64_t>(name, value, least, 600'000, absent.count(), " milliseconds")};
    };
    to.queue_max = count("OTEL_BSP_MAX_QUEUE_SIZE", 1'000'000, to.queue_max);
    to.batch_max = count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 10'000, to.batch_max);
    if (to.batch_max > to.queue_max) {
      if (!from.text("OTEL_BSP_MAX_EXPORT_BATCH_SIZE").empty())
        from.fault("OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
                   "is more than OTEL_BSP_MAX_QUEUE_SIZE; batches are as large as the queue");
      to.batch_max = to.queue_max;
    }
    to.delay = time("OTEL_BSP_SCHEDULE_DELAY", from.text("OTEL_BSP_SCHEDULE_DELAY"), 0, to.delay);
    const auto export_timeout = time("OTEL_BSP_EXPORT_TIMEOUT",
                                     from.text("OTEL_BSP_EXPORT_TIMEOUT"), 1,
                                     std::chrono::milliseconds{30'000});
    const auto [name, value] = from.special("TIMEOUT");
    to.deadline = std::min(export_timeout, time(name, value, 1, to.deadline));
  }
  out.faults = std::move(from.faults);
  return out;
}

} // namespace sidevoice
