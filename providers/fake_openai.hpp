#pragma once

#include "providers/fake/script.hpp"
#include "providers/fake/wire.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace sidevoice {

struct chat_facts;

struct fake_options {
  /// What clients must send; empty: anybody may ask.
  std::string key = {};
  /// The same seed and requests give the same jitter.
  std::uint64_t seed = 1;
};

/// An OpenAI-compatible Chat Completions service that answers from a script: a request in, bytes
/// with their times out. No socket, no clock; one thread.
///
/// Serves /v1/chat/completions and /v1/models, the same below /openai (Azure), Azure's
/// /openai/deployments/NAME/chat/completions, and for tests /fake/requests, /fake/script and
/// /fake/reset. Refuses what the real service refuses.
class fake_openai {
public:
  explicit fake_openai(fake_options options, fake_script script = {});

  fake_answer answer(const fake_request& request);

  /// How an answer went: `whole`: everything that was planned has been sent, a cut included; else
  /// the client left before. The log says it.
  void ended(std::uint64_t number, bool whole);

  /// Rules and their counts begin again; the log stays.
  void use(fake_script script);

private:
  enum class door { openai, azure };

  struct log_entry {
    std::uint64_t number = 0;
    /// JSON text without its last brace.
    std::string json;
    std::string state = "open";
  };

  fake_answer serve(const fake_request& request, std::string& rule);
  fake_answer control(const fake_request& request);
  fake_answer replace_script(const fake_request& request);
  fake_answer models(const std::string& rest) const;
  fake_answer chat(const fake_request& request, const std::string& deployment, door through,
                   std::string& rule);
  /// The reply to a good request, with everything filled in.
  fake_reply choose(const chat_facts& facts, std::string& rule);
  void complete(fake_reply& reply, const chat_facts& facts);

  [[nodiscard]] bool has_model(const std::string& name) const;
  [[nodiscard]] bool may_enter(const fake_request& request, door through) const;
  [[nodiscard]] fake_answer refuse(const fake_request& request, door through) const;
  void record(const fake_request& request, const fake_answer& answer, const std::string& rule);
  [[nodiscard]] std::string requests() const;

  fake_options options_;
  fake_script script_;
  /// How often each rule was used.
  std::vector<std::uint64_t> used_;
  std::uint64_t calls_ = 0;
  /// Of requests and of what they were answered with; never begin again.
  std::uint64_t requests_ = 0;
  std::uint64_t ids_ = 0;
  std::deque<log_entry> log_;
  std::size_t log_bytes_ = 0;
};

} // namespace sidevoice
