#include "providers/catalogue.hpp"

#include <utility>

namespace sidevoice {

namespace {

template <class Factories>
std::vector<std::string> names_of(const Factories& factories) {
  std::vector<std::string> names;
  for (const auto& [name, _] : factories)
    names.push_back(name);
  return names;
}

template <class Factories>
auto make(const Factories& factories, const char* kind, const model_choice& choice,
          const provider_context& context) -> decltype(factories.begin()->second(context, "")) {
  const auto it = factories.find(choice.vendor);
  if (it != factories.end())
    return it->second(context, choice.options);
  std::string known;
  for (const auto& name : names_of(factories))
    known += (known.empty() ? "" : ", ") + name;
  return error{errc::not_found,
               "no " + std::string{kind} + " provider \"" + choice.vendor
                 + "\"; there are: " + known,
               "models", "provider_unknown"};
}

} // namespace

catalogue catalogue::builtin() {
  catalogue out;
#define LLM(name, summary) out.add_llm(#name, make_llm_##name);
#define STT(name, summary) out.add_stt(#name, make_stt_##name);
#define TTS(name, summary) out.add_tts(#name, make_tts_##name);
#include "providers/catalog.def"
#undef LLM
#undef STT
#undef TTS
  return out;
}

void catalogue::add_llm(std::string name, llm_factory make) {
  llms_.insert_or_assign(std::move(name), std::move(make));
}

void catalogue::add_stt(std::string name, stt_factory make) {
  stts_.insert_or_assign(std::move(name), std::move(make));
}

void catalogue::add_tts(std::string name, tts_factory make) {
  ttss_.insert_or_assign(std::move(name), std::move(make));
}

result<std::unique_ptr<llm_provider>> catalogue::make_llm(const model_choice& choice,
                                                          const provider_context& context) const {
  return make(llms_, "language model", choice, context);
}

result<std::unique_ptr<stt_provider>> catalogue::make_stt(const model_choice& choice,
                                                          const provider_context& context) const {
  return make(stts_, "speech-to-text", choice, context);
}

result<std::unique_ptr<tts_provider>> catalogue::make_tts(const model_choice& choice,
                                                          const provider_context& context) const {
  return make(ttss_, "text-to-speech", choice, context);
}

std::vector<std::string> catalogue::llm_names() const {
  return names_of(llms_);
}

std::vector<std::string> catalogue::stt_names() const {
  return names_of(stts_);
}

std::vector<std::string> catalogue::tts_names() const {
  return names_of(ttss_);
}

} // namespace sidevoice
