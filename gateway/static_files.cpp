#include "gateway/static_files.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

namespace sidevoice {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t file_bytes_max = 8 << 20;

/// Scripts and styles only from files of this server, so that an injected piece of text stays text.
constexpr const char* content_policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
  "media-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
  "form-action 'none'; frame-ancestors 'self'";

struct file_type {
  std::string_view extension;
  const char* type;
};

constexpr std::array file_types = {
  file_type{".html", "text/html; charset=utf-8"},
  file_type{".js", "text/javascript; charset=utf-8"},
  file_type{".mjs", "text/javascript; charset=utf-8"},
  file_type{".css", "text/css; charset=utf-8"},
  file_type{".svg", "image/svg+xml"},
  file_type{".png", "image/png"},
  file_type{".ico", "image/x-icon"},
  file_type{".woff2", "font/woff2"},
  file_type{".webmanifest", "application/manifest+json"},
};

const char* type_of(const fs::path& path) {
  const auto extension = path.extension().string();
  for (const auto& known : file_types)
    if (known.extension == extension)
      return known.type;
  return nullptr;
}

bool is_script(const fs::path& path) {
  return path.extension() == ".js" || path.extension() == ".mjs";
}

/// The path below a root; empty for what must not even be looked for.
fs::path relative_path(const std::string& path) {
  const auto plain = std::all_of(path.begin(), path.end(), [](unsigned char c) {
    return c >= 0x20 && c != '\\' && c < 0x7f;
  });
  if (!plain || path.empty() || path.front() != '/' || path.size() > 512)
    return {};
  const std::string rest = path == "/" ? "index.html" : path.substr(1);
  fs::path clean;
  std::istringstream parts{rest};
  for (std::string part; std::getline(parts, part, '/');) {
    // Dot files, "." and ".." alike.
    if (part.empty() || part.front() == '.' || part == "node_modules")
      return {};
    clean /= part;
  }
  return rest.ends_with('/') ? fs::path{} : clean;
}

/// The file itself, links resolved; empty when that leads out of the root.
fs::path canonical_below(const fs::path& root, const fs::path& relative) {
  std::error_code ec;
  const auto full = fs::canonical(root / relative, ec);
  if (ec || !fs::is_regular_file(full, ec))
    return {};
  const auto [end, at] = std::mismatch(root.begin(), root.end(), full.begin(), full.end());
  if (end != root.end() || at == full.end())
    return {};
  return fs::file_size(full, ec) <= file_bytes_max && !ec ? full : fs::path{};
}

std::string etag_of(const std::string& content) {
  std::array<unsigned char, 16> hash{};
  ::crypto_generichash(hash.data(), hash.size(),
                       reinterpret_cast<const unsigned char*>(content.data()), content.size(),
                       nullptr, 0);
  std::array<char, 33> text{};
  ::sodium_bin2hex(text.data(), text.size(), hash.data(), hash.size());
  return "\"" + std::string{text.data()} + "\"";
}

bool has_it(const http_request& request, const std::string& etag) {
  const auto known = list_of(request, "If-None-Match");
  return std::any_of(known.begin(), known.end(),
                     [&etag](const auto& k) { return k == "*" || k == etag || k == "W/" + etag; });
}

http_response file_response(const http_request& request, const char* type, std::string content,
                            bool is_client) {
  const auto etag = etag_of(content);
  http_response response{.fields = {{"Content-Type", type},
                                    {"X-Content-Type-Options", "nosniff"},
                                    {"Cache-Control", "no-cache"},
                                    {"ETag", etag},
                                    {"Content-Security-Policy", content_policy},
                                    {"Referrer-Policy", "same-origin"}},
                         .body = std::move(content)};
  if (is_client) { // other sites load it by a script tag of type module, which needs CORS
    response.fields.push_back({"Access-Control-Allow-Origin", "*"});
    response.fields.push_back({"Cross-Origin-Resource-Policy", "cross-origin"});
  }
  if (has_it(request, etag)) {
    response.status = 304;
    response.body.clear();
  }
  return response;
}

} // namespace

static_files::static_files(const std::string& page, const std::string& client) {
  const auto folder = [](const std::string& path) {
    std::error_code ec;
    auto found = path.empty() ? fs::path{} : fs::canonical(path, ec);
    return ec ? fs::path{} : found;
  };
  page_ = folder(page);
  client_ = folder(client);
}

std::optional<http_response> static_files::find(const http_request& request) const {
  constexpr std::string_view client_prefix = "/clients/js";
  const auto below_client = request.path.starts_with(std::string{client_prefix} + "/");
  const auto is_client = below_client || request.path == "/sidevoice.js";
  const auto& root = is_client ? client_ : page_;
  const auto relative = relative_path(below_client ? request.path.substr(client_prefix.size())
                                                   : request.path);
  const auto* type = type_of(relative);
  if (root.empty() || relative.empty() || type == nullptr || (is_client && !is_script(relative)))
    return std::nullopt;
  const auto path = canonical_below(root, relative);
  if (path.empty())
    return std::nullopt;
  std::ifstream in{path, std::ios::binary};
  std::ostringstream content;
  content << in.rdbuf();
  if (!in)
    return std::nullopt;
  return file_response(request, type, std::move(content).str(), is_client);
}

} // namespace sidevoice
