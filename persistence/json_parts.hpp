#pragma once

#include "persistence/event.hpp"
#include "persistence/fold.hpp"

#include <nlohmann/json_fwd.hpp>

#include <stdexcept>
#include <string>
#include <vector>

/// JSON of the parts that event bodies and snapshots share; internal to persistence. Writers leave
/// out what has its default. Readers take absent fields as the default, ignore unknown ones, and
/// throw `damaged_json` for wrong types: `decode` and `decode_view` catch it.
namespace sidevoice::json_parts {

struct damaged_json : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Bytes of JSON text, keys in alphabetical order. Throws for texts that are not UTF-8.
json_text dump(const nlohmann::json& value);

void put_text(nlohmann::json& object, const char* key, const std::string& text);
void put_number(nlohmann::json& object, const char* key, std::uint64_t number);

std::string text(const nlohmann::json& object, const char* key);
/// The same, but an absent or empty text is damage.
std::string needed_text(const nlohmann::json& object, const char* key);
std::uint64_t number(const nlohmann::json& object, const char* key, std::uint64_t absent = 0);
std::uint32_t small_number(const nlohmann::json& object, const char* key, std::uint32_t absent = 0);
std::int64_t time_ms(const nlohmann::json& object, const char* key);
bool flag(const nlohmann::json& object, const char* key);
std::vector<std::string> texts(const nlohmann::json& object, const char* key);
/// The array under `key`; an empty one where it is absent.
const nlohmann::json& array(const nlohmann::json& object, const char* key);
/// The object under `key`; an empty one where it is absent.
const nlohmann::json& object(const nlohmann::json& object, const char* key);

nlohmann::json from_item(const item& value);
item to_item(const nlohmann::json& object);

nlohmann::json from_evidence(const topic_evidence& evidence);
topic_evidence to_evidence(const nlohmann::json& object);

nlohmann::json from_about(const session_started& about);
session_started to_about(const nlohmann::json& object);

/// Under "usage"; left out where nothing was used.
void put_usage(nlohmann::json& object, const token_usage& usage);
token_usage to_usage(const nlohmann::json& object);

nlohmann::json from_call(const call_opened& call);
call_opened to_call(const nlohmann::json& object);

topic_status to_topic_status(const std::string& name);
topic_author to_topic_author(const std::string& name);
response_status to_response_status(const std::string& name);
response_phase to_response_phase(const std::string& name);
const char* name_of(response_phase phase);
call_phase to_call_phase(const std::string& name);
const char* name_of(call_phase phase);

} // namespace sidevoice::json_parts
