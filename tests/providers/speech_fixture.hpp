#pragma once

#include "config/ids.hpp"
#include "providers/catalogue.hpp"
#include "providers/speech/engines.hpp"
#include "tests/providers/speech_models.hpp"
#include "tests/providers/turning.hpp"

#include <memory>
#include <string>

namespace sidevoice {

/// The local engines with the models of this machine, in real time.
struct speech_fixture {
  explicit speech_fixture(const std::string& models = speech_models::folder().string()) {
    speech_options options;
    options.models = models;
    engines = open_speech(options, turned.where(), count);
  }

  provider_context context() {
    provider_context c{turned.where(), ids, count};
    c.speech = engines.get();
    return c;
  }

  std::unique_ptr<stt_provider> stt() {
    auto made = make_stt_local(context(), R"({"vendor":"local"})");
    REQUIRE(made.has_value());
    return std::move(*made);
  }

  std::unique_ptr<tts_provider> tts(const std::string& options = R"({"vendor":"local"})") {
    auto made = make_tts_local(context(), options);
    REQUIRE(made.has_value());
    return std::move(*made);
  }

  [[nodiscard]] const speech_gap* gap(const std::string& part) const {
    for (const auto& one : engines->missing())
      if (one.part == part)
        return &one;
    return nullptr;
  }

  counted_ids ids;
  counters count;
  real_turning turned;
  std::unique_ptr<speech_engines> engines;
};

} // namespace sidevoice
