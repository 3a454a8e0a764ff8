#pragma once

#include "gateway/http.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace sidevoice {

/// Gives out the files of the page and of the JavaScript client, and nothing else: by a path whose
/// canonical form lies below its root, with a type from a short list, no dot files, no folders.
class static_files {
public:
  /// `page` is the folder of the demo page, served at the root; `client` the one of the JavaScript
  /// client, of which only scripts are served: /sidevoice.js, and all of it below /clients/js/.
  /// Either may be empty.
  static_files(const std::string& page, const std::string& client);

  /// Answers a GET or HEAD; unset when there is no such file. `path` is decoded. Reads the file
  /// each time, so that an edited page shows at once: files here are small and local.
  [[nodiscard]] std::optional<http_response> find(const http_request& request) const;

private:
  std::filesystem::path page_;
  std::filesystem::path client_;
};

} // namespace sidevoice
