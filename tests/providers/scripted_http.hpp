#pragma once

#include "providers/http.hpp"
#include "tests/support/hand_loop.hpp"

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sidevoice {

/// An http_client in virtual time: each call gets the next answer of the script, the last one again
/// when there is no other.
class scripted_http final : public http_client {
public:
  struct step {
    std::chrono::milliseconds after{0};
    http_event event;
  };
  using answer = std::vector<step>;

  explicit scripted_http(hand_loop& where) : where_(where) {}

  std::deque<answer> answers;
  /// What was asked, in its order.
  std::vector<http_call> calls;
  /// Transfers that were let go before their end.
  std::size_t cancelled = 0;

  std::unique_ptr<http_transfer> start(http_call call, http_sink sink) override {
    calls.push_back(std::move(call));
    auto under_way = std::make_shared<exchange>();
    under_way->sink = std::move(sink);
    if (!answers.empty()) {
      under_way->left = {answers.front().begin(), answers.front().end()};
      if (answers.size() > 1)
        answers.pop_front();
    }
    next(where_, under_way);
    return std::make_unique<transfer>(*this, under_way);
  }

private:
  struct exchange {
    http_sink sink;
    std::deque<step> left;
    std::unique_ptr<timer> wait;
    bool is_over = false;
  };

  class transfer final : public http_transfer {
  public:
    transfer(scripted_http& from, std::shared_ptr<exchange> what)
        : from_(from),
          what_(std::move(what)) {}
    transfer(const transfer&) = delete;
    transfer& operator=(const transfer&) = delete;
    ~transfer() override {
      from_.cancelled += what_->is_over ? 0 : 1;
      what_->is_over = true;
      what_->left.clear();
      what_->wait.reset();
    }

  private:
    scripted_http& from_;
    std::shared_ptr<exchange> what_;
  };

  static void next(hand_loop& where, const std::shared_ptr<exchange>& one) {
    if (one->left.empty())
      return;
    const auto old = std::move(one->wait);
    one->wait = where.after(one->left.front().after, [&where, weak = std::weak_ptr{one}] {
      const auto one = weak.lock();
      if (one == nullptr || one->left.empty())
        return;
      auto event = std::move(one->left.front().event);
      one->left.pop_front();
      one->is_over = std::holds_alternative<http_end>(event)
                     || std::holds_alternative<http_failed>(event);
      const auto sink = one->sink;
      next(where, one);
      sink(std::move(event));
    });
  }

  hand_loop& where_;
};

// -- answers
// -----------------------------------------------------------------------------------------

inline http_head stream_head(std::vector<http_call::field> more = {}) {
  http_head head{200, {{"content-type", "text/event-stream; charset=utf-8"}}};
  head.fields.insert(head.fields.end(), more.begin(), more.end());
  return head;
}

inline std::string chunk_of_text(const std::string& text) {
  return R"(data: {"choices":[{"index":0,"delta":{"content":")" + text
         + R"("},"finish_reason":null}]})" + "\n\n";
}

inline const std::string chunk_of_stop =
  "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
inline const std::string chunk_of_usage =
  "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":2,"
  "\"prompt_tokens_details\":{\"cached_tokens\":16}}}\n\n";
inline const std::string chunk_of_end = "data: [DONE]\n\n";

/// "Hello there", with usage.
inline scripted_http::answer good_answer() {
  using namespace std::chrono_literals;
  return {{200ms, stream_head()},
          {0ms, http_bytes{chunk_of_text("Hello ")}},
          {30ms, http_bytes{chunk_of_text("there")}},
          {0ms, http_bytes{chunk_of_stop + chunk_of_usage + chunk_of_end}},
          {1ms, http_end{}}};
}

inline scripted_http::answer refusal(unsigned status, const std::string& body,
                                     std::vector<http_call::field> fields = {}) {
  using namespace std::chrono_literals;
  return {{50ms, http_head{status, std::move(fields)}}, {0ms, http_bytes{body}}, {0ms, http_end{}}};
}

inline scripted_http::answer failure_of(const std::string& reason) {
  using namespace std::chrono_literals;
  return {{10ms, http_failed{{errc::unavailable, "it broke", {}, reason}}}};
}

} // namespace sidevoice
