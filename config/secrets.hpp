#pragma once

#include "config/app_file.hpp"
#include "config/result.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sidevoice {

/// A text that stands for something outside the file: `${env:NAME}`, `${env:NAME|default}` or
/// `${file:PATH}`.
struct reference {
  enum class kind { env, file };

  kind from = kind::env;
  /// The variable, or the path.
  std::string name;
  std::optional<std::string> otherwise;
};

/// Error `invalid`, reason `literal`, for a text that is no reference; never repeats the text.
result<reference> parse_reference(const std::string& text);

/// What the reference stands for, without the line break at the end of a file. Relative paths start
/// at `folder`. An empty variable counts as unset.
/// Errors: `not_found`, reason `unset`, names the variable; `invalid`, reason `file`: the file is
/// missing, no plain file, over 64 KiB or readable for everybody (the sentence says which).
result<std::string> resolve(const reference& what, const environment& env,
                            const std::filesystem::path& folder);

/// `text` itself, or what it refers to: for settings that are no secrets.
result<std::string> resolve_text(const std::string& text, const environment& env,
                                 const std::filesystem::path& folder);

/// `text` with each `${env:NAME}` and `${env:NAME|default}` in it filled in: for addresses, such as
/// "${env:SHOP_URL}/estimate". What a variable holds is not searched again.
/// Errors: `not_found`, reason `unset`, names the first variable without a value; `invalid`, reason
/// `literal`, for `${...}` of another form.
result<std::string> expand(const std::string& text, const environment& env);

/// The references in a text, in their order. Error as that of `expand`, but nothing is looked up.
result<std::vector<reference>> references_in(const std::string& text);

} // namespace sidevoice
