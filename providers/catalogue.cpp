#include "providers/catalogue.hpp"

#include <utility>

namespace sidevoice {

catalogue catalogue::builtin() {
  catalogue out;
#define LLM(name, summary) out.add_llm(#name, make_llm_##name);
#include "providers/catalog.def"
#undef LLM
  return out;
}

void catalogue::add_llm(std::string name, llm_factory make) {
  llms_.insert_or_assign(std::move(name), std::move(make));
}

result<std::unique_ptr<llm_provider>> catalogue::make_llm(const model_choice& choice,
                                                          const provider_context& context) const {
  const auto it = llms_.find(choice.vendor);
  if (it != llms_.end())
    return it->second(context, choice.options);
  std::string known;
  for (const auto& name : llm_names())
    known += (known.empty() ? "" : ", ") + name;
  return error{errc::not_found,
               "no language model provider \"" + choice.vendor + "\"; there are: " + known,
               "models", "provider_unknown"};
}

std::vector<std::string> catalogue::llm_names() const {
  std::vector<std::string> names;
  for (const auto& [name, _] : llms_)
    names.push_back(name);
  return names;
}

} // namespace sidevoice
