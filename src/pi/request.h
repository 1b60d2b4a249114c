// SPDX-License-Identifier: Apache-2.0
// Every request that pilake can send, as pure text. None of them can write to PI.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "pi/http.h"

namespace pilake::pi {

/// One window of one stream. Both ends are inclusive (wire §5.3) and sent as UTC with all seven
/// digits. `begin` after `end` reads backwards, newest first (wire §5.5).
struct RecordedRead {
  std::string_view web_id;
  UtcTime begin;
  UtcTime end;
  int max_count = 1000;
  std::string_view filter{};  ///< a filter expression; empty: all events
};

/// Passes the events that are not plainly good: bad, questionable, substituted or annotated
/// (wire §5.2).
inline constexpr std::string_view kFlaggedOnly =
    R"(BadVal('.') or IsSet('.', "q") or IsSet('.', "s") or IsSet('.', "a"))";

/// `GET streams/{id}/recorded`.
HttpRequest BuildRecorded(const RecordedRead& read);

/// `GET streamsets/recorded?webId=…`: one window for many streams, `max_count` events each; of
/// those that pass `filter`, if there is one.
HttpRequest BuildRecordedSet(std::span<const std::string_view> web_ids, UtcTime begin, UtcTime end,
                             int max_count, std::string_view filter = {});

/// The newest `max_count` events of each stream at or before `at`, newest first: a set read
/// backwards from `at` to 1970.
HttpRequest BuildNewest(std::span<const std::string_view> web_ids, UtcTime at, int max_count);

/// `POST batch` of single reads, parts keyed "0", "1", … (wire §7). `base_url` as in HttpLoop::url.
HttpRequest BuildRecordedBatch(std::string_view base_url, std::span<const RecordedRead> reads);

/// `GET streamsets/value?webId=…`: the current value of many streams.
HttpRequest BuildValueSet(std::span<const std::string_view> web_ids);

/// `POST streamsets/updates?webId=…`: registers many streams for Stream Updates (wire §9). It makes
/// a subscription in the web server's memory, and nothing in PI.
HttpRequest BuildRegister(std::span<const std::string_view> web_ids);

/// `GET streamsets/updates?marker=…`: what is new of each stream since the marker was given.
HttpRequest BuildUpdates(std::span<const std::string> markers);

/// `GET streamsets/channel?webId=…`, to be sent as the beginning of a WebSocket (wire §8):
/// `heartbeat_rate` polls of the server's without news make an empty message.
HttpRequest BuildChannel(std::span<const std::string_view> web_ids, int heartbeat_rate);

/// One window of one stream whose events are to be counted; both ends inclusive.
struct CountRead {
  std::string_view web_id;
  UtcTime begin;
  UtcTime end;
};

/// `GET streams/{id}/summary?summaryType=Count`: how many events the window holds.
HttpRequest BuildCount(const CountRead& read);

/// `POST batch` of such counts, parts keyed "0", "1", … (wire §7).
HttpRequest BuildCountBatch(std::string_view base_url, std::span<const CountRead> reads);

HttpRequest BuildDataServers();

/// One page of a server's points; `name_filter` with PI's `*` and `?`, empty = all. Ask on with
/// `start_index` moved by the items that came until a page is empty (wire §1.3).
struct PointsRead {
  std::string_view server_web_id;
  std::string_view name_filter;
  int start_index = 0;
  int max_count = 1000;
};
HttpRequest BuildPoints(const PointsRead& read);

/// `path` is `\\SERVER\TAG`.
HttpRequest BuildPointByPath(std::string_view path);

/// `GET points/multiple?webId=…`: each point or why there is none; also tells which WebID is bad.
HttpRequest BuildPointsMultiple(std::span<const std::string_view> web_ids);

HttpRequest BuildEnumerationSets(std::string_view server_web_id);
/// `POST batch` of `GET enumerationsets/{id}/enumerationvalues`, parts keyed "0", "1", … (wire §7).
HttpRequest BuildEnumerationBatch(std::string_view base_url,
                                  std::span<const std::string_view> set_web_ids);
HttpRequest BuildSystem();
HttpRequest BuildSystemStatus();
HttpRequest BuildUserInfo();
/// `key` as `MaxReturnedItemsPerCall`.
HttpRequest BuildConfiguration(std::string_view key);

/// Longest whole URL that we send; HTTP.sys takes 16 KB of request line and headers (wire §1.8).
inline constexpr size_t kUrlBytesMax = 8192;

/// Bytes of the URL that `request` makes below `base_url`.
size_t UrlBytes(std::string_view base_url, const HttpRequest& request);

/// How many of `web_ids`, from the first, fit into one set request of `url_bytes_max`; at least 1.
/// Counts what `BuildRecordedSet` adds, the longest of the set requests.
size_t WebIdsThatFit(std::string_view base_url, std::span<const std::string_view> web_ids,
                     size_t url_bytes_max = kUrlBytesMax);

/// The same for `BuildUpdates`.
size_t MarkersThatFit(std::string_view base_url, std::span<const std::string> markers,
                      size_t url_bytes_max = kUrlBytesMax);

/// An example of one kind of request, for the report and the test that prove what we can send.
struct RequestForm {
  std::string_view name;     ///< of the function that builds it
  std::string_view purpose;  ///< what its answer is for
  std::string_view path;     ///< as in the vendor's Swagger file, `/streams/{webId}/recorded`
  std::string_view source;   ///< where it is documented
  HttpRequest example;
  std::string_view parts{};  ///< of a batch: the path of its GETs
};

/// One example of everything this header can build. docs/requests.md is made from it.
std::vector<RequestForm> AllRequests();

}  // namespace pilake::pi
