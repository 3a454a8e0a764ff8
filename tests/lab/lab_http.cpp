#include "tests/lab/lab_http.hpp"

#include <nlohmann/json.hpp>

#include <deque>

namespace sidevoice::lab {

/// Tells what happens, one event after the other.
class lab_http::transfer final : public http_transfer {
public:
  struct line {
    std::chrono::milliseconds pause;
    std::optional<http_event> event;
    std::function<void()> effect;
  };

  transfer(loop& where, std::deque<line> lines, http_sink sink)
      : where_{where},
        lines_{std::move(lines)},
        sink_{std::move(sink)} {
    next();
  }

private:
  void next() {
    if (lines_.empty())
      return;
    timer_ = where_.after(lines_.front().pause, [this] {
      auto now = std::move(lines_.front());
      lines_.pop_front();
      if (now.effect)
        now.effect();
      // The sink only posts to an actor; it never destroys this transfer.
      if (now.event)
        sink_(std::move(*now.event));
      next();
    });
  }

  loop& where_;
  std::deque<line> lines_;
  http_sink sink_;
  std::unique_ptr<timer> timer_;
};

lab_http::lab_http(loop& where, dice& chance,
                   std::function<void(const std::string& call, const std::string& tool)> before)
    : where_{&where},
      chance_{chance},
      before_{std::move(before)} {}

std::unique_ptr<http_transfer> lab_http::start(http_call call, http_sink sink) {
  std::string id;
  for (const auto& field : call.fields)
    if (field.name == "webhook-id")
      id = field.value;
  const auto pause = [this] {
    return std::chrono::milliseconds{chance_.roll(chance_.chance(30) ? 1500 : 200)};
  };
  const auto failure = [](const std::string& reason) {
    return http_failed{{errc::unavailable, "the lab says so", {}, reason}};
  };
  const auto tool = nlohmann::json::parse(call.body)["data"]["name"].get<std::string>();
  std::deque<transfer::line> lines;
  const auto arrives = [this, id, tool] { before_(id, tool); };
  const auto is_done = [this, id] { ++done_[id]; };
  if (!chance_.chance(break_percent)) {
    lines.push_back({pause(), std::nullopt, arrives});
    lines.push_back({pause(), http_head{200, {}}, is_done});
    lines.push_back({pause(), http_bytes{"done"}, {}});
    lines.push_back({pause(), http_end{}, {}});
  } else {
    switch (chance_.roll(5)) {
      case 0:
        lines.push_back({pause(), failure("connect"), {}});
        break;
      case 1:
        lines.push_back({pause(), failure("cut"), arrives});
        break;
      case 2:
        lines.push_back({pause(), std::nullopt, arrives});
        lines.push_back({pause(), failure("cut"), is_done});
        break;
      case 3:
        lines.push_back({pause(), http_head{503, {}}, arrives});
        lines.push_back({pause(), http_end{}, {}});
        break;
      default:
        // Carried out, and never answered.
        lines.push_back({pause(), std::nullopt, arrives});
        lines.push_back({call.deadline, failure("deadline"), is_done});
        break;
    }
  }
  return std::make_unique<transfer>(*where_, std::move(lines), std::move(sink));
}

} // namespace sidevoice::lab
