// SPDX-License-Identifier: Apache-2.0
#include "core/http_status.h"

#include <initializer_list>

namespace pilake {
namespace {

bool ContainsAny(std::string_view text, std::initializer_list<std::string_view> signs) {
  for (const std::string_view sign : signs) {
    if (text.find(sign) != std::string_view::npos) return true;
  }
  return false;
}

/// PI Web API's limit, the Data Archive's own, and HTTP.sys' for URL and headers.
bool SaysTooLarge(std::string_view text) {
  return ContainsAny(text, {"is greater than the maximum allowed", "exceeded the maximum allowed",
                            "-11091", "Request Too Long"});
}

/// The time-outs between PI Web API and the Data Archive, which come as any of the 5xx.
bool SaysTimedOut(std::string_view text) {
  return ContainsAny(text, {"-10722", "imeout on PI RPC", "has timed out", "operation timed out"});
}

}  // namespace

ErrorKind KindOfHttpStatus(int status, std::string_view text) {
  if (SaysTooLarge(text)) return ErrorKind::kTooLarge;
  if (status >= 500 && SaysTimedOut(text)) return ErrorKind::kTimedOut;
  switch (status) {
    case 401:
    case 407:
      return ErrorKind::kAuth;
    case 404:
    case 410:
      return ErrorKind::kNotFound;
    case 413:
    case 414:
      return ErrorKind::kTooLarge;
    case 408:
    case 425:
      return ErrorKind::kTransient;
    case 429:
      return ErrorKind::kThrottled;
    case 501:  // a value that the service cannot serialise
      return ErrorKind::kRefused;
    case 504:
      return ErrorKind::kTimedOut;
    default:
      return status >= 500 ? ErrorKind::kTransient : ErrorKind::kRefused;
  }
}

}  // namespace pilake
