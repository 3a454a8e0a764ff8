#pragma once

#include "providers/llm.hpp"
#include "providers/stt.hpp"
#include "providers/tts.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sidevoice {

/// A provider's factory; `options` is the model entry of the app file as a JSON object.
using llm_factory = std::function<result<std::unique_ptr<llm_provider>>(const provider_context&,
                                                                        const json_text& options)>;

using stt_factory = std::function<result<std::unique_ptr<stt_provider>>(const provider_context&,
                                                                        const json_text& options)>;
using tts_factory = std::function<result<std::unique_ptr<tts_provider>>(const provider_context&,
                                                                        const json_text& options)>;

#define LLM(name, summary)                                                               \
  result<std::unique_ptr<llm_provider>> make_llm_##name(const provider_context& context, \
                                                        const json_text& options);
#define STT(name, summary)                                                               \
  result<std::unique_ptr<stt_provider>> make_stt_##name(const provider_context& context, \
                                                        const json_text& options);
#define TTS(name, summary)                                                               \
  result<std::unique_ptr<tts_provider>> make_tts_##name(const provider_context& context, \
                                                        const json_text& options);
#include "providers/catalog.def"
#undef LLM
#undef STT
#undef TTS

/// The providers this program contains, by name. `main` builds it; tests add scripted ones.
class catalogue {
public:
  /// With all lines of catalog.def.
  static catalogue builtin();

  void add_llm(std::string name, llm_factory make);
  void add_stt(std::string name, stt_factory make);
  void add_tts(std::string name, tts_factory make);

  /// Error `not_found` names the providers there are.
  [[nodiscard]] result<std::unique_ptr<llm_provider>>
  make_llm(const model_choice& choice, const provider_context& context) const;

  [[nodiscard]] result<std::unique_ptr<stt_provider>>
  make_stt(const model_choice& choice, const provider_context& context) const;
  [[nodiscard]] result<std::unique_ptr<tts_provider>>
  make_tts(const model_choice& choice, const provider_context& context) const;

  [[nodiscard]] std::vector<std::string> llm_names() const;
  [[nodiscard]] std::vector<std::string> stt_names() const;
  [[nodiscard]] std::vector<std::string> tts_names() const;

private:
  std::map<std::string, llm_factory> llms_;
  std::map<std::string, stt_factory> stts_;
  std::map<std::string, tts_factory> ttss_;
};

} // namespace sidevoice
