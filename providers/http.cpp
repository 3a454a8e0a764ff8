#include "providers/http.hpp"

namespace sidevoice {

std::string http_head::field(std::string_view name) const {
  for (const auto& one : fields)
    if (one.name == name)
      return one.value;
  return {};
}

} // namespace sidevoice
