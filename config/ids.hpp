#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace sidevoice {

/// Makes identifiers and random numbers. Any thread.
class id_source {
public:
  virtual ~id_source() = default;

  /// A fresh identifier such as "item_3kTMd2hVQmGqkZ0yW1r8Xa": the prefix, an underscore (also if
  /// the prefix brings it) and 128 random bits as 22 digits in base 62. At most 32 characters for
  /// prefixes of up to 9.
  [[nodiscard]] virtual std::string make(std::string_view prefix) = 0;

  /// A random number, for jitter.
  [[nodiscard]] virtual std::uint64_t random() = 0;
};

/// Ids from the operating system's random numbers (libsodium).
class random_ids final : public id_source {
public:
  random_ids();
  std::string make(std::string_view prefix) override;
  std::uint64_t random() override;
};

/// Ids that repeat with their seed ("item_s7_0001"), for tests and the lab.
class counted_ids final : public id_source {
public:
  explicit counted_ids(std::uint64_t seed = 0);
  std::string make(std::string_view prefix) override;
  std::uint64_t random() override;

private:
  std::uint64_t seed_;
  std::atomic<std::uint64_t> next_{0};
};

} // namespace sidevoice
