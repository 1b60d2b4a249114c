// SPDX-License-Identifier: Apache-2.0
#include "decode/news.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <unordered_map>
#include <utility>

#include "decode/recorded_paths.h"
#include "decode/streams.h"

namespace pilake::decode {
namespace {

using simdjson::error_code;
using simdjson::SUCCESS;

bool IsBlank(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return std::isspace(c) != 0; });
}

/// What a pipe says of one series. Without a marker there is nothing to go on from.
std::optional<Error> FailureOfItem(const Envelope& envelope, const SeriesPage& page) {
  if (envelope.complaint) return Refused(*envelope.complaint);
  if (envelope.unreadable) return envelope.unreadable;
  if (page.marker.empty()) return Error{ErrorKind::kNotFound, "the server gives no marker for it"};
  return std::nullopt;
}

/// Reads answers that have one item for each of `wanted`: registrations and retrievals.
class ItemReader {
 public:
  explicit ItemReader(std::span<const Wanted> wanted)
      : wanted_(wanted), pages_(wanted.size()), is_told_(wanted.size()) {}

  /// `find` says which one an item is.
  template <typename Find>
  Result<std::vector<SeriesPage>> Do(const Body& body, Find find) && {
    const error_code error = ReadDocument(body, [&](od::object& object) {
      return ReadStreams(object, envelope_, [&](od::object& item) -> error_code {
        std::optional<size_t> which;
        if (const auto damage = find(item, which)) return damage;
        if (!which || is_told_[*which]) {
          envelope_.unreadable = NotWhatWasAsked(which ? "an item is told twice"
                                                       : "an item tells of what was not asked for");
          return SUCCESS;
        }
        is_told_[*which] = true;
        return Read(item, wanted_[*which].type, pages_[*which]);
      });
    });
    if (error) return tl::unexpected(Damage(body, error));
    if (envelope_.complaint) return tl::unexpected(BrokenOff(*envelope_.complaint));
    if (envelope_.unreadable) return tl::unexpected(std::move(*envelope_.unreadable));
    if (!envelope_.has_events) return tl::unexpected(NotWhatWasAsked("it has no Items"));
    for (size_t i = 0; i < pages_.size(); ++i) {
      if (!is_told_[i]) {
        pages_[i].failure =
            Error{ErrorKind::kNotFound, "the server left this series out of its answer"};
      }
    }
    return std::move(pages_);
  }

 private:
  error_code Read(od::object& item, PointType type, SeriesPage& page) {
    Envelope envelope;
    const error_code damage = ReadStream(item, type, EventsIn::kEvents, times_, page, envelope);
    page.failure = FailureOfItem(envelope, page);
    return damage;
  }

  std::span<const Wanted> wanted_;
  TimeReader times_;
  Envelope envelope_;  // of the whole body
  std::vector<SeriesPage> pages_;
  std::vector<bool> is_told_;
};

}  // namespace

Result<std::vector<SeriesNews>> DecodeChannelMessage(std::string body,
                                                     std::span<const Wanted> wanted) {
  std::vector<SeriesNews> news;
  if (IsBlank(body)) return news;
  const Body padded(std::move(body));
  Envelope envelope;
  WantedIndex index(wanted);
  TimeReader times;
  const error_code error = ReadDocument(padded, [&](od::object& object) {
    return ReadStreams(object, envelope, [&](od::object& stream) -> error_code {
      std::string web_id;
      if (const auto damage = FindText(stream, "WebId", web_id)) return damage;
      const auto which = index.Find(web_id);
      if (!which) return SUCCESS;
      SeriesPage page;
      Envelope of_stream;
      const error_code damage =
          ReadStream(stream, wanted[*which].type, EventsIn::kItemsOrValue, times, page, of_stream);
      if (of_stream.unreadable) envelope.unreadable = std::move(of_stream.unreadable);
      if (!page.events.empty())
        news.push_back({static_cast<uint32_t>(*which), std::move(page.events)});
      return damage;
    });
  });
  if (error) return tl::unexpected(Damage(padded, error));
  if (envelope.complaint) return tl::unexpected(BrokenOff(*envelope.complaint));
  if (envelope.unreadable) return tl::unexpected(std::move(*envelope.unreadable));
  return news;
}

Result<std::vector<SeriesPage>> DecodeRegistrations(std::string body,
                                                    std::span<const Wanted> wanted) {
  WantedIndex index(wanted);
  const auto find = [&](od::object& item, std::optional<size_t>& which) -> error_code {
    std::string source;
    if (const auto damage = FindText(item, "Source", source)) return damage;
    which = index.Find(source);
    return SUCCESS;
  };
  return ItemReader(wanted).Do(Body(std::move(body)), find);
}

Result<std::vector<SeriesPage>> DecodeUpdates(std::string body, std::span<const Wanted> wanted,
                                              std::span<const std::string> markers) {
  std::unordered_map<std::string_view, size_t> by_marker;
  for (size_t i = 0; i < markers.size(); ++i) by_marker.emplace(markers[i], i);
  WantedIndex index(wanted);
  const auto find = [&](od::object& item, std::optional<size_t>& which) -> error_code {
    std::string marker, source;
    if (const auto damage = FindText(item, "RequestedMarker", marker)) return damage;
    if (const auto found = by_marker.find(marker); found != by_marker.end()) {
      which = found->second;
      return SUCCESS;
    }
    if (const auto damage = FindText(item, "Source", source)) return damage;
    which = index.Find(source);
    return SUCCESS;
  };
  return ItemReader(wanted).Do(Body(std::move(body)), find);
}

}  // namespace pilake::decode
