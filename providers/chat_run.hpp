#pragma once

#include "providers/chat_provider.hpp"
#include "providers/chat_stream.hpp"
#include "providers/sse.hpp"
#include "providers/vendor_fault.hpp"

#include <atomic>
#include <mutex>
#include <optional>

namespace sidevoice {

/// One generation: attempts, deadlines, and the way from bytes to the sink. Internal to
/// chat_provider.cpp. `start` and `cancel`: any thread; the rest happens on the loop.
class chat_run : public std::enable_shared_from_this<chat_run> {
public:
  chat_run(const provider_context& context, std::shared_ptr<const chat_endpoint> endpoint,
           llm_request request, llm_sink sink);

  void start();
  void cancel();

private:
  using clock = loop::clock;
  using milliseconds = std::chrono::milliseconds;

  /// How the body of an answer is to be read.
  enum class body_kind { stream, whole, fault };

  void attempt();
  void make_body();
  void on_http(http_event event);
  void on_head(http_head head);
  void on_bytes(const std::string& data);
  void on_end();
  void on_failed(error why);
  void on_fault();
  void take(std::vector<llm_event> events);
  void take_events(const std::vector<sse_event>& events);
  /// The attempt has failed: asks again where that can help and nothing was used, else says so.
  void give_up(error why, bool is_worth_it);
  void finish(llm_event last);
  void watch(clock::duration left);
  void on_watch();
  void after(std::unique_ptr<timer>& slot, clock::duration delay, void (chat_run::*then)());
  void close_transfer();
  void release();

  provider_context context_;
  std::shared_ptr<const chat_endpoint> endpoint_;
  llm_request request_;
  llm_sink sink_;

  /// Guards what `cancel` takes away.
  std::mutex mutex_;
  std::unique_ptr<http_transfer> transfer_;
  std::unique_ptr<timer> watch_;
  std::unique_ptr<timer> wait_;
  std::atomic<bool> is_cancelled_{false};

  json_text body_;
  clock::time_point begin_;
  clock::time_point last_event_;
  /// What arrives for another one is dropped.
  unsigned attempt_ = 0;
  unsigned retries_ = 0;
  bool was_shortened_ = false;
  bool was_used_ = false;
  bool is_over_ = false;

  // -- of the attempt under way
  http_head head_;
  body_kind kind_ = body_kind::stream;
  std::string text_;
  bool has_event_ = false;
  std::optional<sse_parser> parser_;
  std::optional<chat_stream> answer_;
  std::optional<llm_done> done_;
};

} // namespace sidevoice
