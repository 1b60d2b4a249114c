// SPDX-License-Identifier: Apache-2.0
// libcurl as this room holds it: handles that free themselves, the way to a host, failures as ours.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "core/result.h"
#include "core/time.h"
#include "pi/http_endpoint.h"

namespace pilake::pi {

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeShare {
  void operator()(CURLSH* share) const { curl_share_cleanup(share); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;
using Multi = std::unique_ptr<CURLM, FreeMulti>;
using HeaderList = std::unique_ptr<curl_slist, FreeList>;
using Url = std::unique_ptr<CURLU, FreeUrl>;
using Share = std::unique_ptr<CURLSH, FreeShare>;

void InitCurlOnce();

Duration Micros(CURL* easy, CURLINFO what);
long Millis(Duration duration);

/// How to get to the host: through which proxy, and how long to try.
void SetConnect(CURL* easy, const Endpoint& endpoint);

/// Who may vouch for the server, and for a proxy that is spoken to by TLS. `trust` outlives `easy`.
void SetTrust(CURL* easy, Trust& trust);

/// The certificate by which a TLS server knows us, if there is one.
void SetCertificate(CURL* easy, const HttpOptions& options);

/// The connection stands and the request is on its way.
bool WasConnected(CURL* easy);

/// The border where curl's failures become ours; `error_text` is what curl put into its
/// CURLOPT_ERRORBUFFER.
Error FromCurl(CURLcode code, CURL* easy, const char* error_text, std::string_view url,
               const Endpoint& endpoint);

}  // namespace pilake::pi
