// SPDX-License-Identifier: Apache-2.0
// The quick way. A server writes all events of a page in one form: the same members in the same
// order with the same flags. So the first event is read in general, and what stands before, between
// and behind its time and value becomes a *layout*; an event that has the same bytes there says the
// same and needs no parser. An event of another form is read in general and adds its layout.
//
//   {"Timestamp":"2026-01-01T00:00:00Z","Value":1.5,"Good":true,"Questionable":false}
//   `--- head ---'                    `- middle -'  `------------- tail ------------'
//
// Everything is either compared, checked byte by byte, or read by the general reader; what fits
// none of these makes the whole page go the general way. Every check fails at a zero byte, and one
// stands behind each body.
#include <algorithm>
#include <array>
#include <cstring>

#include "decode/event.h"
#include "decode/recorded_paths.h"

namespace pilake::decode {
namespace {

const char* SkipSpace(const char* p) {
  while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') ++p;
  return p;
}

/// The end of the plain string whose first character is at `p`: its closing quote. Null if it holds
/// an escape, a control character or bytes that are not UTF-8.
const char* PlainStringEnd(const char* p, const Body& body) {
  for (;; ++p) {
    const auto c = static_cast<unsigned char>(*p);
    if (c == '"') return p;
    if (c < ' ' || c == '\\' || (c >= 0x80 && !body.is_utf8())) return nullptr;
  }
}

/// Moves `p` behind `text` if it stands there.
bool Take(const char*& p, std::string_view text) {
  // Bodies have spare bytes behind their end, more than the longest text taken this way.
  if (std::memcmp(p, text.data(), text.size()) != 0) return false;
  p += text.size();
  return true;
}

/// Behind the plain JSON value at `p`; null if it is none or nested deeper than anything of PI's.
const char* SkipPlain(const char* p, const Body& body, int depth = 0);

const char* SkipPlainMembers(const char* p, const Body& body, char closing, int depth) {
  p = SkipSpace(p);
  if (*p == closing) return p + 1;
  for (;;) {
    if (closing == '}') {
      if (*p != '"') return nullptr;
      p = PlainStringEnd(p + 1, body);
      if (p == nullptr) return nullptr;
      p = SkipSpace(p + 1);
      if (*p != ':') return nullptr;
      p = SkipSpace(p + 1);
    }
    p = SkipPlain(p, body, depth + 1);
    if (p == nullptr) return nullptr;
    p = SkipSpace(p);
    if (*p == closing) return p + 1;
    if (*p != ',') return nullptr;
    p = SkipSpace(p + 1);
  }
}

const char* SkipPlain(const char* p, const Body& body, int depth) {
  constexpr int kDepthMax = 16;
  if (depth > kDepthMax) return nullptr;
  switch (*p) {
    case '"':
      p = PlainStringEnd(p + 1, body);
      return p == nullptr ? nullptr : p + 1;
    case '{':
      return SkipPlainMembers(p + 1, body, '}', depth);
    case '[':
      return SkipPlainMembers(p + 1, body, ']', depth);
    case 't':
      return Take(p, "true") ? p : nullptr;
    case 'f':
      return Take(p, "false") ? p : nullptr;
    case 'n':
      return Take(p, "null") ? p : nullptr;
    default: {
      Value ignored;
      return ReadNumber(p, PointType::kUnknown, ignored);
    }
  }
}

/// Behind the object that begins at `p`, by its braces alone; null if it does not end.
const char* ObjectEnd(const char* p, const char* end) {
  int depth = 0;
  bool is_in_string = false;
  for (; p < end; ++p) {
    if (is_in_string) {
      if (*p == '\\') ++p;
      is_in_string = *p != '"';
      continue;
    }
    switch (*p) {
      case '"':
        is_in_string = true;
        break;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (--depth == 0) return p + 1;
        break;
      default:
        break;
    }
  }
  return nullptr;
}

/// `{"Name":"…","Value":1,"IsSystem":false}` as PI writes it.
const char* QuickState(const char* p, const Body& body, Value& value) {
  if (!Take(p, R"({"Name":")")) return nullptr;
  const char* name_end = PlainStringEnd(p, body);
  if (name_end == nullptr) return nullptr;
  const std::string_view name(p, static_cast<size_t>(name_end - p));
  p = name_end + 1;
  Value code;
  if (!Take(p, R"(,"Value":)")) return nullptr;
  p = ReadNumber(p, PointType::kInt64, code);
  if (p == nullptr || code.kind != ValueKind::kInt || !Take(p, R"(,"IsSystem":)")) return nullptr;
  const bool is_system = *p == 't';
  if (!Take(p, is_system ? "true}" : "false}")) return nullptr;
  value = TypedState(name, code.number, is_system);
  return p;
}

/// The value at `p` if it is of a simple form; returns its end.
const char* QuickValue(const char* p, const Body& body, PointType type, Value& value) {
  switch (*p) {
    case '"': {
      const char* end = PlainStringEnd(p + 1, body);
      if (end == nullptr) return nullptr;
      value = TypedString({p + 1, static_cast<size_t>(end - p - 1)}, type);
      return end + 1;
    }
    case '{':
      return QuickState(p, body, value);
    case 't':
      value = {ValueKind::kInt, 1, {}};
      return Take(p, "true") ? p : nullptr;
    case 'f':
      value = {ValueKind::kInt, 0, {}};
      return Take(p, "false") ? p : nullptr;
    case 'n':
      value = {};
      return Take(p, "null") ? p : nullptr;
    default:
      return ReadNumber(p, type, value);
  }
}

/// What an event looks like apart from its time and value, and the flags that this says.
struct Layout {
  std::string head, middle, tail;
  bool is_time_first = true;
  Flags flags;
};

/// Where the value of a member stands in an event's text.
struct Extent {
  const char* begin = nullptr;
  const char* end = nullptr;
};

/// The layout of the event `text`, which was read as `event`; nothing if it has parts whose meaning
/// could change without their bytes being compared.
std::optional<Layout> LearnLayout(std::string_view text, const Event& event, const Body& body) {
  if (event.is_property_error || text.find('\0') != std::string_view::npos) return std::nullopt;
  Extent time, value;
  // The text ends in a brace. NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage)
  const char* p = SkipSpace(text.data() + 1);
  const char* const text_end = text.data() + text.size();
  while (*p == '"') {
    const char* key_end = PlainStringEnd(p + 1, body);
    if (key_end == nullptr) return std::nullopt;
    const std::string_view key(p + 1, static_cast<size_t>(key_end - p - 1));
    p = SkipSpace(key_end + 1);
    if (*p != ':') return std::nullopt;
    const char* begin = SkipSpace(p + 1);
    p = SkipPlain(begin, body);
    if (p == nullptr) return std::nullopt;
    if (key == "Timestamp") time = {begin + 1, p - 1};  // inside the quotes
    if (key == "Value") value = {begin, p};
    p = SkipSpace(p);
    if (*p != ',') break;
    p = SkipSpace(p + 1);
  }
  if (*p != '}' || p + 1 != text_end || time.begin == nullptr || value.begin == nullptr) {
    return std::nullopt;
  }
  Layout layout;
  layout.is_time_first = time.begin < value.begin;
  const Extent& first = layout.is_time_first ? time : value;
  const Extent& second = layout.is_time_first ? value : time;
  layout.head = text.substr(0, static_cast<size_t>(first.begin - text.data()));
  layout.middle.assign(first.end, second.begin);
  layout.tail.assign(second.end, text_end);
  layout.flags = event.flags;
  return layout;
}

/// Reads arrays of events, keeping the layouts it learnt from one array to the next.
class QuickEvents {
 public:
  explicit QuickEvents(const Body& body) : body_(body), end_(body.end()) {}

  /// Reads the array at `p`, of about `rows` events (0 = as many as the body can hold); returns its
  /// end, or null if this body must go the general way.
  const char* ReadArray(const char* p, PointType type, size_t rows, Events& events) {
    if (*p != '[') return nullptr;
    p = SkipSpace(p + 1);
    if (*p == ']') return p + 1;
    const char* const begin = p;
    for (;;) {
      p = ReadOne(p, type, events);
      if (p == nullptr) return nullptr;
      if (events.size() == 1) {
        const auto event_bytes = static_cast<size_t>(p - begin) + 1;
        events.Reserve(rows != 0 ? rows : static_cast<size_t>(end_ - begin) / event_bytes + 1);
      }
      if (*p != ',') p = SkipSpace(p);
      if (*p == ']') return p + 1;
      if (*p != ',') return nullptr;
      ++p;
      if (*p != '{') p = SkipSpace(p);
    }
  }

 private:
  const char* ReadOne(const char* p, PointType type, Events& events) {
    ++events_read_;
    Event event;
    for (size_t i = 0; i < layouts_.size(); ++i) {
      const char* end = Match(p, layouts_[i], type, event);
      if (end == nullptr) continue;
      Append(event, events);
      if (i > 0) std::swap(layouts_[i], layouts_[i - 1]);  // the frequent ones come first
      return end;
    }
    return ReadInGeneral(p, type, events);
  }

  /// Reads the event at `p` if it has this layout; returns its end.
  const char* Match(const char* p, const Layout& layout, PointType type, Event& event) {
    if (!TakeSame(p, layout.head)) return nullptr;
    p = layout.is_time_first ? times_.ReadFixed(p, event.time)
                             : QuickValue(p, body_, type, event.value);
    if (p == nullptr || !TakeSame(p, layout.middle)) return nullptr;
    p = layout.is_time_first ? QuickValue(p, body_, type, event.value)
                             : times_.ReadFixed(p, event.time);
    if (p == nullptr || !TakeSame(p, layout.tail)) return nullptr;
    event.flags = layout.flags;
    return p;
  }

  bool TakeSame(const char*& p, const std::string& text) const {
    if (static_cast<size_t>(end_ - p) < text.size()) return false;
    if (std::memcmp(p, text.data(), text.size()) != 0) return false;
    p += text.size();
    return true;
  }

  static void Append(const Event& event, Events& events) {
    events.Append(event.time, event.value.kind, event.value.number, event.value.text, event.flags);
  }

  const char* ReadInGeneral(const char* p, PointType type, Events& events) {
    if (*p != '{' || IsWastingTime()) return nullptr;
    const char* end = ObjectEnd(p, end_);
    if (end == nullptr) return nullptr;
    const std::string_view text(p, static_cast<size_t>(end - p));
    Event event;
    if (!ReadAlone(text, type, event)) return nullptr;
    Append(event, events);
    if (auto layout = LearnLayout(text, event, body_)) Keep(std::move(*layout));
    return end;
  }

  bool ReadAlone(std::string_view text, PointType type, Event& event) {
    od::document document;
    od::object object;
    std::optional<Error> failure;
    if (Iterate(text.data(), text.size()).get(document)) return false;
    if (document.get_object().get(object)) return false;
    if (ReadEvent(object, type, times_, event, failure)) return false;
    return !failure && IsAtEnd(document);
  }

  /// True when so many events go the general way one by one that all at once is quicker.
  bool IsWastingTime() {
    constexpr size_t kPatience = 64, kShareMax = 8;
    ++read_in_general_;
    return read_in_general_ > kPatience && read_in_general_ > events_read_ / kShareMax;
  }

  void Keep(Layout layout) {
    constexpr size_t kLayoutsMax = 6;
    if (layouts_.size() == kLayoutsMax) layouts_.pop_back();
    layouts_.insert(layouts_.begin(), std::move(layout));
  }

  const Body& body_;
  const char* end_;
  TimeReader times_;
  std::vector<Layout> layouts_;
  size_t events_read_ = 0;
  size_t read_in_general_ = 0;
};

/// Walks the object at `p`; `on_member(key, at)` returns the end of the member's value. Null if any
/// part is not plain.
template <typename OnMember>
const char* WalkObject(const char* p, const Body& body, OnMember on_member) {
  if (*p != '{') return nullptr;
  p = SkipSpace(p + 1);
  if (*p == '}') return p + 1;
  for (;;) {
    if (*p != '"') return nullptr;
    const char* key_end = PlainStringEnd(p + 1, body);
    if (key_end == nullptr) return nullptr;
    const std::string_view key(p + 1, static_cast<size_t>(key_end - p - 1));
    p = SkipSpace(key_end + 1);
    if (*p != ':') return nullptr;
    p = on_member(key, SkipSpace(p + 1));
    if (p == nullptr) return nullptr;
    p = SkipSpace(p);
    if (*p == '}') return p + 1;
    if (*p != ',') return nullptr;
    p = SkipSpace(p + 1);
  }
}

/// A member whose meaning does not matter, unless it tells of a failure.
const char* SkipHarmless(std::string_view key, const char* p, const Body& body) {
  if (!IsComplaint(key)) return SkipPlain(p, body);
  return Take(p, "null") ? p : nullptr;
}

/// Reads the object around one series' events.
const char* ReadSeries(const char* p, const Body& body, PointType type, size_t rows,
                       QuickEvents& reader, Events& events) {
  bool has_events = false;
  p = WalkObject(p, body, [&](std::string_view key, const char* at) -> const char* {
    if (key != "Items") return SkipHarmless(key, at, body);
    if (has_events) return nullptr;
    has_events = true;
    return reader.ReadArray(at, type, rows, events);
  });
  return has_events ? p : nullptr;
}

bool IsEndOf(const Body& body, const char* p) {
  return p != nullptr && SkipSpace(p) == body.end();
}

/// Room for a series as long as the one before it.
size_t RowsLike(const std::vector<SeriesPage>& pages, size_t before) {
  return before < pages.size() ? pages[before].events.size() + 8 : 64;
}

/// Reads one stream of a set; its WebID must stand before its events.
const char* ReadStream(const char* p, const Body& body, std::span<const Wanted> wanted,
                       WantedIndex& index, std::vector<bool>& is_told, QuickEvents& reader,
                       std::vector<SeriesPage>& pages) {
  std::optional<size_t> which;
  bool has_events = false;
  p = WalkObject(p, body, [&](std::string_view key, const char* at) -> const char* {
    if (key == "WebId") {
      const char* end = *at == '"' && !which ? PlainStringEnd(at + 1, body) : nullptr;
      if (end == nullptr) return nullptr;
      which = index.Find({at + 1, static_cast<size_t>(end - at - 1)});
      if (!which || is_told[*which]) return nullptr;
      is_told[*which] = true;
      return end + 1;
    }
    if (key != "Items") return SkipHarmless(key, at, body);
    if (!which || has_events) return nullptr;
    has_events = true;
    return reader.ReadArray(at, wanted[*which].type, RowsLike(pages, *which - 1),
                            pages[*which].events);
  });
  return has_events ? p : nullptr;
}

/// Reads one part of a batch, which must have succeeded.
const char* ReadPart(const char* p, const Body& body, PointType type, size_t rows,
                     QuickEvents& reader, Events& events) {
  bool is_success = false, has_content = false;
  p = WalkObject(p, body, [&](std::string_view key, const char* at) -> const char* {
    if (key == "Status") {
      Value status;
      const char* end = ReadNumber(at, PointType::kInt64, status);
      is_success = status.kind == ValueKind::kInt && status.number >= 200 && status.number < 300;
      return is_success ? end : nullptr;
    }
    if (key != "Content") return SkipPlain(at, body);
    if (has_content) return nullptr;
    has_content = true;
    return ReadSeries(at, body, type, rows, reader, events);
  });
  return is_success && has_content ? p : nullptr;
}

}  // namespace

std::optional<SeriesPage> QuickRecorded(const Body& body, PointType type) {
  SeriesPage page;
  QuickEvents reader(body);
  const char* end = ReadSeries(SkipSpace(body.begin()), body, type, 0, reader, page.events);
  if (!IsEndOf(body, end)) return std::nullopt;
  return page;
}

std::optional<std::vector<SeriesPage>> QuickRecordedSet(const Body& body,
                                                        std::span<const Wanted> wanted) {
  std::vector<SeriesPage> pages(wanted.size());
  std::vector<bool> is_told(wanted.size());
  WantedIndex index(wanted);
  QuickEvents reader(body);
  bool has_streams = false;
  const auto read_streams = [&](const char* p) -> const char* {
    if (has_streams || *p != '[') return nullptr;
    has_streams = true;
    p = SkipSpace(p + 1);
    if (*p == ']') return p + 1;
    for (;;) {
      p = ReadStream(p, body, wanted, index, is_told, reader, pages);
      if (p == nullptr) return nullptr;
      p = SkipSpace(p);
      if (*p == ']') return p + 1;
      if (*p != ',') return nullptr;
      p = SkipSpace(p + 1);
    }
  };
  const char* end = WalkObject(
      SkipSpace(body.begin()), body, [&](std::string_view key, const char* at) -> const char* {
        return key == "Items" ? read_streams(at) : SkipHarmless(key, at, body);
      });
  const bool is_complete = std::find(is_told.begin(), is_told.end(), false) == is_told.end();
  if (!IsEndOf(body, end) || !has_streams || !is_complete) return std::nullopt;
  return pages;
}

std::optional<std::vector<SeriesPage>> QuickRecordedBatch(const Body& body,
                                                          std::span<const PointType> types) {
  std::vector<SeriesPage> pages(types.size());
  std::vector<bool> is_told(types.size());
  QuickEvents reader(body);
  const char* end = WalkObject(
      SkipSpace(body.begin()), body, [&](std::string_view key, const char* at) -> const char* {
        const auto which = PartOf(key, types.size());
        if (!which || is_told[*which]) return nullptr;
        is_told[*which] = true;
        return ReadPart(at, body, types[*which], RowsLike(pages, *which - 1), reader,
                        pages[*which].events);
      });
  const bool is_complete = std::find(is_told.begin(), is_told.end(), false) == is_told.end();
  if (!IsEndOf(body, end) || !is_complete) return std::nullopt;
  return pages;
}

}  // namespace pilake::decode
