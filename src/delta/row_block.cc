// SPDX-License-Identifier: Apache-2.0
// The columns of `pi_timeseries`, and events turned into them.
#include "delta/row_block.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <optional>
#include <span>

namespace pilake::delta {
namespace {

constexpr std::string_view kText = "u";
constexpr std::string_view kLong = "l";
constexpr std::string_view kInt = "i";
constexpr std::string_view kDouble = "g";
constexpr std::string_view kBoolean = "b";
constexpr std::string_view kInstant = "tsu:UTC";

enum Place {
  kTagWebId,
  kTagName,
  kTimestamp,
  kTicks,
  kOrdinal,
  kValue,
  kValueInt,
  kValueString,
  kValueCode,
  kValueKind,
  kGood,
  kQuestionable,
  kSubstituted,
  kAnnotated,
  kUnits,
  kIngested,
  kColumnCount,
};

struct Column {
  const char* name;
  std::string_view type;
  bool repeats;  ///< the same text over many rows: handed over as a dictionary
  std::string_view comment;
};

constexpr std::array<Column, kColumnCount> kColumns{{
    {kWebIdColumn, kText, true, "WebID of the point, IDOnly form: survives renames"},
    {"tag_name", kText, true, "name of the point when the row was read"},
    {"timestamp", kInstant, false, "time of the event in UTC, cut to microseconds"},
    {kTicksColumn, kLong, false, "the exact time: 100-ns units since 1970-01-01 UTC"},
    {"ordinal", kInt, false, "0, 1, … among events of one point at one exact time"},
    {"value", kDouble, false, "numeric values"},
    {"value_int", kLong, false, "integer values, exact beyond 2^53 too"},
    {"value_string", kText, false,
     "text; the name of a state; ISO text of a timestamp; raw JSON of what could not be typed"},
    {"value_code", kInt, false, "number of a digital or system state"},
    {"value_kind", kText, true,
     "float, int, string, digital, system, timestamp, blob, array, null or error"},
    {"good", kBoolean, false, "as PI says; null where it says nothing"},
    {"questionable", kBoolean, false, "as PI says; null where it says nothing"},
    {"substituted", kBoolean, false, "as PI says; null where it says nothing"},
    {"annotated", kBoolean, false, "as PI says; null where it says nothing"},
    {"units", kText, true, "engineering units of the point"},
    {"ingestion_timestamp", kInstant, false, "when the row was read"},
}};

constexpr size_t kKinds = static_cast<size_t>(ValueKind::kError) + 1;

bool HasNumber(ValueKind kind) {
  return kind == ValueKind::kFloat || kind == ValueKind::kInt;
}
bool HasCode(ValueKind kind) {
  return kind == ValueKind::kDigital || kind == ValueKind::kSystem;
}
bool HasText(ValueKind kind) {
  return !HasNumber(kind) && kind != ValueKind::kNull;
}

int64_t FloorMicros(int64_t ticks) {
  return ticks / 10 - (ticks % 10 < 0 ? 1 : 0);
}

/// The first index behind `begin` where `values` changes, at most `end`.
template <typename T>
size_t EndOfRun(const std::vector<T>& values, size_t begin, size_t end) {
  size_t next = begin + 1;
  while (next < end && values[next] == values[begin]) ++next;
  return next;
}

/// One bit a row.
class Bits {
 public:
  void Append(bool bit) {
    if (size_ % 8 == 0) bytes_.push_back(0);
    bytes_.back() = static_cast<uint8_t>(bytes_.back() | (bit ? 1u << size_ % 8 : 0u));
    zeros_ += bit ? 0 : 1;
    ++size_;
  }
  void AppendMany(bool bit, size_t count) {
    for (; count > 0 && size_ % 8 != 0; --count) Append(bit);
    bytes_.insert(bytes_.end(), count / 8, bit ? uint8_t{0xff} : uint8_t{0});
    size_ += count / 8 * 8;
    zeros_ += bit ? 0 : static_cast<int64_t>(count / 8 * 8);
    for (size_t rest = count % 8; rest > 0; --rest) Append(bit);
  }
  void Clear() {
    bytes_.clear();
    size_ = 0;
    zeros_ = 0;
  }
  int64_t zeros() const { return zeros_; }
  const void* data() const { return bytes_.data(); }

