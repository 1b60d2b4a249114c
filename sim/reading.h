// SPDX-License-Identifier: Apache-2.0
// Readings: the switches for what is not established about a real PI Web API (wire §13).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace pilake::sim {

// In the order of the words below.
enum class UnknownInSet : uint8_t { kWhole400, kWhole404, kItemErrors };
enum class ItemsLimit : uint8_t { kStreamsTimesMaxCount, kMaxCount, kProduced };
enum class NanAs : uint8_t { kBare, kString, kNull };
enum class Counted : uint8_t { kGood, kAll, kNumbers };
enum class DeletedAs : uint8_t { kEvent, kNull, kNothing };
enum class Heartbeat : uint8_t { kEmptyItems, kEmptyObject, kEmptyFrame };
enum class BlobAs : uint8_t { kBase64, kNotImplemented, kError };

/// How this server reads the open questions. The first word of each list is the default: the
/// reading that asks most of a client.
struct Readings {
  /// `unknown_webid_in_set=whole_400|whole_404|item_errors`: what one unknown WebID does to an
  /// ad-hoc stream set.
  UnknownInSet unknown_webid_in_set = UnknownInSet::kWhole400;
  /// `items_limit=streams_times_max_count|max_count|produced`: what is held against
  /// `MaxReturnedItemsPerCall`.
  ItemsLimit items_limit = ItemsLimit::kStreamsTimesMaxCount;
  /// `csrf_status=400|403|…`: the answer to a POST without `X-Requested-With`.
  int csrf_status = 400;
  /// `nan=bare|string|null`: NaN and the infinities. With `null` a perfect copy holds nulls.
  NanAs nan = NanAs::kBare;
  /// `float_digits=single|double`: a Float32 as its own digits, or as those of its double.
  bool float_as_double = false;
  /// `float_integral=dot_zero|bare`: `50.0` or `50`.
  bool bare_integral = false;
  /// `escapes=minimal|ascii`: text beyond ASCII as it is, or as `\uXXXX`.
  bool ascii_escapes = false;
  /// `webexception_needs_selecting=yes|no`: is it left out when `selectedFields` does not name it?
  bool webexception_needs_selecting = true;
  /// `template_status=207|200`: the outer status of a batch request that has a RequestTemplate.
  int template_status = 207;
  /// `child_of_failed=424|…`: the status of a batch request whose parent failed.
  int child_of_failed = 424;
  /// `batch_parts_limited=yes|no`: does every batch part count against the rate limit?
  bool batch_parts_limited = true;
  /// `links_key=Source|Self`: the name of the link in the items of stream sets.
  std::string links_key = "Source";
  /// `flags_as_strings=no|yes`: `"true"` instead of `true`.
  bool flags_as_strings = false;
  /// `member_order=fixed|shuffled`: the order of members within objects.
  bool shuffled_members = false;
  /// `extra_members=no|yes`: members that the reference does not know, in every object.
  bool extra_members = false;
  /// `timestamps_trim=yes|no`: `…:00.5Z` and `…:00Z`, or always seven digits.
  bool trim_timestamps = true;
  /// `equal_time_descending=reversed|stable`: the order of events of one time when read backwards.
  bool stable_descending = false;
  /// `time_compare=rendered|exact`: are window ends compared with an event's time as it is
  /// rendered, or with the stored multiple of 1/65536 s (up to 50 ns beside it)?
  bool exact_times = false;
  /// `blob=base64|501|error`: values of Blob points. With `501` a perfect copy has none of them.
  BlobAs blob = BlobAs::kBase64;
  /// `queued_snapshot=shown|hidden`: while archived events queue, is the newest event of a series
  /// among its recorded ones?
  bool hides_queued_snapshot = false;
  /// `counted=good|all|numbers`: which events the event-weighted summary `Count` counts.
  Counted counted = Counted::kGood;
  /// `count_of_none=zero|no_data`: the count where there are none.
  bool no_count_of_none = false;
  /// `flag_filters=yes|no`: whether a filter expression may ask for the flags of events.
  bool refuses_flag_filters = false;
  /// `set_order=request|name`: the order of streams in a set.
  bool set_by_name = false;
  /// `webid_type=Full|IDOnly|PathOnly|LocalIDOnly|DefaultIDOnly`: the form where none is asked for.
  std::string webid_type = "Full";
  /// `swapped_archive=silent|refresh`: do data pipes tell that another archive stands behind a
  /// name?
  bool refreshes_swapped = false;
  /// `failover_pipes=resume|lost`: go data pipes on with the other member, or are they lost?
  bool failover_loses_pipes = false;
  /// `lost_marker=404|409|…`: a marker of a registration that is no more, or never was.
  int lost_marker = 404;
  /// `stale_marker=409|404|…`: a marker too old to be read again, or that never was given out.
  int stale_marker = 409;
  /// `overflow=failed|404`: too many events wait: the series fails once, or is lost.
  bool overflow_is_lost = false;
  /// `registered_status=200|201|…`: the answer to a registration.
  int registered_status = 200;
  /// `registered_word=Succeeded|Succeded`
  std::string registered_word = "Succeeded";
  /// `updated_word=Updated|Created`
  std::string updated_word = "Updated";
  /// `channel_order=shuffled|arrival`: the order of a series' events within a message.
  bool channel_in_order = false;
  /// `channel_delete=event|null|nothing`: a deleted event looks like any other, has no value, or is
  /// not told.
  DeletedAs channel_delete = DeletedAs::kEvent;
  /// `channel_items=Items|Value`: a list of events a series, or one event an item.
  bool channel_single_values = false;
  /// `heartbeat=empty_items|empty_object|empty_frame`
  Heartbeat heartbeat = Heartbeat::kEmptyItems;
  /// `channel_end=cut|close`: how the server ends channels: as they are, or with a code.
  bool closes_channels = false;
};

/// Applies one `KEY=VALUE`. `kInvalid` names what would have been valid.
Status ApplyReading(std::string_view assignment, Readings& readings);

/// Every assignment that differs from the defaults, for tests that go through all of them.
std::vector<std::string> AllOtherReadings();

}  // namespace pilake::sim
