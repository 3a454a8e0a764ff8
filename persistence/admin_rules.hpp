#pragma once

#include "config/result.hpp"
#include "persistence/admin_jobs.hpp"

/// What every store checks and refuses alike about releases and keys; internal to persistence.
namespace sidevoice {

/// Errors `invalid`, as the jobs say.
result<void> check_release(const put_release& job);
result<void> check_pointer(const point_release& job);
result<void> check_key(const key_row& key);
result<void> check_revocation(const revoke_key& job);

error unknown_release();

/// The error of a key whose id or hash is taken by another one.
error taken_key(const key_row& key);

} // namespace sidevoice
