#pragma once

#include "providers/llm.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sidevoice {

/// A provider's factory; `options` is the model entry of the app file as a JSON object.
using llm_factory = std::function<result<std::unique_ptr<llm_provider>>(const provider_context&,
                                                                        const json_text& options)>;

#define LLM(name, summary)                                                               \
  result<std::unique_ptr<llm_provider>> make_llm_##name(const provider_context& context, \
                                                        const json_text& options);
#include "providers/catalog.def"
#undef LLM

/// The providers this program contains, by name. `main` builds it; tests add scripted ones.
class catalogue {
public:
  /// With all lines of catalog.def.
  static catalogue builtin();

  void add_llm(std::string name, llm_factory make);

  /// Error `not_found` names the providers there are.
  [[nodiscard]] result<std::unique_ptr<llm_provider>>
  make_llm(const model_choice& choice, const provider_context& context) const;

  [[nodiscard]] std::vector<std::string> llm_names() const;

private:
  std::map<std::string, llm_factory> llms_;
};

} // namespace sidevoice
