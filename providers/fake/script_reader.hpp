#pragma once

#include "config/jsonc.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sidevoice {

/// Reads objects key by key and collects what is wrong with them, for `read_fake_script`.
class script_reader {
public:
  using json = nlohmann::ordered_json;
  using take = std::function<void(const json& value, const std::string& path)>;
  using key = std::pair<const char*, take>;

  explicit script_reader(const jsonc_document& document) : document_(document) {}

  /// Every key of `value` has its reader; others are faults.
  void object(const json& value, const std::string& path, std::initializer_list<key> keys);
  void list(const json& value, const std::string& path, const take& each);
  void fault(const std::string& path, const std::string& what);

  take text(std::string& out);
  take text(std::optional<std::string>& out);
  /// One of these words.
  take word(std::string& out, std::vector<std::string> words);
  take flag(bool& out);
  take flag(std::optional<bool>& out);
  /// A whole number between both.
  template <class Number>
  take count(Number& out, std::uint64_t least, std::uint64_t most) {
    return [this, &out, least, most](const json& value, const std::string& path) {
      if (const auto number = whole(value, path, least, most))
        out = static_cast<typename count_of<Number>::type>(*number);
    };
  }

  [[nodiscard]] std::vector<std::string> faults() && {
    return std::move(faults_);
  }

private:
  template <class T>
  struct count_of {
    using type = T;
  };
  template <class T>
  struct count_of<std::optional<T>> {
    using type = T;
  };

  std::optional<std::uint64_t> whole(const json& value, const std::string& path,
                                     std::uint64_t least, std::uint64_t most);

  const jsonc_document& document_;
  std::vector<std::string> faults_;
};

} // namespace sidevoice
