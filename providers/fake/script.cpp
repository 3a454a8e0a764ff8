#include "providers/fake/script.hpp"

#include "config/jsonc.hpp"
#include "providers/fake/script_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>

namespace sidevoice {

namespace {

using json = script_reader::json;
using take = script_reader::take;

constexpr std::uint64_t hour_ms = 3'600'000;
constexpr std::uint64_t count_max = 1'000'000'000;

bool is_field_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  });
}

bool is_field_value(const std::string& value) {
  return std::all_of(value.begin(), value.end(),
                     [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

/// The connection's own fields: a script that set them would break the framing, not the service.
bool is_framing(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name == "content-length" || name == "transfer-encoding" || name == "connection";
}

class reading {
public:
  explicit reading(const jsonc_document& document) : read_(document) {}

  fake_script_reading take_all(const json& root) {
    fake_script_reading out;
    const auto rules = [&](const json& value, const std::string& path) {
      read_.list(value, path, [&](const json& one, const std::string& at) {
        out.script.rules.push_back(rule(one, at, out.script.defaults));
      });
    };
    if (root.is_array()) {
      rules(root, "");
    } else if (root.is_object()) {
      // Rules begin with the defaults, wherever those stand in the file.
      if (root.contains("defaults"))
        answer(root["defaults"], "defaults", out.script.defaults);
      read_.object(
        root, "",
        {{"models", names(out.script.models)}, {"defaults", [](auto&&...) {}}, {"rules", rules}});
    } else {
      read_.fault("", "write {\"rules\": [...]}, or the list of rules alone");
    }
    out.faults = std::move(read_).faults();
    return out;
  }

private:
  take names(std::vector<std::string>& out) {
    return [this, &out](const json& value, const std::string& path) {
      read_.list(value, path, [&](const json& one, const std::string& at) {
        std::string name;
        read_.text(name)(one, at);
        out.push_back(name);
      });
    };
  }

  fake_rule rule(const json& value, const std::string& path, const fake_reply& defaults) {
    fake_rule out;
    out.answer = defaults;
    read_.object(value, path,
                 {{"match", [&](const json& v, const std::string& p) { match(v, p, out.match); }},
                  {"answer",
                   [&](const json& v, const std::string& p) { answer(v, p, out.answer); }},
                  {"times", read_.count(out.times, 1, count_max)}});
    if (value.is_object() && !value.contains("answer"))
      read_.fault(path, "a rule needs an \"answer\"");
    return out;
  }

  void match(const json& value, const std::string& path, fake_match& out) {
    read_.object(value, path,
                 {{"model", read_.text(out.model)},
                  {"last_user", read_.text(out.last_user)},
                  {"last_role", read_.text(out.last_role)},
                  {"tool_output", read_.text(out.tool_output)},
                  {"system", read_.text(out.system)},
                  {"tool", read_.text(out.tool)},
                  {"stream", read_.flag(out.stream)},
                  {"call", read_.count(out.call, 1, count_max)}});
  }

  void answer(const json& value, const std::string& path, fake_reply& out) {
    auto& style = out.call_style;
    read_.object(value, path,
                 {{"text", read_.text(out.text)},
                  {"refusal", read_.text(out.refusal)},
                  {"reasoning", read_.text(out.reasoning)},
                  {"tool_calls", calls(out)},
                  {"finish_reason", read_.text(out.finish_reason)},
                  {"finish_null", read_.flag(out.finish_null)},
                  {"latency_ms", read_.count(out.pace.latency_ms, 0, hour_ms)},
                  {"jitter_ms", read_.count(out.pace.jitter_ms, 0, hour_ms)},
                  {"words_per_second", rate(out.pace.words_per_second)},
                  {"delta_chars", read_.count(out.pace.delta_chars, 1, count_max)},
                  {"stall_after", read_.count(out.stall_after, 0, count_max)},
                  {"drop_after", read_.count(out.drop_after, 0, count_max)},
                  {"error_mid_stream", stream_error(out)},
                  {"status", read_.count(out.status, 200, 599)},
                  {"error",
                   [this, &out](const json& v, const std::string& p) { error(v, p, out.error); }},
                  {"retry_after_ms", read_.count(out.retry_after_ms, 0, hour_ms)},
                  {"body", read_.text(out.body)},
                  {"headers", headers(out)},
                  {"split", split(out)},
                  {"line_end", line_end(out)},
                  {"comments", read_.flag(out.comments)},
                  {"empty_choices_first", read_.flag(out.empty_choices_first)},
                  {"no_index", read_.flag(style.no_index)},
                  {"whole_call", read_.flag(style.whole_call)},
                  {"repeat_ids", read_.flag(style.repeat_ids)},
                  {"empty_ids", read_.flag(style.empty_ids)},
                  {"object_arguments", read_.flag(style.object_arguments)},
                  {"json_instead_of_sse", read_.flag(out.json_instead_of_sse)},
                  {"no_done", read_.flag(out.no_done)},
                  {"azure_filter", read_.flag(out.azure_filter)},
                  {"usage", usage(out)}});
  }

  take calls(fake_reply& out) {
    return [this, &out](const json& value, const std::string& path) {
      out.calls.clear();
      read_.list(value, path, [&](const json& one, const std::string& at) {
        fake_call call{.arguments = "{}"};
        read_.object(one, at,
                     {{"name", read_.text(call.name)},
                      {"id", read_.text(call.id)},
                      {"arguments", [&](const json& v, const std::string& p) {
                         call.raw = v.is_string();
                         if (!v.is_string() && !v.is_object())
                           return read_.fault(p, "write an object, or a text in quotes");
                         call.arguments = call.raw ? v.get<std::string>() : v.dump();
                       }}});
        if (call.name.empty())
          read_.fault(at, "a call needs a \"name\"");
        out.calls.push_back(std::move(call));
      });
    };
  }

  take rate(double& out) {
    return [this, &out](const json& value, const std::string& path) {
      const auto number = value.is_number() ? value.get<double>() : -1.0;
      if (number < 0 || number > 1e6 || (number > 0 && number < 0.001))
        return read_.fault(path, "write a number from 0.001 to 1000000, or 0 for no pause");
      out = number;
    };
  }

  void error(const json& value, const std::string& path, fake_error& out) {
    read_.object(value, path,
                 {{"message", read_.text(out.message)},
                  {"type", read_.text(out.type)},
                  {"code", read_.text(out.code)},
                  {"param", read_.text(out.param)}});
  }

  take stream_error(fake_reply& out) {
    return [this, &out](const json& value, const std::string& path) {
      out.error_after = 1;
      if (value.is_boolean()) {
        if (!value.get<bool>())
          out.error_after.reset();
        return;
      }
      auto& e = out.stream_error;
      read_.object(value, path,
                   {{"after", read_.count(out.error_after, 0, count_max)},
                    {"message", read_.text(e.message)},
                    {"type", read_.text(e.type)},
                    {"code", read_.text(e.code)},
                    {"param", read_.text(e.param)}});
    };
  }

  take headers(fake_reply& out) {
    return [this, &out](const json& value, const std::string& path) {
      if (!value.is_object())
        return read_.fault(path, "write an object in braces");
      for (const auto& [name, item] : value.items()) {
        const auto text = item.is_string() ? item.get<std::string>() : std::string{};
        if (!item.is_string() || !is_field_name(name) || !is_field_value(text))
          read_.fault(path_of(path, name), "write a header name and a text without line ends");
        else if (is_framing(name))
          read_.fault(path_of(path, name), "the server sets this one itself: remove it");
        else
          out.headers[name] = text;
      }
    };
  }

  take split(fake_reply& out) {
    return [this, &out](const json& value, const std::string& path) {
      std::string how;
      read_.word(how, {"bytes", "events"})(value, path);
      out.split_bytes = how == "bytes";
    };
  }

  take line_end(fake_reply& out) {
    return [this, &out](const json& value, const std::string& path) {
      std::string how;
      read_.word(how, {"lf", "crlf", "cr"})(value, path);
      out.line_end = how == "lf"     ? fake_line_end::lf
                     : how == "crlf" ? fake_line_end::crlf
                                     : fake_line_end::cr;
    };
  }

  take usage(fake_reply& out) {
    return [this, &out](const json& value, const std::string& path) {
      out.no_usage = value.is_boolean() && !value.get<bool>();
      if (value.is_object())
        out.usage = value.dump();
      else if (!out.no_usage)
        read_.fault(path, "write an object with the fields to change, or false for none");
    };
  }

  script_reader read_;
};

} // namespace

fake_script_reading read_fake_script(std::string_view text) {
  const auto document = parse_jsonc(text);
  fake_script_reading out;
  for (const auto& fault : document.faults)
    out.faults.push_back("line " + std::to_string(fault.line) + ": "
                         + (fault.found.empty() ? "" : "found " + fault.found + ": ")
                         + fault.remedy);
  return document.root ? reading{document}.take_all(*document.root) : out;
}

} // namespace sidevoice
