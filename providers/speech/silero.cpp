#include "providers/speech/silero.hpp"

#include "config/text_file.hpp"
#include "providers/speech/silero_network.hpp"

#include <sodium.h>

#include <array>
#include <utility>

namespace sidevoice {

namespace {

/// SHA-256 of silero_vad_16k_op15.onnx as silero-vad 6.2.3 publishes it. Files with the same shapes
/// and other weights are about: they hear speech where there is none, and nothing else would tell.
constexpr const char* published =
  "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49";
constexpr std::size_t bytes_max = 8U << 20U;
constexpr const char* remedy = "; run scripts/models.sh, which fetches it";

class silero_stream final : public vad_stream {
public:
  explicit silero_stream(std::shared_ptr<const silero_network> network)
      : network_(std::move(network)) {}

  float push(std::span<const std::int16_t, vad_frame> frame) override {
    return network_->run(memory_, frame);
  }

  void reset() override {
    memory_ = {};
  }

private:
  std::shared_ptr<const silero_network> network_;
  silero_memory memory_;
};

class silero_engine final : public vad_engine {
public:
  explicit silero_engine(silero_network network)
      : network_(std::make_shared<const silero_network>(std::move(network))) {}

  [[nodiscard]] std::unique_ptr<vad_stream> open() const override {
    return std::make_unique<silero_stream>(network_);
  }

  [[nodiscard]] std::string name() const override {
    return "silero";
  }

private:
  std::shared_ptr<const silero_network> network_;
};

std::string digest_of(const std::string& bytes) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size());
  std::array<char, 2 * digest.size() + 1> hex{};
  sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
  return hex.data();
}

error damaged(const std::string& path, const std::string& why) {
  return {errc::damaged,
          "the voice activity model " + path + " cannot be used: " + why + remedy,
          {},
          "damaged_model"};
}

} // namespace

result<std::unique_ptr<vad_engine>> load_silero(const std::string& path) {
  const auto bytes = read_text_file(path, bytes_max);
  if (!bytes && bytes.error().code == errc::not_found)
    return error{
      errc::not_found, "there is no voice activity model at " + path + remedy, {}, "no_model"};
  if (!bytes)
    return damaged(path, bytes.error().detail);
  auto network = silero_network::read(*bytes);
  if (!network)
    return damaged(path, network.error().detail);
  if (digest_of(*bytes) != published)
    return damaged(path, "its bytes are not those that were published with silero-vad 6.2.3");
  return std::unique_ptr<vad_engine>{std::make_unique<silero_engine>(std::move(*network))};
}

} // namespace sidevoice
