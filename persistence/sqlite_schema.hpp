#pragma once

#include "persistence/sqlite_connection.hpp"

#include <string>

namespace sidevoice {

/// What `check_schema` found.
enum class schema_state { current, older, newer, altered };

/// Compares the file with the migrations of this build: their numbers and checksums.
schema_state check_schema(sqlite_connection& connection);

/// Runs the migrations that the file lacks, each in a transaction of its own. Throws
/// `sqlite_failure`. Requires `current` or `older`.
void migrate(sqlite_connection& connection);

/// SHA-256 in hexadecimal.
std::string sha256(std::string_view bytes);

} // namespace sidevoice