 private:
  std::vector<uint8_t> bytes_;
  size_t size_ = 0;
  int64_t zeros_ = 0;
};

/// Texts one after another, as Arrow lays them out.
struct TextColumn {
  std::vector<int32_t> ends{0};
  std::string bytes;

  void Append(std::string_view text) {
    bytes.append(text);
    ends.push_back(static_cast<int32_t>(bytes.size()));
  }
  void Clear() {
    ends.assign(1, 0);
    bytes.clear();
  }
  int64_t size() const { return static_cast<int64_t>(ends.size()) - 1; }
};

std::vector<std::string> NamesOf(std::initializer_list<int> places) {
  std::vector<std::string> names;
  for (const int place : places) names.emplace_back(kColumns[static_cast<size_t>(place)].name);
  return names;
}

}  // namespace

const std::vector<std::string> kBoundedColumns = NamesOf({kTagWebId, kTimestamp, kTicks});
const std::vector<std::string> kClusteringColumns = NamesOf({kTagWebId, kTimestamp});
const std::vector<std::string> kKeyColumns = NamesOf({kTagWebId, kTicks, kOrdinal});
const std::vector<std::string> kReadColumns = NamesOf(
    {kTagWebId, kTagName, kTimestamp, kTicks, kOrdinal, kValue, kValueInt, kValueString, kValueCode,
     kValueKind, kGood, kQuestionable, kSubstituted, kAnnotated, kUnits, kIngested});

// ---------------------------------------------------------------------------------------------

struct TimeseriesSchema::Tree {
  std::array<ArrowSchema, kColumnCount> columns;
  std::array<ArrowSchema*, kColumnCount> pointers;
  std::array<std::string, kColumnCount> comments;
  ArrowSchema words{
      kText.data(), "", nullptr, kArrowNullable, 0, nullptr, nullptr, ReleaseNothing<ArrowSchema>,
      nullptr};
  ArrowSchema root;
};

TimeseriesSchema::TimeseriesSchema(Texts texts) : tree_(std::make_unique<Tree>()) {
  for (size_t i = 0; i < kColumns.size(); ++i) {
    const bool is_dictionary = kColumns[i].repeats && texts == Texts::kDictionaries;
    tree_->comments[i] = CommentMetadata(kColumns[i].comment);
    tree_->columns[i] = {is_dictionary ? kInt.data() : kColumns[i].type.data(),
                         kColumns[i].name,
                         tree_->comments[i].data(),
                         kArrowNullable,
                         0,
                         nullptr,
                         is_dictionary ? &tree_->words : nullptr,
                         ReleaseNothing<ArrowSchema>,
                         nullptr};
    tree_->pointers[i] = &tree_->columns[i];
  }
  tree_->root = {"+s",         "",
                 nullptr,      0,
                 kColumnCount, tree_->pointers.data(),
                 nullptr,      ReleaseNothing<ArrowSchema>,
                 nullptr};
}

TimeseriesSchema::~TimeseriesSchema() = default;

ArrowSchema* TimeseriesSchema::get() {
  return &tree_->root;
}

Status CheckSchema(const ArrowSchema& schema) {
  const std::span children(schema.children, static_cast<size_t>(schema.n_children));
  for (const Column& column : kColumns) {
    const auto found = std::find_if(
        children.begin(), children.end(),
        [&column](const ArrowSchema* child) { return std::strcmp(child->name, column.name) == 0; });
    if (found == children.end()) {
      return Fail(ErrorKind::kInvalid, "it has no column {}", column.name);
    }
    if ((*found)->format != column.type) {
      return Fail(ErrorKind::kInvalid, "its column {} is of another type (Arrow '{}', not '{}')",
                  column.name, (*found)->format, column.type);
    }
  }
  for (const ArrowSchema* child : children) {
    const bool is_ours = std::any_of(kColumns.begin(), kColumns.end(), [child](const Column& one) {
      return std::strcmp(child->name, one.name) == 0;
    });
    if (!is_ours && (child->flags & kArrowNullable) == 0) {
      return Fail(ErrorKind::kInvalid,
                  "its column {} may not be null, and pilake has no value for it", child->name);
    }
  }
  return {};
}

// ---------------------------------------------------------------------------------------------

struct RowBlock::Columns {
  std::vector<int32_t> series;  ///< index of the row's series in the dictionaries
  std::vector<int32_t> units;
  std::vector<int32_t> kind;
  std::vector<int64_t> micros, ticks, value_int, ingested;
  std::vector<int32_t> ordinal, value_code;
  std::vector<double> value;
  TextColumn value_string;
  Bits has_value, has_int, has_string, has_code, has_units;
  std::array<Bits, 4> flag_said, flag_value;
  TextColumn web_ids, names, unit_words, kind_words;

