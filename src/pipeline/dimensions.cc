// SPDX-License-Identifier: Apache-2.0
#include "pipeline/dimensions.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "decode/catalog.h"
#include "delta/small_table.h"
#include "pi/request.h"
#include "plan/dimensions.h"
#include "plan/name_mask.h"

// Points, in short:
//
//   until the table says what is so:
//     absent = rows of points that are selected and not listed
//     ask for them by WebID: renamed out of the masks, overlooked by the list, or gone
//     most of them gone? stop
//     new rows = what differs from the newest row of each point
//     replace the table's rows by the old ones, ended where a new one begins, and the new ones
//       (another run was first? look at its rows, and again)

namespace pilake::pipeline {
namespace {

// How often another run may be first before we give up.
constexpr int kAttemptsMax = 20;

constexpr size_t kPartsMax = 100;  // of a batch, and points of one call

// ---- Rows of both tables, cell by cell

enum PointColumn : size_t {
  kWebId,
  kServer,
  kTagName,
  kPath,
  kDescriptor,
  kPointType,
  kUnits,
  kDigitalSet,
  kZero,
  kSpan,
  kStep,
  kFuture,
  kState,
  kReason,
  kPointFrom,
  kPointTo,
  kPointNoticed,
};

delta::SmallLayout PointLayout() {
  using enum delta::CellType;
  return {.columns = {{"tag_webid", kText, "as in the table of events"},
                      {"server", kText},
                      {"tag_name", kText},
                      {"path", kText},
                      {"descriptor", kText},
                      {"point_type", kText},
                      {"units", kText},
                      {"digital_set", kText},
                      {"zero", kDouble},
                      {"span", kDouble},
                      {"step", kBool},
                      {"future", kBool},
                      {"state", kText},
                      {"reason", kText},
                      {"valid_from", kTime, "since when the row is so"},
                      {"valid_to", kTime, "until when; null: it still is"},
                      {"noticed", kTime, "when pilake saw it"}},
          .clustered_by = {"tag_webid"}};
}

Result<plan::PointRow> ReadPoint(const delta::RowView& row) {
  const auto state = plan::ParsePointState(row.text(kState));
  if (!state) {
    return Fail(ErrorKind::kMalformed, "'{}' is no state of a point", row.text(kState));
  }
  plan::PointRow point;
  point.point = {.web_id = std::string(row.text(kWebId)),
                 .name = std::string(row.text(kTagName)),
                 .path = std::string(row.text(kPath)),
                 .units = std::string(row.text(kUnits)),
                 .descriptor = std::string(row.text(kDescriptor)),
                 .digital_set = std::string(row.text(kDigitalSet)),
                 .type = ParsePointType(row.text(kPointType)),
                 .type_name = std::string(row.text(kPointType)),
                 .zero = row.number(kZero),
                 .span = row.number(kSpan),
                 .step = row.truth(kStep),
                 .future = row.truth(kFuture)};
  point.state = *state;
  point.reason = row.text(kReason);
  point.dated = {.valid_from = row.time(kPointFrom).value_or(UtcTime{}),
                 .valid_to = row.time(kPointTo),
                 .noticed = row.time(kPointNoticed).value_or(UtcTime{})};
  return point;
}

Status Append(delta::RowAppender& rows, const plan::PointRow& row) {
  const Series& point = row.point;
  return rows.Text(point.web_id)
      .Text(plan::ServerOf(point.path))
      .Text(point.name)
      .Text(point.path)
      .Text(point.descriptor)
      .Text(point.type_name)
      .Text(point.units)
      .Text(point.digital_set)
      .Double(point.zero)
      .Double(point.span)
      .Bool(point.step)
      .Bool(point.future)
      .Text(Name(row.state))
      .Text(row.reason)
      .Time(row.dated.valid_from)
      .Time(row.dated.valid_to)
      .Time(row.dated.noticed)
      .EndRow();
}

enum StateColumn : size_t { kStateServer, kSet, kCode, kName, kStateFrom, kStateTo, kStateNoticed };

delta::SmallLayout StateLayout() {
  using enum delta::CellType;
  return {.columns = {{"server", kText},
                      {"digital_set", kText},
                      {"code", kInt},
                      {"name", kText},
                      {"valid_from", kTime, "since when the row is so"},
                      {"valid_to", kTime, "until when; null: it still is"},
                      {"noticed", kTime, "when pilake saw it"}},
          .clustered_by = {"digital_set"}};
}

plan::StateRow ReadState(const delta::RowView& row) {
  return {.server = std::string(row.text(kStateServer)),
          .digital_set = std::string(row.text(kSet)),
          .code = row.integer(kCode),
          .name = std::string(row.text(kName)),
          .dated = {.valid_from = row.time(kStateFrom).value_or(UtcTime{}),
                    .valid_to = row.time(kStateTo),
                    .noticed = row.time(kStateNoticed).value_or(UtcTime{})}};
}

Status Append(delta::RowAppender& rows, const plan::StateRow& row) {
  return rows.Text(row.server)
      .Text(row.digital_set)
      .Int(row.code)
      .Text(row.name)
      .Time(row.dated.valid_from)
      .Time(row.dated.valid_to)
      .Time(row.dated.noticed)
      .EndRow();
}

/// Brings a table up to date: `change` looks at it and tells how its rows become others (nothing:
/// they stay). Another's version in between is looked at before the next try.
using Filling = std::function<Status(delta::RowAppender& rows)>;
Status Bring(delta::SmallTable& table,
             const std::function<Result<std::optional<Filling>>()>& change) {
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(const auto filling, change());
    if (!filling) return {};
    Status replaced = table.Replace(*filling);
    if (replaced) return {};
    if (!MayCommitAgain(replaced.error().kind) || attempt == kAttemptsMax) return replaced;
    RETURN_IF_ERROR(table.Refresh());
  }
}

bool NamesSelection(const std::vector<TagSelection>& tags, const Series& point) {
  return std::ranges::any_of(
      tags, [&](const TagSelection& selection) { return Selects(selection, point); });
}

// ---- Points

class Points {
 public:
  Points(Source& source, delta::SmallTable& table, const DimensionOptions& options,
         const std::vector<TagSelection>& tags, UtcTime at, Resolved& resolved,
         DimensionReport& report)
      : source_(source),
        table_(table),
        options_(options),
        tags_(tags),
        at_(at),
        resolved_(resolved),
        report_(report) {}

