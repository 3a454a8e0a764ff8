#include "providers/catalogue.hpp"
#include "providers/speech/engines.hpp"
#include "providers/speech/gap_error.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace sidevoice {

namespace {

class local_tts final : public tts_provider {
public:
  local_tts(speech_engines* engines, std::string voice, double speed)
      : engines_(engines),
        voice_(std::move(voice)),
        speed_(speed) {}

  result<std::unique_ptr<tts_stream>> open(tts_request request, tts_sink sink) override {
    if (engines_ == nullptr || engines_->tts() == nullptr)
      return gap_error(engines_, "tts", "voice on this machine");
    if (request.voice.empty())
      request.voice = voice_;
    request.speed *= speed_;
    return engines_->tts()->open(std::move(request), std::move(sink));
  }

private:
  speech_engines* engines_;
  std::string voice_;
  double speed_;
};

} // namespace

/// The node's own engine. Options: "voice" (slt, rms, awb or kal16) and "speed", the defaults of
/// requests.
result<std::unique_ptr<tts_provider>> make_tts_local(const provider_context& context,
                                                     const json_text& options) {
  const auto parsed = nlohmann::json::parse(options.empty() ? "{}" : options, nullptr, false);
  std::string voice;
  double speed = 1.0;
  if (parsed.is_object()) {
    if (const auto it = parsed.find("voice"); it != parsed.end()) {
      if (!it->is_string())
        return error{errc::invalid, "\"voice\" of \"local\" is a text, such as \"slt\"",
                     "models.tts.voice"};
      voice = it->get<std::string>();
    }
    if (const auto it = parsed.find("speed"); it != parsed.end()) {
      if (!it->is_number() || it->get<double>() < 0.25 || it->get<double>() > 4)
        return error{errc::invalid, "\"speed\" of \"local\" is a number from 0.25 to 4",
                     "models.tts.speed"};
      speed = it->get<double>();
    }
  } else if (!parsed.is_string()) {
    return error{errc::invalid,
                 "the options of \"local\" are a JSON object, such as "
                 "{\"vendor\": \"local\", \"voice\": \"slt\"}",
                 "models.tts"};
  }
  return std::unique_ptr<tts_provider>{
    std::make_unique<local_tts>(context.speech, std::move(voice), speed)};
}

} // namespace sidevoice
