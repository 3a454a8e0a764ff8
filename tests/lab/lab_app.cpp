#include "tests/lab/lab_app.hpp"

#include <chrono>
#include <string>

namespace sidevoice::lab {

namespace {

using std::chrono::milliseconds;

tool_declaration make_tool(const std::string& name, tool_kind kind, tool_effect effect) {
  tool_declaration tool;
  tool.name = name;
  tool.kind = kind;
  tool.effect = effect;
  tool.timeout = milliseconds{3000};
  if (kind == tool_kind::webhook)
    tool.url = "https://shop.example/" + name;
  return tool;
}

} // namespace

app_ptr make_app(dice& chance, bool late) {
  auto app = std::make_shared<app_definition>();
  app->id = "moving";
  app->title = "Moving";
  app->greeting = "Hello!";
  app->release = "sha256:lab";
  app->topics = {
    {.id = "name", .type = topic_type::text, .label = "Name", .required = true},
    {.id = "home",
     .type = topic_type::choice,
     .label = "Home",
     .required = true,
     .choices = {{"flat", {}}, {"house", {}}}},
    {.id = "floor",
     .type = topic_type::integer,
     .label = "Floor",
     .when = {{.topic = "home", .any_of = {"\"flat\""}}}},
  };
  app->tools = {make_tool("ask", tool_kind::webhook, tool_effect::none),
                make_tool("book", tool_kind::webhook, tool_effect::idempotent),
                make_tool("pay", tool_kind::webhook, tool_effect::once),
                make_tool("show", tool_kind::client, tool_effect::none),
                make_tool("draw", tool_kind::client, tool_effect::once),
                make_tool("current_date_time", tool_kind::builtin, tool_effect::none)};
  app->tools[2].needs_approval = chance.chance(25);
  app->tools[3].without_page = chance.chance(50) ? no_page::wait : no_page::skip;
  for (const auto& tool : app->tools)
    app->conversation_tools.push_back(tool.name);
  app->analyzer_tools = {"show"};
  app->stt_models = app->tts_models = {{.vendor = "local"}};
  app->voice.barge_in.resume_after_false = chance.chance(80);
  if (chance.chance(30))
    app->voice.dead_air = dead_air_settings{std::chrono::milliseconds{1000}, "One moment."};
  if (chance.chance(30))
    app->voice.visitor_silent = visitor_silent_settings{std::chrono::seconds{5}, "Hello?", 2};
  // The offline agent in a quarter of the runs; else one that does what it likes, or one that asks
  // for what the checklist wants.
  const auto* any = chance.chance(20) ? "rules" : chance.chance(33) ? "asker" : "script";
  const auto* model = late ? "asker" : any;
  app->conversation_models = {{.vendor = model}};
  app->analyzer_models = {{.vendor = model}};
  return app;
}

app_entry entry_of(const app_ptr& app) {
  auto live = std::make_shared<live_settings>();
  for (const auto* vendor : {"script", "asker"})
    live->vendors[vendor].prices[""] = {.input = 3, .cached_input = 1, .output = 9};
  return {.stable = app, .preview = nullptr, .live = std::move(live)};
}

} // namespace sidevoice::lab