  Status Keep() {
    return Bring(table_, [this] { return Change(); });
  }

 private:
  Result<std::optional<Filling>> Change() {
    ASSIGN_OR_RETURN(const std::vector<Series> absent, Absent());
    RETURN_IF_ERROR(AskFor(absent));
    RETURN_IF_ERROR(StopIfMostAreGone());
    ASSIGN_OR_RETURN(const bool has_changed, Compare());
    if (!has_changed) return std::nullopt;
    if (!shown_anew_.empty() && options_.on_shown_anew)
      RETURN_IF_ERROR(options_.on_shown_anew(shown_anew_));
    return [this](delta::RowAppender& rows) { return Fill(rows); };
  }

  /// Shows the newest row of each point, or all of them.
  Status Visit(bool all, const std::function<Status(plan::PointRow row)>& visit) const {
    return table_.Visit([&](const delta::RowView& view) -> Status {
      ASSIGN_OR_RETURN(plan::PointRow row, ReadPoint(view));
      if (!all && row.dated.valid_to) return {};
      return visit(std::move(row));
    });
  }

  const Series* Listed(const std::string& web_id) const {
    const auto i = FindSeries(resolved_.series, web_id);
    return i ? &resolved_.series[*i] : nullptr;
  }

  /// Points that the configuration selects by what the table knows of them, and that neither the
  /// list nor an answer by WebID spoke of yet. Those retired are not missed.
  Result<std::vector<Series>> Absent() {
    std::vector<Series> absent;
    listed_before_ = 0;
    RETURN_IF_ERROR(Visit(false, [&](plan::PointRow row) -> Status {
      const bool was_listed = row.state == plan::PointState::kListed;
      if (Listed(row.point.web_id) != nullptr) {
        listed_before_ += was_listed ? 1 : 0;
        return {};
      }
      if (row.state == plan::PointState::kRetired || !NamesSelection(tags_, row.point)) return {};
      listed_before_ += was_listed ? 1 : 0;
      if (was_listed) missed_.insert(row.point.web_id);
      if (!asked_.contains(row.point.web_id)) absent.push_back(std::move(row.point));
      return {};
    }));
    return absent;
  }