  // What is handed over points into the vectors above.
  std::array<std::array<const void*, 3>, kColumnCount> buffers;
  std::array<std::array<const void*, 3>, kColumnCount> word_buffers;
  std::array<ArrowArray, kColumnCount> arrays, words;
  std::array<ArrowArray*, kColumnCount> pointers;
  std::array<const void*, 1> root_buffers{nullptr};
  ArrowArray root;

  Columns() {
    for (size_t i = 0; i < kKinds; ++i) kind_words.Append(Name(static_cast<ValueKind>(i)));
  }

  /// Rows `[begin, end)` of `events`, all of one kind. Most runs are thousands of rows long.
  void AppendValues(ValueKind of, const Events& events, size_t begin, size_t end) {
    const size_t count = end - begin;
    kind.insert(kind.end(), count, static_cast<int32_t>(of));
    has_value.AppendMany(HasNumber(of), count);
    has_int.AppendMany(of == ValueKind::kInt, count);
    has_code.AppendMany(HasCode(of), count);
    has_string.AppendMany(HasText(of), count);
    const auto numbers = std::span(events.number).subspan(begin, count);
    if (of == ValueKind::kFloat) {
      for (const int64_t number : numbers) value.push_back(std::bit_cast<double>(number));
    } else if (of == ValueKind::kInt) {
      for (const int64_t number : numbers) value.push_back(static_cast<double>(number));
    } else {
      value.insert(value.end(), count, 0);
    }
    if (of == ValueKind::kInt) {
      value_int.insert(value_int.end(), numbers.begin(), numbers.end());
    } else {
      value_int.insert(value_int.end(), count, 0);
    }
    if (HasCode(of)) {
      for (const int64_t number : numbers) value_code.push_back(static_cast<int32_t>(number));
    } else {
      value_code.insert(value_code.end(), count, 0);
    }
    if (HasText(of)) {
      for (size_t i = begin; i < end; ++i) value_string.Append(events.text_at(i));
    } else {
      value_string.ends.insert(value_string.ends.end(), count, value_string.ends.back());
    }
  }

  void AppendFlags(Flags flags, size_t count) {
    for (uint8_t flag = 0; flag < 4; ++flag) {
      flag_said[flag].AppendMany(flags.Said(flag), count);
      flag_value[flag].AppendMany(flags.Said(flag) && flags.Value(flag), count);
    }
  }

  void AppendSeries(std::string_view web_id, std::string_view name, std::string_view unit,
                    size_t count) {
    if (web_ids.size() == 0 || Last(web_ids) != web_id || Last(names) != name ||
        Last(unit_words) != unit) {
      web_ids.Append(web_id);
      names.Append(name);
      unit_words.Append(unit);
    }
    const auto index = static_cast<int32_t>(web_ids.size() - 1);
    series.insert(series.end(), count, index);
    units.insert(units.end(), count, index);
    has_units.AppendMany(!unit.empty(), count);
  }

  void AppendTime(int64_t at, int32_t position) {
    ticks.push_back(at);
    micros.push_back(FloorMicros(at));
    ordinal.push_back(position);
  }

  void AppendValuesAndFlags(const Events& events, size_t begin, size_t end) {
    for (size_t i = begin, next = begin; i < end; i = next) {
      next = EndOfRun(events.kind, i, end);
      AppendValues(events.kind[i], events, i, next);
    }
    for (size_t i = begin, next = begin; i < end; i = next) {
      next = EndOfRun(events.flags, i, end);
      AppendFlags(events.flags[i], next - i);
    }
  }

  static std::string_view Last(const TextColumn& column) {
    const auto begin = static_cast<size_t>(column.ends[column.ends.size() - 2]);
    return std::string_view(column.bytes).substr(begin);
  }

