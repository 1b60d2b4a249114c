// SPDX-License-Identifier: Apache-2.0
#include "decode/recorded.h"

#include <algorithm>
#include <charconv>

#include "decode/recorded_paths.h"
#include "decode/streams.h"

namespace pilake::decode {
namespace {

using simdjson::error_code;
using simdjson::SUCCESS;

/// Reads the streams of a set; `is_value` for streamsets/value.
class SetReader {
 public:
  SetReader(std::span<const Wanted> wanted, bool is_value)
      : wanted_(wanted),
        is_value_(is_value),
        index_(wanted),
        pages_(wanted.size()),
        is_told_(wanted.size()) {}

  error_code Read(od::object& object) {
    return ReadStreams(object, envelope_, [this](od::object& stream) { return ReadOne(stream); });
  }

  Result<std::vector<SeriesPage>> Finish() && {
    if (envelope_.complaint) return tl::unexpected(BrokenOff(*envelope_.complaint));
    if (envelope_.unreadable) return tl::unexpected(std::move(*envelope_.unreadable));
    if (!envelope_.has_events) return tl::unexpected(NotWhatWasAsked("it has no Items"));
    for (size_t i = 0; i < pages_.size(); ++i) {
      if (is_told_[i]) continue;
      pages_[i].failure =
          Error{ErrorKind::kNotFound, "the server left this series out of its answer"};
    }
    return std::move(pages_);
  }

 private:
  error_code ReadOne(od::object& stream) {
    std::string web_id;
    if (const auto error = FindText(stream, "WebId", web_id)) return error;
    const auto which = index_.Find(web_id);
    if (!which || is_told_[*which]) {
      envelope_.unreadable =
          NotWhatWasAsked(fmt::format("it tells of stream '{}', which was {}", web_id.substr(0, 80),
                                      which ? "told before" : "not asked for"));
      return SUCCESS;
    }
    is_told_[*which] = true;
    Envelope envelope;
    SeriesPage& page = pages_[*which];
    if (const auto error = ReadStream(stream, wanted_[*which].type,
                                      is_value_ ? EventsIn::kItemsOrValue : EventsIn::kItems,
                                      times_, page, envelope)) {
      return error;
    }
    page.failure = FailureOf(envelope);
    if (is_value_ && !page.failure && page.events.size() != 1) {
      page.failure = NotWhatWasAsked(fmt::format("{} values of one series", page.events.size()));
    }
    return SUCCESS;
  }