  Status AskFor(const std::vector<Series>& absent) {
    std::vector<std::string_view> web_ids;
    for (const Series& point : absent) web_ids.push_back(point.web_id);
    for (std::span<const std::string_view> rest(web_ids); !rest.empty();) {
      const auto some = rest.first(std::min(kPartsMax, pi::WebIdsThatFit(source_.url(), rest)));
      rest = rest.subspan(some.size());
      RETURN_IF_ERROR(AskForSome(some));
    }
    std::set<std::string> taken;  // paths of the points that are there
    if (!absent.empty()) {
      for (const Series& series : resolved_.series) taken.insert(plan::FoldedName(series.path));
    }
    for (const Series& point : absent) {
      asked_.at(point.web_id).is_replaced = taken.contains(plan::FoldedName(point.path));
    }
    return {};
  }

  Status AskForSome(std::span<const std::string_view> web_ids) {
    auto answer = source_.Ask(pi::BuildPointsMultiple(web_ids), decode::DecodePointsMultiple);
    if (!answer) {
      const ErrorKind kind = answer.error().kind;
      const bool speaks_of_points = kind == ErrorKind::kNotFound || kind == ErrorKind::kInvalid;
      if (!speaks_of_points) return tl::unexpected(std::move(answer).error());
      for (const std::string_view web_id : web_ids) {
        asked_.emplace(web_id, Asked{.point = {}, .reason = answer.error().message});
      }
      return {};
    }
    for (const std::string_view web_id : web_ids) {
      asked_.emplace(web_id, Asked{.point = {}, .reason = "no answer names it"});
    }
    for (decode::AskedPoint& told : *answer) {
      const auto asked = asked_.find(told.identifier);
      if (asked == asked_.end()) continue;
      asked->second.reason = std::move(told.exception);
      if (!told.point) continue;
      told.point->series.web_id = asked->first;
      if (NamesSelection(tags_, told.point->series)) {
        Join(std::move(told.point->series));
      } else {
        asked->second.point = std::move(told.point->series);
      }
    }
    return {};
  }

  /// The list lacked it (points that appear or vanish meanwhile shift its pages).
  void Join(Series point) {
    const auto place =
        std::ranges::lower_bound(resolved_.series, point.web_id, {}, &Series::web_id);
    if (place != resolved_.series.end() && place->web_id == point.web_id) return;
    resolved_.series.insert(place, std::move(point));
  }

  bool IsGone(const std::string& web_id) const {
    const auto asked = asked_.find(web_id);
    return asked != asked_.end() && !asked->second.point && Listed(web_id) == nullptr;
  }

  Status StopIfMostAreGone() {
    std::vector<std::string> gone;
    std::ranges::copy_if(missed_, std::back_inserter(gone),
                         [this](const std::string& web_id) { return IsGone(web_id); });
    if (options_.accept_vanished || !plan::IsMassVanishing(gone.size(), listed_before_)) return {};
    const auto user = source_.Ask(pi::BuildUserInfo(), decode::DecodeUserInfo);
    const std::string name = !user                ? "unknown (" + user.error().message + ")"
                             : user->name.empty() ? "nobody"
                                                  : "'" + user->name + "'";
    return Fail(ErrorKind::kInvalid,
                "{} of {} points that were selected before are not shown to us any more, for "
                "example {} ({}). To the source we are {}: have the PI administrator look whether "
                "its rights were taken away, or whether another archive answers. Nothing was "
                "changed; if the points are gone for good, run once with --accept-vanished",
                gone.size(), listed_before_, gone.front(), asked_.at(gone.front()).reason, name);
  }

