#include "persistence/admin_rules.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace sidevoice {

namespace {

constexpr std::size_t hash_digits = 64;

error refused(std::string detail) {
  return {.code = errc::invalid, .detail = std::move(detail)};
}

/// `filled` texts must say something; none may hold NUL.
result<void> check_texts(std::initializer_list<std::string_view> filled,
                         std::initializer_list<std::string_view> free, const char* what) {
  const auto has_nul = [](std::string_view text) { return text.find('\0') != text.npos; };
  if (std::any_of(filled.begin(), filled.end(), [](auto text) { return text.empty(); }))
    return refused(what);
  if (std::any_of(filled.begin(), filled.end(), has_nul)
      || std::any_of(free.begin(), free.end(), has_nul))
    return refused("the texts of a release or a key hold no NUL character");
  return {};
}

bool is_hash(std::string_view text) {
  return text.size() == hash_digits
         && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

} // namespace

result<void> check_release(const put_release& job) {
  return check_texts({job.app, job.digest}, {job.body}, "a release needs an app and a digest");
}

result<void> check_pointer(const point_release& job) {
  return check_texts({job.app, job.name}, {job.digest},
                     "name the app and what shall point to its release, such as \"stable\"");
}

result<void> check_key(const key_row& key) {
  if (auto texts = check_texts({key.app, key.id}, {key.name}, "a key needs an app and an id");
      !texts)
    return texts;
  // Whoever stored the key itself by mistake would find it in every backup.
  if (!is_hash(key.hash))
    return refused("of a key its SHA-256 is stored, as 64 lower-case hexadecimal digits");
  return {};
}

result<void> check_revocation(const revoke_key& job) {
  if (auto texts = check_texts({job.app, job.id}, {}, "name the app and the id of the key"); !texts)
    return texts;
  if (job.at <= 0)
    return refused("a revocation needs the time at which it was made");
  return {};
}

error unknown_release() {
  return {.code = errc::not_found,
          .detail = "this app has no release of this digest; list them with `sidevoice releases "
                    "list`"};
}

error taken_key(const key_row& key) {
  return {.code = errc::conflict,
          .detail = "the id \"" + key.id
                    + "\" or its hash belongs to another key; make a new key, ids are not used "
                      "twice",
          .reason = "repeated"};
}

} // namespace sidevoice
