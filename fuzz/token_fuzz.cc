// SPDX-License-Identifier: Apache-2.0
// Any bytes are a token with a lifetime, or one without; and any answer of an issuer can be read.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "pi/base64.h"
#include "pi/json_member.h"
#include "pi/sign_on.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // libFuzzer hands over unsigned bytes. NOLINTNEXTLINE(google-readability-casting)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  pilake::pi::LifetimeOfJwt(text, {});
  pilake::pi::MemberNumber(text, "expires_in");
  pilake::pi::MemberText(text, "access_token");
  if (const auto bytes = pilake::pi::FromBase64Url(text)) {
    Require(bytes->size() == text.size() * 3 / 4);
  }
  Require(pilake::pi::ToBase64(text).size() == (size + 2) / 3 * 4);
  return 0;
}
