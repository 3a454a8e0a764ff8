#include "providers/catalogue.hpp"
#include "providers/rules/leader.hpp"
#include "providers/rules/listener.hpp"

#include <nlohmann/json.hpp>

#include <deque>
#include <mutex>

namespace sidevoice {

namespace {

using delta_delay = loop::clock::duration;

/// The events of one generation on their way to the sink. Shared by the stream and the task that is
/// posted, so that neither outlives what it touches.
class delivery : public std::enable_shared_from_this<delivery> {
public:
  delivery(loop& where, std::vector<llm_event> events, llm_sink sink, delta_delay delay)
      : where_(where),
        events_(std::make_move_iterator(events.begin()), std::make_move_iterator(events.end())),
        sink_(std::move(sink)),
        delay_(delay) {}

  void start() {
    where_.post([self = shared_from_this()] { self->run(); });
  }

  void cancel() {
    std::unique_ptr<timer> pending;
    const std::lock_guard guard{mutex_};
    cancelled_ = true;
    pending = std::move(timer_);
  }

private:
  /// The next event, unless cancelled or at the end.
  std::optional<llm_event> next() {
    const std::lock_guard guard{mutex_};
    if (cancelled_ || events_.empty())
      return std::nullopt;
    auto event = std::move(events_.front());
    events_.pop_front();
    return event;
  }

  void run() {
    while (auto event = next()) {
      const bool paced = delay_.count() > 0 && std::holds_alternative<llm_text>(*event);
      sink_(std::move(*event));
      if (paced) {
        wait();
        return;
      }
    }
  }

  void wait() {
    // The old timer, which is running this very call, goes at the end of the block.
    std::unique_ptr<timer> old;
    const std::lock_guard guard{mutex_};
    if (cancelled_)
      return;
    old = std::exchange(timer_, where_.after(delay_, [self = weak_from_this()] {
      if (const auto alive = self.lock())
        alive->run();
    }));
  }

  loop& where_;
  std::deque<llm_event> events_;
  llm_sink sink_;
  delta_delay delay_;
  std::mutex mutex_;
  bool cancelled_ = false;
  std::unique_ptr<timer> timer_;
};

class rules_stream final : public llm_stream {
public:
  explicit rules_stream(std::shared_ptr<delivery> events) : events_(std::move(events)) {}
  rules_stream(const rules_stream&) = delete;
  rules_stream& operator=(const rules_stream&) = delete;
  ~rules_stream() override {
    events_->cancel();
  }

private:
  std::shared_ptr<delivery> events_;
};

/// Cuts texts into words, each with the space behind it.
std::vector<llm_event> by_word(std::vector<llm_event> events) {
  std::vector<llm_event> out;
  for (auto& event : events) {
    const auto* text = std::get_if<llm_text>(&event);
    if (text == nullptr) {
      out.push_back(std::move(event));
      continue;
    }
    const auto& all = text->delta;
    for (std::size_t first = 0; first < all.size();) {
      auto end = all.find(' ', first);
      end = end == std::string::npos ? all.size() : all.find_first_not_of(' ', end);
      end = end == std::string::npos ? all.size() : end;
      out.emplace_back(llm_text{all.substr(first, end - first)});
      first = end;
    }
  }
  return out;
}

class rules_provider final : public llm_provider {
public:
  rules_provider(const provider_context& context, double words_per_second)
      : context_(context),
        words_per_second_(words_per_second) {}

  result<std::unique_ptr<llm_stream>> open(llm_request request, llm_sink sink) override {
    if (request.app == nullptr)
      return error{errc::invalid, "a request without an app has no checklist to work from", "app"};
    auto events = request.purpose == llm_purpose::analyze ? rules::listen(request, context_.ids)
                                                          : rules::lead(request, context_.ids);
    delta_delay delay{0};
    if (words_per_second_ > 0 && request.purpose == llm_purpose::converse) {
      events = by_word(std::move(events));
      delay = std::chrono::duration_cast<delta_delay>(
        std::chrono::duration<double>{1.0 / words_per_second_});
    }
    auto going = std::make_shared<delivery>(context_.where, std::move(events), std::move(sink),
                                            delay);
    going->start();
    return std::unique_ptr<llm_stream>{std::make_unique<rules_stream>(std::move(going))};
  }

private:
  provider_context context_;
  double words_per_second_;
};

} // namespace

result<std::unique_ptr<llm_provider>> make_llm_rules(const provider_context& context,
                                                     const json_text& options) {
  const auto parsed = nlohmann::json::parse(options.empty() ? "{}" : options, nullptr, false);
  if (!parsed.is_object() && !parsed.is_string())
    return error{errc::invalid,
                 "the options of \"rules\" are a JSON object, such as "
                 "{\"vendor\": \"rules\", \"words_per_second\": 12}",
                 "models"};
  double pace = 0;
  if (parsed.is_object() && parsed.contains("words_per_second")) {
    const auto& written = parsed["words_per_second"];
    if (!written.is_number() || written.get<double>() < 0 || written.get<double>() > 1000)
      return error{
        errc::invalid,
        "\"words_per_second\" of \"rules\" is a number from 0 (at once) to 1000, such as 12",
        "models.words_per_second"};
    pace = written.get<double>();
  }
  return std::unique_ptr<llm_provider>{std::make_unique<rules_provider>(context, pace)};
}

} // namespace sidevoice
