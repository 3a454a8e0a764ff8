#include "providers/catalogue.hpp"
#include "providers/speech/engines.hpp"
#include "providers/speech/gap_error.hpp"

#include <utility>

namespace sidevoice {

namespace {

class local_stt final : public stt_provider {
public:
  explicit local_stt(speech_engines* engines) : engines_(engines) {}

  result<std::unique_ptr<stt_stream>> open(stt_request request, stt_sink sink) override {
    if (engines_ == nullptr || engines_->stt() == nullptr)
      return gap_error(engines_, "stt", "speech to text on this machine");
    return engines_->stt()->open(std::move(request), std::move(sink));
  }

private:
  speech_engines* engines_;
};

} // namespace

/// The node's own engine. It has no options beyond "vendor"; what the app file's schema lets
/// through for all vendors is ignored.
result<std::unique_ptr<stt_provider>> make_stt_local(const provider_context& context,
                                                     const json_text&) {
  return std::unique_ptr<stt_provider>{std::make_unique<local_stt>(context.speech)};
}

} // namespace sidevoice
