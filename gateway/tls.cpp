#include "gateway/tls.hpp"

#include "config/log.hpp"

#include <boost/asio/ssl/context.hpp>
#include <openssl/ssl.h>
#include <sys/stat.h>

namespace sidevoice {

namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr std::chrono::seconds look_interval{1};
/// Of TLS 1.2; those of 1.3 all have forward secrecy.
constexpr const char* ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

error file_error(const std::string& path, const std::string& what) {
  return {errc::invalid, path + " " + what};
}

result<void> check_file(const std::string& path, bool is_key) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
    return file_error(path, "is no file that can be read: name the PEM file with "
                              + std::string{is_key ? "--tls-key" : "--tls-certificate"} + ".");
  if (is_key && (status.st_mode & S_IROTH) != 0)
    return file_error(path, "holds a private key and can be read by everybody: run `chmod o-r` on "
                            "it.");
  return {};
}

result<void> settle(ssl::context& context) {
  context.set_options(ssl::context::default_workarounds | ssl::context::no_sslv2
                      | ssl::context::no_sslv3 | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1
                      | ssl::context::no_compression | ssl::context::single_dh_use);
  auto* native = context.native_handle();
  ::SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Memory of connections that are silent for hours.
  ::SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  if (::SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1
      || ::SSL_CTX_set_cipher_list(native, ciphers) != 1)
    return error{errc::invalid, "the TLS library offers neither TLS 1.2 nor its ciphers"};
  return {};
}

} // namespace

tls_certificates::tls_certificates(std::string certificate, std::string key)
    : certificate_(std::move(certificate)),
      key_(std::move(key)) {}

result<std::shared_ptr<tls_certificates>> tls_certificates::open(std::string certificate,
                                                                 std::string key) {
  if (certificate.empty() || key.empty())
    return error{errc::invalid,
                 "TLS needs both files: name them with --tls-certificate and --tls-key."};
  std::shared_ptr<tls_certificates> files{
    new tls_certificates{std::move(certificate), std::move(key)}};
  if (auto read = files->reload(); !read)
    return read.error();
  return files;
}

std::shared_ptr<ssl::context> tls_certificates::current() const {
  const std::lock_guard lock{mutex_};
  return context_;
}

tls_certificates::fingerprint tls_certificates::look() const {
  fingerprint seen{};
  std::size_t at = 0;
  for (const auto* path : {&certificate_, &key_}) {
    struct stat status {};
    if (::stat(path->c_str(), &status) == 0) {
      seen[at] = status.st_mtim.tv_sec;
      seen[at + 1] = status.st_mtim.tv_nsec;
      seen[at + 2] = status.st_size;
      seen[at + 3] = static_cast<std::int64_t>(status.st_ino);
    }
    at += 4;
  }
  return seen;
}

bool tls_certificates::changed() const {
  const auto seen = look();
  const std::lock_guard lock{mutex_};
  return seen != seen_;
}

result<std::shared_ptr<ssl::context>> tls_certificates::read() const {
  if (auto good = check_file(certificate_, false); !good)
    return good.error();
  if (auto good = check_file(key_, true); !good)
    return good.error();
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  if (auto good = settle(*context); !good)
    return good.error();
  error_code ec;
  context->use_certificate_chain_file(certificate_, ec);
  if (ec)
    return file_error(certificate_, "is no certificate in PEM form (" + ec.message()
                                      + "): give the certificate first, then its chain.");
  context->use_private_key_file(key_, ssl::context::pem, ec);
  if (ec || ::SSL_CTX_check_private_key(context->native_handle()) != 1)
    return file_error(key_, "is not the key of " + certificate_
                              + ", or no key in PEM form without a password.");
  return context;
}

result<void> tls_certificates::reload() {
  // Looked at before they are read: a change in between is noticed the next time.
  const auto seen = look();
  auto context = read();
  const std::lock_guard lock{mutex_};
  seen_ = seen;
  if (!context)
    return context.error();
  context_ = std::move(*context);
  return {};
}

void reload_and_tell(tls_certificates& files) {
  if (const auto read = files.reload(); read)
    log(log_level::info, "tls.reloaded");
  else
    log(log_level::error, "tls.not_reloaded",
        {{"why", read.error().detail}, {"remedy", "the old certificate stays in force"}});
}

struct tls_watch::state : std::enable_shared_from_this<tls_watch::state> {
  state(std::shared_ptr<tls_certificates> f, loop& w) : files(std::move(f)), where(w) {}

  void wait() {
    pause = where.after(look_interval, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self)
        return;
      if (self->files->changed())
        reload_and_tell(*self->files);
      self->wait();
    });
  }

  std::shared_ptr<tls_certificates> files;
  loop& where;
  std::unique_ptr<timer> pause;
};

tls_watch::tls_watch(std::shared_ptr<tls_certificates> files, loop& where)
    : state_(std::make_shared<state>(std::move(files), where)) {
  state_->wait();
}

tls_watch::~tls_watch() = default;

} // namespace sidevoice
