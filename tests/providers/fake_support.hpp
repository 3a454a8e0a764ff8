#pragma once

#include "providers/fake_openai.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

/// Requests to the fake provider, and what of its answers tests look at.
namespace sidevoice::test {

/// Throws std::runtime_error with the faults of a script that is none.
fake_openai fake_with(const std::string& script, fake_options options = {});

fake_request get(const std::string& path);
fake_request post(const std::string& path, const std::string& body);
/// A chat request with one user message; `more` are further fields: R"("stream":true)".
fake_request ask(const std::string& text, const std::string& more = "");

/// The JSON of a whole answer.
nlohmann::json json_of(const fake_answer& answer);
/// The data of each event of a stream.
std::vector<std::string> events_of(const fake_answer& answer);
/// The text of a stream, put together from its deltas.
std::string text_of(const fake_answer& answer);
/// "400 invalid_value messages[0].role" of an error.
std::string error_of(const fake_answer& answer);

} // namespace sidevoice::test