  void Point(Place place, const void* data, const Bits* valid = nullptr) {
    const int64_t nulls = valid == nullptr ? 0 : valid->zeros();
    buffers[place] = {nulls == 0 ? nullptr : valid->data(), data, nullptr};
    arrays[place] = {static_cast<int64_t>(ticks.size()),
                     nulls,
                     0,
                     2,
                     0,
                     buffers[place].data(),
                     nullptr,
                     nullptr,
                     ReleaseNothing<ArrowArray>,
                     nullptr};
    pointers[place] = &arrays[place];
  }

  void PointText(Place place, const TextColumn& text, const Bits& valid) {
    Point(place, text.ends.data(), &valid);
    buffers[place][2] = text.bytes.data();
    arrays[place].n_buffers = 3;
  }

  void PointWords(Place place, const std::vector<int32_t>& keys, const TextColumn& text,
                  const Bits* valid = nullptr) {
    Point(place, keys.data(), valid);
    word_buffers[place] = {nullptr, text.ends.data(), text.bytes.data()};
    words[place] = {text.size(), 0,       0,
                    3,           0,       word_buffers[place].data(),
                    nullptr,     nullptr, ReleaseNothing<ArrowArray>,
                    nullptr};
    arrays[place].dictionary = &words[place];
  }
};

RowBlock::RowBlock() : columns_(std::make_unique<Columns>()) {
  Columns& to = *columns_;
  for (auto* column : {&to.series, &to.units, &to.kind, &to.ordinal, &to.value_code}) {
    column->reserve(kRows);
  }
  for (auto* column : {&to.micros, &to.ticks, &to.value_int, &to.ingested}) column->reserve(kRows);
  to.value.reserve(kRows);
  to.value_string.ends.reserve(kRows + 1);
}

RowBlock::~RowBlock() = default;

size_t RowBlock::rows() const {
  return columns_->ticks.size();
}

int32_t RowBlock::Append(const Series& series, const Events& events, size_t begin, size_t end,
                         int32_t first_ordinal, UtcTime ingested) {
  assert(begin < end && end <= events.size() && end - begin <= room());
  Columns& to = *columns_;
  const size_t count = end - begin;
  to.AppendSeries(series.web_id, series.name, series.units, count);
  to.ingested.insert(to.ingested.end(), count, FloorMicros(ingested.ticks));
  int32_t ordinal = first_ordinal;
  for (size_t i = begin; i < end; ++i) {
    if (i > begin) ordinal = events.ticks[i] == events.ticks[i - 1] ? ordinal + 1 : 0;
    to.AppendTime(events.ticks[i], ordinal);
  }
  to.AppendValuesAndFlags(events, begin, end);
  return ordinal;
}

void RowBlock::Append(const Rows& rows, size_t begin, size_t end) {
  assert(begin < end && end <= rows.size() && end - begin <= room());
  Columns& to = *columns_;
  for (size_t i = begin; i < end; ++i) {
    const auto& units = rows.units[i];
    to.AppendSeries(rows.tag_webid[i], rows.tag_name[i], units ? *units : std::string_view(), 1);
    to.ingested.push_back(FloorMicros(rows.ingested[i].ticks));
    to.AppendTime(rows.events.ticks[i], rows.ordinal[i]);
  }
  to.AppendValuesAndFlags(rows.events, begin, end);
}

ArrowArray* RowBlock::Export() {
  Columns& of = *columns_;
  of.PointWords(kTagWebId, of.series, of.web_ids);
  of.PointWords(kTagName, of.series, of.names);
  of.Point(kTimestamp, of.micros.data());
  of.Point(kTicks, of.ticks.data());
  of.Point(kOrdinal, of.ordinal.data());
  of.Point(kValue, of.value.data(), &of.has_value);
  of.Point(kValueInt, of.value_int.data(), &of.has_int);
  of.PointText(kValueString, of.value_string, of.has_string);
  of.Point(kValueCode, of.value_code.data(), &of.has_code);
  of.PointWords(kValueKind, of.kind, of.kind_words);
  for (size_t flag = 0; flag < 4; ++flag) {
    const auto place = static_cast<Place>(kGood + flag);
    of.Point(place, of.flag_value[flag].data(), &of.flag_said[flag]);
  }
  of.PointWords(kUnits, of.units, of.unit_words, &of.has_units);
  of.Point(kIngested, of.ingested.data());
  of.root = {static_cast<int64_t>(rows()),
             0,
             0,
             1,
             kColumnCount,
             of.root_buffers.data(),
             of.pointers.data(),
             nullptr,
             ReleaseNothing<ArrowArray>,
             nullptr};
  return &of.root;
}

void RowBlock::Clear() {
  Columns& of = *columns_;
  for (auto* column : {&of.series, &of.units, &of.kind, &of.ordinal, &of.value_code}) {
    column->clear();
  }
  for (auto* column : {&of.micros, &of.ticks, &of.value_int, &of.ingested}) column->clear();
  of.value.clear();
  for (auto* bits : {&of.has_value, &of.has_int, &of.has_string, &of.has_code, &of.has_units}) {
    bits->Clear();
  }
  for (size_t flag = 0; flag < 4; ++flag) {
    of.flag_said[flag].Clear();
    of.flag_value[flag].Clear();
  }
  for (auto* text : {&of.value_string, &of.web_ids, &of.names, &of.unit_words}) text->Clear();
}

// ---------------------------------------------------------------------------------------------

namespace {

/// Places of columns in a batch that was read.
enum Read {
  kReadWebId,
  kReadName,
  kReadMicros,
  kReadTicks,
  kReadOrdinal,
  kReadValue,
  kReadInt,
  kReadString,
  kReadCode,
  kReadKind,
  kReadGood,
  kReadQuestionable,
  kReadSubstituted,
  kReadAnnotated,
  kReadUnits,
  kReadIngested,
};

Status CheckBatch(const ArrowSchema& schema) {
  if (schema.n_children != static_cast<int64_t>(kReadColumns.size())) {
    return Fail(ErrorKind::kInternal, "rows came with {} columns", schema.n_children);
  }
  for (size_t i = 0; i < kReadColumns.size(); ++i) {
    const ArrowSchema& child = *schema.children[i];
    const auto column = std::find_if(kColumns.begin(), kColumns.end(), [&](const Column& one) {
      return one.name == kReadColumns[i];
    });
    if (child.dictionary != nullptr || child.format != column->type) {
      return Fail(ErrorKind::kInternal, "column {} came as '{}'", column->name, child.format);
    }
  }
  return {};
}

std::optional<ValueKind> KindNamed(std::string_view text) {
  for (size_t i = 0; i < kKinds; ++i) {
    if (Name(static_cast<ValueKind>(i)) == text) return static_cast<ValueKind>(i);
  }
  return std::nullopt;
}

/// One batch of rows that was read, seen as the columns of `kReadColumns`.
class Batch {
 public:
  explicit Batch(const ArrowArray& batch) {
    columns_.reserve(static_cast<size_t>(batch.n_children));
    for (int64_t i = 0; i < batch.n_children; ++i) columns_.emplace_back(batch, i);
  }