  /// What follows the newest row of a point, if anything does.
  std::optional<plan::PointRow> SuccessorOf(const plan::PointRow& row) const {
    if (row.dated.valid_to) return std::nullopt;
    if (const Series* listed = Listed(row.point.web_id)) {
      return plan::Successor(&row, {.point = *listed}, at_);
    }
    const auto asked = asked_.find(row.point.web_id);
    if (asked == asked_.end()) return std::nullopt;
    if (asked->second.point) return plan::Successor(&row, {.point = *asked->second.point}, at_);
    const auto& [point, reason, is_replaced] = asked->second;
    return plan::Successor(&row, plan::Gone(row, reason, is_replaced, at_), at_);
  }

  /// Fills in what changed; true if anything did.
  Result<bool> Compare() {
    is_known_.assign(resolved_.series.size(), false);
    report_.changed.clear();
    report_.vanished.clear();
    shown_anew_.clear();
    bool was_empty = true;
    RETURN_IF_ERROR(Visit(false, [&](plan::PointRow row) -> Status {
      was_empty = false;
      if (const Series* listed = Listed(row.point.web_id)) {
        is_known_[static_cast<size_t>(listed - resolved_.series.data())] = true;
      }
      const auto next = SuccessorOf(row);
      if (next) report_.changed.push_back({row.point.path, plan::DescribeChange(row, *next)});
      if (next && plan::ShowsValuesAnew(row, *next)) shown_anew_.insert(row.point.web_id);
      NameIfLeftOut(row, next);
      return {};
    }));
    const auto added = std::ranges::count(is_known_, false);
    report_.points_added = was_empty ? 0 : added;
    return added > 0 || !report_.changed.empty();
  }

  Status Fill(delta::RowAppender& rows) const {
    const auto carry_over = [&](plan::PointRow row) -> Status {
      const auto next = SuccessorOf(row);
      if (next) row.dated.valid_to = next->dated.valid_from;
      RETURN_IF_ERROR(Append(rows, row));
      return next ? Append(rows, *next) : Status();
    };
    RETURN_IF_ERROR(Visit(true, carry_over));
    for (size_t i = 0; i < resolved_.series.size(); ++i) {
      if (is_known_[i]) continue;
      RETURN_IF_ERROR(Append(rows, *plan::Successor(nullptr, {.point = resolved_.series[i]}, at_)));
    }
    return {};
  }

  /// What the run must leave out, unless the configuration names it and it was missed there.
  void NameIfLeftOut(const plan::PointRow& before, const std::optional<plan::PointRow>& next) {
    const auto asked = asked_.find(before.point.web_id);
    if (asked == asked_.end() || Listed(before.point.web_id) != nullptr) return;
    const bool is_named = std::ranges::any_of(resolved_.unresolved, [&](const Unresolved& one) {
      return plan::SameName(one.tag, before.point.name) || one.tag == before.point.web_id;
    });
    if (is_named) return;
    if (asked->second.point) {
      report_.vanished.push_back(
          {before.point.path,
           fmt::format("is '{}' now, which the tags do not select", asked->second.point->path)});
    } else if ((next ? *next : before).state == plan::PointState::kVanished) {
      report_.vanished.push_back(
          {before.point.path, "is not shown to us any more: " + asked->second.reason});
    }
  }

  struct Asked {
    std::optional<Series> point;  ///< it is there, but not selected any more
    std::string reason;           ///< why it is not there
    bool is_replaced = false;     ///< another point of its server has its name now
  };

  Source& source_;
  delta::SmallTable& table_;
  const DimensionOptions& options_;
  const std::vector<TagSelection>& tags_;
  UtcTime at_;
  Resolved& resolved_;
  DimensionReport& report_;

