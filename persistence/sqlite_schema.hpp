#pragma once

#include "persistence/sqlite_connection.hpp"

#include <limits>
#include <string>

namespace sidevoice {

/// What `check_schema` found.
enum class schema_state { current, older, newer, altered };

/// Compares the file with the migrations of this build: their numbers and checksums.
schema_state check_schema(sqlite_connection& connection);

/// Runs the migrations that the file lacks, each in a transaction of its own. Throws
/// `sqlite_failure`. Requires `current` or `older`. With `last` it stops after the migration of
/// that number: so tests make the file of an older sidevoice.
void migrate(sqlite_connection& connection,
             std::size_t last = std::numeric_limits<std::size_t>::max());

/// SHA-256 in hexadecimal.
std::string sha256(std::string_view bytes);

} // namespace sidevoice