  bool Has(Read column, int64_t row) const { return columns_[column].valid(row); }
  std::string_view Text(Read column, int64_t row) const {
    return Has(column, row) ? columns_[column].text(row) : std::string_view();
  }
  template <typename T>
  T Value(Read column, int64_t row, T otherwise = 0) const {
    return Has(column, row) ? columns_[column].value<T>(row) : otherwise;
  }

  Flags FlagsOf(int64_t row) const {
    Flags flags;
    for (uint8_t flag = 0; flag < 4; ++flag) {
      const ColumnView& column = columns_[static_cast<size_t>(kReadGood + flag)];
      if (column.valid(row)) flags.Set(flag, column.bit(row));
    }
    return flags;
  }

  int64_t NumberOf(ValueKind kind, int64_t row) const {
    if (kind == ValueKind::kFloat) return std::bit_cast<int64_t>(Value<double>(kReadValue, row));
    if (kind == ValueKind::kInt) return Value<int64_t>(kReadInt, row);
    return HasCode(kind) ? Value<int32_t>(kReadCode, row) : 0;
  }

  /// True if `RowBlock` would write the row as it stands.
  bool IsOurs(ValueKind kind, int64_t row) const {
    const bool is_keyed = Has(kReadWebId, row) && Has(kReadName, row) && Has(kReadTicks, row) &&
                          Has(kReadOrdinal, row) && Has(kReadIngested, row);
    const bool has_time = Has(kReadMicros, row) && Value<int64_t>(kReadMicros, row) ==
                                                       FloorMicros(Value<int64_t>(kReadTicks, row));
    const bool has_its_values = Has(kReadValue, row) == HasNumber(kind) &&
                                Has(kReadInt, row) == (kind == ValueKind::kInt) &&
                                Has(kReadCode, row) == HasCode(kind) &&
                                Has(kReadString, row) == HasText(kind);
    const bool is_one_number =
        kind != ValueKind::kInt ||
        Value<double>(kReadValue, row) == static_cast<double>(Value<int64_t>(kReadInt, row));
    const bool has_units = !Has(kReadUnits, row) || !Text(kReadUnits, row).empty();
    return is_keyed && has_time && has_its_values && is_one_number && has_units;
  }