  std::map<std::string, Asked, std::less<>> asked_;  // by WebID
  std::set<std::string> missed_;  // WebIDs of points that were listed and are not
  size_t listed_before_ = 0;
  std::vector<bool> is_known_;        // by series
  std::set<std::string> shown_anew_;  // WebIDs of points whose events are shown otherwise now
};

// ---- Digital states

/// The digital sets that the series of a server speak of, and the set of system states.
std::set<std::string> SetsOf(const std::vector<Series>& all, const std::string& server) {
  std::set<std::string> sets;
  for (const Series& series : all) {
    if (plan::ServerOf(series.path) != server) continue;
    sets.insert("System");
    if (!series.digital_set.empty()) sets.insert(series.digital_set);
  }
  return sets;
}

/// Asks for those sets of a server; what cannot be read is noted.
Status AskForSets(Source& source, const decode::DataServer& server,
                  const std::set<std::string>& wanted, std::vector<plan::ShownSet>& shown,
                  std::vector<std::string>& notes) {
  ASSIGN_OR_RETURN(auto sets, source.Ask(pi::BuildEnumerationSets(server.web_id),
                                         decode::DecodeEnumerationSets));
  std::erase_if(sets, [&](const auto& set) { return !wanted.contains(set.name); });
  for (std::span<const decode::EnumerationSet> rest(sets); !rest.empty();) {
    const auto some = rest.first(std::min(kPartsMax, rest.size()));
    rest = rest.subspan(some.size());
    std::vector<std::string_view> web_ids;
    for (const decode::EnumerationSet& set : some) web_ids.push_back(set.web_id);
    ASSIGN_OR_RETURN(const auto parts, source.Ask(pi::BuildEnumerationBatch(source.url(), web_ids),
                                                  decode::DecodeEnumerationBatch));
    for (size_t i = 0; i < some.size(); ++i) {
      const auto part = parts.find(std::to_string(i));
      if (part == parts.end() || !part->second) {
        notes.push_back(fmt::format(
            "the states of digital set '{}' could not be read: {}", some[i].name,
            part == parts.end() ? "no answer to this part" : part->second.error().message));
        continue;
      }
      plan::ShownSet& set = shown.emplace_back();
      set.server = server.name;
      set.digital_set = some[i].name;
      for (const decode::EnumerationValue& state : *part->second) {
        set.states.emplace(static_cast<int32_t>(state.value), state.name);
      }
    }
  }
  return {};
}

/// Whether reading may go on although this failed.
bool IsOfThisAlone(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kNotFound:
    case ErrorKind::kInvalid:
    case ErrorKind::kMalformed:
    case ErrorKind::kAuth:
      return true;
    default:
      return false;
  }
}

Result<std::vector<plan::StateRow>> AllStates(const delta::SmallTable& table) {
  std::vector<plan::StateRow> rows;
  RETURN_IF_ERROR(table.Visit([&](const delta::RowView& row) -> Status {
    rows.push_back(ReadState(row));
    return {};
  }));
  return rows;
}

/// The series whose states are of those sets.
std::set<std::string> WithSets(const Resolved& resolved,
                               const std::set<std::pair<std::string, std::string>>& sets) {
  std::set<std::string> web_ids;
  for (const Series& series : resolved.series) {
    if (sets.contains({std::string(plan::ServerOf(series.path)), series.digital_set}))
      web_ids.insert(series.web_id);
  }
  return web_ids;
}

Status KeepStates(Source& source, delta::SmallTable& table, const DimensionOptions& options,
                  UtcTime at, const Resolved& resolved, std::vector<std::string>& notes) {
  ASSIGN_OR_RETURN(const auto shown,
                   AskForStates(source, resolved.servers, resolved.series, notes));
  std::vector<plan::StateRow> rows;
  return Bring(table, [&]() -> Result<std::optional<Filling>> {
    ASSIGN_OR_RETURN(rows, AllStates(table));
    const auto shown_anew = WithSets(resolved, plan::RelabelledSets(rows, shown));
    if (!shown_anew.empty() && options.on_shown_anew)
      RETURN_IF_ERROR(options.on_shown_anew(shown_anew));
    if (!plan::UpdateStates(rows, shown, at)) return std::nullopt;
    return [&rows](delta::RowAppender& appender) -> Status {
      for (const plan::StateRow& row : rows) RETURN_IF_ERROR(Append(appender, row));
      return {};
    };
  });
}

}  // namespace