  std::span<const Wanted> wanted_;
  bool is_value_;
  WantedIndex index_;
  TimeReader times_;
  Envelope envelope_;  // of the whole body
  std::vector<SeriesPage> pages_;
  std::vector<bool> is_told_;
};

Result<std::vector<SeriesPage>> ReadSet(const Body& body, std::span<const Wanted> wanted,
                                        bool is_value) {
  SetReader reader(wanted, is_value);
  const error_code error =
      ReadDocument(body, [&](od::object& object) { return reader.Read(object); });
  if (error) return tl::unexpected(Damage(body, error));
  return std::move(reader).Finish();
}

/// One part of a batch: its status, and its content as a stream.
error_code ReadPart(od::object& part, PointType type, TimeReader& times, SeriesPage& page) {
  Envelope envelope;
  std::optional<int64_t> status;
  for (auto field : part) {
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return error;
    od::value value;
    if (const auto error = field.value().get(value)) return error;
    if (key == "Status") {
      int64_t number = 0;
      if (!value.get_int64().get(number)) status = number;
    } else if (key == "Content" && Token(value)[0] == '{') {
      od::object content;
      if (const auto error = value.get_object().get(content)) return error;
      if (const auto error = ReadStream(content, type, EventsIn::kItems, times, page, envelope))
        return error;
    } else if (key == "Content" && Token(value)[0] == '"') {
      if (const auto error = ReadComplaintInto(value, envelope)) return error;
    }
  }
  const bool is_success = status && *status >= 200 && *status < 300;
  if (!is_success) {
    if (!envelope.complaint) envelope.complaint.emplace();
    constexpr int64_t kNoStatus = 500;
    envelope.complaint->status =
        static_cast<int>(std::clamp<int64_t>(status.value_or(kNoStatus), 0, 999));
  }
  page.failure = FailureOf(envelope);
  return SUCCESS;
}

}  // namespace

Result<SeriesPage> GeneralRecorded(const Body& body, PointType type) {
  SeriesPage page;
  Envelope envelope;
  TimeReader times;
  const error_code error = ReadDocument(body, [&](od::object& object) {
    return ReadStream(object, type, EventsIn::kItems, times, page, envelope);
  });
  if (error) return tl::unexpected(Damage(body, error));
  if (envelope.complaint) return tl::unexpected(BrokenOff(*envelope.complaint));
  if (!envelope.unreadable && !envelope.has_events) {
    return tl::unexpected(NotWhatWasAsked("it has no Items"));
  }
  page.failure = std::move(envelope.unreadable);
  return page;
}

Result<std::vector<SeriesPage>> GeneralRecordedSet(const Body& body,
                                                   std::span<const Wanted> wanted) {
  return ReadSet(body, wanted, false);
}

Result<std::vector<SeriesPage>> GeneralRecordedBatch(const Body& body,
                                                     std::span<const PointType> types) {
  std::vector<SeriesPage> pages(types.size());
  std::vector<bool> is_told(types.size());
  Envelope envelope;
  TimeReader times;
  const error_code error = ReadDocument(body, [&](od::object& object) -> error_code {
    for (auto field : object) {
      std::string_view key;
      if (const auto damage = field.unescaped_key().get(key)) return damage;
      if (key == "WebException") {
        od::value value;
        if (const auto damage = field.value().get(value)) return damage;
        if (const auto damage = ReadComplaintInto(value, envelope)) return damage;
        continue;
      }
      const auto which = PartOf(key, types.size());
      if (!which || is_told[*which]) {
        envelope.unreadable = NotWhatWasAsked(fmt::format("part '{}'", key.substr(0, 80)));
        continue;
      }
      is_told[*which] = true;
      od::object part;
      if (const auto damage = field.value().get_object().get(part)) return damage;
      if (const auto damage = ReadPart(part, types[*which], times, pages[*which])) return damage;
    }
    return SUCCESS;
  });
  if (error) return tl::unexpected(Damage(body, error));
  if (envelope.complaint) return tl::unexpected(BrokenOff(*envelope.complaint));
  if (envelope.unreadable) return tl::unexpected(std::move(*envelope.unreadable));
  for (size_t i = 0; i < pages.size(); ++i) {
    if (is_told[i]) continue;
    pages[i].failure = Error{ErrorKind::kTransient, "the server left this part out of its answer"};
  }
  return pages;
}

bool IsComplaint(std::string_view key) {
  return key == "WebException" || key == "Errors" || key == "Exception" || key == "Message";
}

std::optional<size_t> PartOf(std::string_view key, size_t parts) {
  size_t part = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), part);
  const bool is_number = error == std::errc() && end == key.data() + key.size() && !key.empty();
  return is_number && part < parts ? std::optional(part) : std::nullopt;
}

std::string_view WantedIndex::Identity(std::string_view web_id) {
  constexpr size_t kIdOnlyLength = 32;
  const bool carries_id = web_id.size() >= kIdOnlyLength &&
                          (web_id[0] == 'F' || web_id[0] == 'I') && web_id.substr(1, 3) == "1DP";
  return carries_id ? web_id.substr(1, kIdOnlyLength - 1) : web_id;
}

std::optional<size_t> WantedIndex::Find(std::string_view web_id) {
  const std::string_view identity = Identity(web_id);
  if (next_ < wanted_.size() && Identity(wanted_[next_].web_id) == identity) return next_++;
  if (sorted_.empty()) {
    for (size_t i = 0; i < wanted_.size(); ++i)
      sorted_.emplace_back(Identity(wanted_[i].web_id), i);
    std::sort(sorted_.begin(), sorted_.end());
  }
  const auto found =
      std::lower_bound(sorted_.begin(), sorted_.end(), std::pair(identity, size_t{0}));
  if (found == sorted_.end() || found->first != identity) return std::nullopt;
  next_ = found->second + 1;
  return found->second;
}

Result<SeriesPage> DecodeRecorded(std::string body, PointType type) {
  const Body padded(std::move(body));
  if (auto page = QuickRecorded(padded, type)) return std::move(*page);
  return GeneralRecorded(padded, type);
}

Result<std::vector<SeriesPage>> DecodeRecordedSet(std::string body,
                                                  std::span<const Wanted> wanted) {
  const Body padded(std::move(body));
  if (auto pages = QuickRecordedSet(padded, wanted)) return std::move(*pages);
  return GeneralRecordedSet(padded, wanted);
}

Result<std::vector<SeriesPage>> DecodeRecordedBatch(std::string body,
                                                    std::span<const PointType> types) {
  const Body padded(std::move(body));
  if (auto pages = QuickRecordedBatch(padded, types)) return std::move(*pages);
  return GeneralRecordedBatch(padded, types);
}

Result<std::vector<SeriesPage>> DecodeValueSet(std::string body, std::span<const Wanted> wanted) {
  return ReadSet(Body(std::move(body)), wanted, true);
}

}  // namespace pilake::decode