 private:
  std::vector<ColumnView> columns_;
};

}  // namespace

Status AppendBatch(const ArrowArray& array, const ArrowSchema& schema, const RowFilter& filter,
                   Rows& rows) {
  RETURN_IF_ERROR(CheckBatch(schema));
  const Batch batch(array);
  for (int64_t row = 0; row < array.length; ++row) {
    const std::string_view web_id = batch.Text(kReadWebId, row);
    const UtcTime time{batch.Value<int64_t>(kReadTicks, row, kNoTime.ticks)};
    if (filter.web_ids && !filter.web_ids->contains(web_id)) continue;
    if (filter.range && !filter.range->contains(time)) continue;

    const auto known = KindNamed(batch.Text(kReadKind, row));
    const ValueKind kind = known.value_or(ValueKind::kError);
    rows.events.Append(time, kind, batch.NumberOf(kind, row), batch.Text(kReadString, row),
                       batch.FlagsOf(row));
    rows.tag_webid.emplace_back(web_id);
    rows.tag_name.emplace_back(batch.Text(kReadName, row));
    rows.ordinal.push_back(batch.Value<int32_t>(kReadOrdinal, row));
    rows.value.push_back(batch.Has(kReadValue, row)
                             ? std::optional(batch.Value<double>(kReadValue, row))
                             : std::nullopt);
    rows.units.push_back(batch.Has(kReadUnits, row)
                             ? std::optional(std::string(batch.Text(kReadUnits, row)))
                             : std::nullopt);
    rows.ingested.push_back({batch.Value<int64_t>(kReadIngested, row) * 10});
    rows.is_ours.push_back(known && batch.IsOurs(kind, row));
  }
  return {};
}

namespace {

/// `rows` with only the rows `order` names, in its order.
Rows Pick(Rows& rows, const std::vector<size_t>& order) {
  Rows picked;
  picked.events.Reserve(order.size());
  for (const size_t i : order) {
    picked.tag_webid.push_back(std::move(rows.tag_webid[i]));
    picked.tag_name.push_back(std::move(rows.tag_name[i]));
    picked.events.Append(rows.events, i, i + 1);
    picked.ordinal.push_back(rows.ordinal[i]);
    picked.value.push_back(rows.value[i]);
    picked.units.push_back(std::move(rows.units[i]));
    picked.ingested.push_back(rows.ingested[i]);
    picked.is_ours.push_back(rows.is_ours[i]);
  }
  return picked;
}

std::vector<size_t> FirstIndexes(size_t count) {
  std::vector<size_t> indexes(count);
  for (size_t i = 0; i < count; ++i) indexes[i] = i;
  return indexes;
}

}  // namespace

void Append(Rows& rows, const Rows& more) {
  const auto append = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(rows.tag_webid, more.tag_webid);
  append(rows.tag_name, more.tag_name);
  rows.events.Append(more.events, 0, more.size());
  append(rows.ordinal, more.ordinal);
  append(rows.value, more.value);
  append(rows.units, more.units);
  append(rows.ingested, more.ingested);
  append(rows.is_ours, more.is_ours);
}

void SortByKey(Rows& rows) {
  std::vector<size_t> order = FirstIndexes(rows.size());
  std::sort(order.begin(), order.end(), [&rows](size_t a, size_t b) {
    if (const int by_id = rows.tag_webid[a].compare(rows.tag_webid[b]); by_id != 0)
      return by_id < 0;
    if (rows.events.ticks[a] != rows.events.ticks[b]) {
      return rows.events.ticks[a] < rows.events.ticks[b];
    }
    return rows.ordinal[a] < rows.ordinal[b];
  });
  rows = Pick(rows, order);
}

void Truncate(Rows& rows, size_t count) {
  if (rows.size() > count) rows = Pick(rows, FirstIndexes(count));
}

}  // namespace pilake::delta
