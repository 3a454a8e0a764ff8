#pragma once

#include <cstdint>
#include <string>

namespace sidevoice {

/// The `webhook-signature` field of Standard Webhooks: "v1," and the base64 of HMAC-SHA256 over
/// "ID.TIMESTAMP.BODY". `secret` is "whsec_" and base64, or plain base64; what is no base64 is
/// taken as the key's own bytes. Source: the Standard Webhooks specification, version 1.
std::string sign_webhook(const std::string& secret, const std::string& id, std::int64_t timestamp_s,
                         const std::string& body);

} // namespace sidevoice
