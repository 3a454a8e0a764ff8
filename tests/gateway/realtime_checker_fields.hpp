#pragma once

#include <map>
#include <string>
#include <vector>

/// What each server event has to hold.
namespace checking {

enum class kind { text, number, object, array, text_or_null, boolean };

struct field {
  const char* name;
  kind type;
};

/// By type: the protocol's events, and those of the extension.
const std::map<std::string, std::vector<field>>& fields();
const std::map<std::string, std::vector<field>>& extension_fields();

} // namespace checking
