#pragma once

#include "config/app_reader.hpp"

#include <optional>
#include <string>

namespace sidevoice {

/// Reads texts that stand for something outside the file. What cannot be had becomes a fault; in
/// profile dev an unset variable becomes a warning and what needs it is left out.
class reference_reader {
public:
  /// All three must outlive the reader. `left_out` is what dev goes without: "the key".
  reference_reader(const app_source& source, std::string left_out, fault_list& faults);

  /// A secret: a reference, never a literal, and fit for an HTTP header.
  std::optional<std::string> secret(const nlohmann::ordered_json& entry, const std::string& path);

  /// A text that is no secret, with `${env:NAME}` anywhere in it.
  std::optional<std::string> setting(const std::string& written, const std::string& path);

  /// An absolute address. Where secrets travel, profiles other than dev want https, except to
  /// loopback.
  std::optional<std::string> address(const std::string& written, const std::string& path,
                                     bool must_be_secure);

private:
  void unset(const std::string& path, const std::string& variable);

  const app_source& source_;
  std::string left_out_;
  fault_list& faults_;
};

} // namespace sidevoice
