#include "gateway/client_key.hpp"

#include "config/base64.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <optional>
#include <stdexcept>
#include <vector>

namespace sidevoice {

namespace {

constexpr std::string_view prefix = "ek_";
/// Bound to the cipher, so that a text sealed for another purpose is no client key.
constexpr std::string_view purpose = "sidevoice client key 2";
constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr auto variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

static_assert(key_sealer::key_bytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

using bytes = std::vector<unsigned char>;

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

error file_error(const std::string& path, const std::string& what) {
  return {errc::unavailable, path + " " + what + ": " + std::strerror(errno)
                               + ". Give the server's user the right to read and write its data "
                                 "folder."};
}

/// A descriptor that closes itself.
class file {
public:
  explicit file(int fd) : fd_(fd) {}
  file(const file&) = delete;
  file& operator=(const file&) = delete;
  ~file() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  [[nodiscard]] int get() const {
    return fd_;
  }

private:
  int fd_;
};

result<key_sealer> read_key(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0)
    return file_error(path, "cannot be examined");
  if ((status.st_mode & 077U) != 0)
    return error{errc::invalid, path
                                  + " can be read by other users: run `chmod 600` on it, or delete "
                                    "it to make a new one (all client keys then end)."};
  std::array<char, key_sealer::key_bytes + 1> key{};
  const auto got = ::read(fd, key.data(), key.size());
  if (got < 0)
    return file_error(path, "cannot be read");
  if (static_cast<std::size_t>(got) != key_sealer::key_bytes)
    return error{errc::invalid, path
                                  + " is not a key of 32 bytes: delete it to make a new one (all "
                                    "client keys then end)."};
  key_sealer sealer{std::string_view{key.data(), key_sealer::key_bytes}};
  ::sodium_memzero(key.data(), key.size());
  return sealer;
}

/// The parts of a key in the order in which `seal` writes them.
std::optional<client_key> read_parts(const nlohmann::json& parts) {
  if (!parts.is_array() || parts.size() != 8 || !parts[3].is_number_integer()
      || !parts[7].is_boolean())
    return std::nullopt;
  for (const auto i : {0, 1, 2, 4, 5, 6})
    if (!parts[i].is_string())
      return std::nullopt;
  return client_key{parts[0].get<std::string>(), parts[1].get<std::string>(),
                    parts[2].get<std::string>(), parts[3].get<std::int64_t>(),
                    parts[4].get<std::string>(), parts[5].get<std::string>(),
                    parts[6].get<std::string>(), parts[7].get<bool>()};
}

/// Written beside its place and renamed, so that a crash leaves the whole key or none.
result<void> make_key(const std::string& path) {
  const auto draft = path + ".new";
  ::unlink(draft.c_str());
  const file out{::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (out.get() < 0)
    return file_error(path, "cannot be created");
  std::array<unsigned char, key_sealer::key_bytes> key{};
  ::randombytes_buf(key.data(), key.size());
  const auto written = ::write(out.get(), key.data(), key.size());
  ::sodium_memzero(key.data(), key.size());
  if (written != static_cast<ssize_t>(key.size()) || ::fsync(out.get()) != 0
      || ::rename(draft.c_str(), path.c_str()) != 0)
    return file_error(path, "cannot be written");
  return {};
}

} // namespace

bool looks_like_client_key(std::string_view text) {
  return text.substr(0, prefix.size()) == prefix;
}

key_sealer::key_sealer(std::string_view key) {
  if (key.size() != key_bytes || ::sodium_init() < 0)
    throw std::logic_error("a sealing key has 32 bytes, and libsodium must be able to start");
  auto* place = static_cast<unsigned char*>(::sodium_malloc(key_bytes));
  if (place == nullptr)
    throw std::bad_alloc();
  std::memcpy(place, key.data(), key_bytes);
  key_ = {place, [](unsigned char* p) { ::sodium_free(p); }};
}

result<key_sealer> key_sealer::open(const std::string& folder) {
  const auto path = folder + "/seal.key";
  if (::sodium_init() < 0)
    return error{errc::unavailable, "libsodium cannot start: the system gives no random numbers."};
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT)
    if (auto made = make_key(path); !made)
      return made.error();
  const file in{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
  if (in.get() < 0)
    return file_error(path, "cannot be opened");
  return read_key(in.get(), path);
}

std::string key_sealer::seal(const client_key& key) const {
  const auto plain = nlohmann::json::array({key.app, key.session, key.user, key.expires_s, key.id,
                                            key.release, key.preset, key.visitor})
                       .dump();
  bytes sealed(nonce_bytes + plain.size() + tag_bytes);
  ::randombytes_buf(sealed.data(), nonce_bytes);
  unsigned long long size = 0;
  ::crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data() + nonce_bytes, &size, raw(plain),
                                               plain.size(), raw(purpose), purpose.size(), nullptr,
                                               sealed.data(), key_.get());
  std::vector<char> text(sodium_base64_ENCODED_LEN(sealed.size(), variant));
  ::sodium_bin2base64(text.data(), text.size(), sealed.data(), sealed.size(), variant);
  return std::string{prefix} + text.data();
}

result<client_key> key_sealer::unseal(std::string_view text, std::int64_t now_s) const {
  const error refused{errc::unauthorized, "The client key is not valid here or has expired."};
  if (!looks_like_client_key(text) || text.size() == prefix.size() || text.size() > text_bytes_max)
    return refused;
  text.remove_prefix(prefix.size());
  const auto sealed = read_base64(text, base64_kind::url);
  if (!sealed || sealed->size() < nonce_bytes + tag_bytes)
    return refused;
  const auto size = sealed->size();
  std::string plain(size - nonce_bytes - tag_bytes, '\0');
  if (::crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<unsigned char*>(plain.data()),
                                                   nullptr, nullptr, sealed->data() + nonce_bytes,
                                                   size - nonce_bytes, raw(purpose), purpose.size(),
                                                   sealed->data(), key_.get())
      != 0)
    return refused;
  auto key = read_parts(nlohmann::json::parse(plain, nullptr, false));
  if (!key || key->expires_s <= now_s)
    return refused;
  return std::move(*key);
}

} // namespace sidevoice