Result<std::vector<plan::ShownSet>> AskForStates(Source& source,
                                                 const std::vector<decode::DataServer>& servers,
                                                 const std::vector<Series>& series,
                                                 std::vector<std::string>& notes) {
  std::vector<plan::ShownSet> shown;
  for (const decode::DataServer& server : servers) {
    const std::set<std::string> wanted = SetsOf(series, server.name);
    if (wanted.empty()) continue;
    const Status asked = AskForSets(source, server, wanted, shown, notes);
    if (asked) continue;
    if (!IsOfThisAlone(asked.error())) return tl::unexpected(asked.error());
    notes.push_back(fmt::format("the digital states of {} could not be read: {}", server.name,
                                asked.error().message));
  }
  return shown;
}

Result<DimensionUrls> DimensionsBeside(const std::string& table_url) {
  std::string_view url(table_url);
  while (url.ends_with('/')) url.remove_suffix(1);
  const size_t authority = url.find("://");
  const size_t folder_end = url.rfind(url.starts_with("uc://") ? '.' : '/');
  const bool has_folder = folder_end != std::string_view::npos && folder_end + 1 < url.size() &&
                          (authority == std::string_view::npos || folder_end > authority + 2);
  if (!has_folder) {
    return Fail(
        ErrorKind::kInvalid,
        "table.path: '{}' has no folder around it, in which the tables of points and digital "
        "states could stand; write it as …/lake/pi_timeseries",
        table_url);
  }
  const std::string_view name = url.substr(folder_end + 1);
  const std::string prefix = std::string(url.substr(0, folder_end + 1)) +
                             (name == "pi_timeseries" ? "pi" : std::string(name)) + "_";
  return DimensionUrls{.points = prefix + "points", .digital_states = prefix + "digital_states"};
}

Result<DimensionReport> KeepDimensions(Source& source, const DimensionOptions& options,
                                       const std::vector<TagSelection>& tags, UtcTime at,
                                       Resolved& resolved) {
  at = UtcTime{at.ticks - at.ticks % 10};  // as the tables keep it
  DimensionReport report;
  ASSIGN_OR_RETURN(const auto points, delta::SmallTable::OpenOrCreate(
                                          options.urls.points, options.store, PointLayout()));
  RETURN_IF_ERROR(Points(source, *points, options, tags, at, resolved, report).Keep());
  ASSIGN_OR_RETURN(
      const auto states,
      delta::SmallTable::OpenOrCreate(options.urls.digital_states, options.store, StateLayout()));
  RETURN_IF_ERROR(KeepStates(source, *states, options, at, resolved, report.notes));
  return report;
}

Result<std::vector<plan::PointRow>> ReadPoints(const std::string& url,
                                               const delta::StoreOptions& store) {
  ASSIGN_OR_RETURN(const auto table, delta::SmallTable::Open(url, store, PointLayout()));
  std::vector<plan::PointRow> rows;
  const auto keep = [&](const delta::RowView& view) -> Status {
    ASSIGN_OR_RETURN(rows.emplace_back(), ReadPoint(view));
    return {};
  };
  RETURN_IF_ERROR(table->Visit(keep));
  return rows;
}

Result<std::vector<plan::StateRow>> ReadDigitalStates(const std::string& url,
                                                      const delta::StoreOptions& store) {
  ASSIGN_OR_RETURN(const auto table, delta::SmallTable::Open(url, store, StateLayout()));
  return AllStates(*table);
}

}  // namespace pilake::pipeline
