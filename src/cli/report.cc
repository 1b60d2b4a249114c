// SPDX-License-Identifier: Apache-2.0
#include "cli/report.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/json.h"
#include "cli/progress_bar.h"

namespace pilake::cli {
namespace {

constexpr size_t kNamedMax = 20;

/// The first of a list, each with its tag and what `what` says of it.
template <typename One>
void AddList(std::string& text, std::string_view title, const std::vector<One>& list,
             std::string One::* what) {
  if (list.empty()) return;
  text += fmt::format("{}: {}\n", title, list.size());
  for (size_t i = 0; i < std::min(list.size(), kNamedMax); ++i) {
    text += fmt::format("  {}: {}\n", list[i].tag, list[i].*what);
  }
  if (list.size() > kNamedMax) {
    text += fmt::format("  … and {} more (all of them with --json)\n", list.size() - kNamedMax);
  }
}

void AddLeftOut(std::string& text, std::string_view title,
                const std::vector<pipeline::LeftOut>& series) {
  AddList(text, title, series, &pipeline::LeftOut::reason);
}

template <typename LeftOut>
std::string TagsAndReasons(const std::vector<LeftOut>& series) {
  return JsonArray(series, [](const LeftOut& one) {
    return JsonObject().Add("tag", one.tag).Add("reason", one.reason).Text();
  });
}

std::string ToJson(const std::vector<pipeline::PointChange>& changes) {
  return JsonArray(changes, [](const pipeline::PointChange& one) {
    return JsonObject().Add("tag", one.tag).Add("what", one.what).Text();
  });
}

void AddPoints(std::string& text, const pipeline::DimensionReport& points) {
  if (points.points_added > 0) {
    text += fmt::format("{} selected since the last run\n", Counted(points.points_added, "point"));
  }
  AddList(text, "points that changed", points.changed, &pipeline::PointChange::what);
  AddList(text, "gone, their rows stay", points.vanished, &pipeline::Unresolved::reason);
  for (const std::string& note : points.notes) text += note + "\n";
}

std::vector<std::string> AllNotes(const pipeline::PullReport& report) {
  std::vector<std::string> notes = report.points.notes;
  notes.insert(notes.end(), report.notes.begin(), report.notes.end());
  return notes;
}

}  // namespace

std::string Describe(const pipeline::PullReport& report, const pipeline::Progress& progress) {
  const double seconds = std::max(report.took.seconds(), 1e-3);
  std::string text = fmt::format(
      "{} rows of {} series in {} ({} rows/s), {} in {} ({:.1f} bytes a row)\n"
      "{} calls, {} series reads, {} events and {} over the wire, {} retries\n"
      "table version {}, final as of {}\n",
      Grouped(report.rows), Grouped(report.series), DescribeDuration(report.took),
      Grouped(static_cast<int64_t>(static_cast<double>(report.rows) / seconds)),
      DescribeBytes(report.bytes), Counted(report.files, "file"),
      report.rows > 0 ? static_cast<double>(report.bytes) / static_cast<double>(report.rows) : 0.0,
      Grouped(progress.calls), Grouped(progress.series_reads), Grouped(progress.events),
      DescribeBytes(progress.wire_bytes), progress.retries.load(), report.version,
      FormatUtcTime(report.now));
  if (report.looks > 0) {
    text += fmt::format(
        "{} stretches looked at again ({} series reads, {} events): {} rows added, {} changed, {} "
        "deleted\n",
        Grouped(report.looks), Grouped(report.look_reads), Grouped(report.look_events),
        Grouped(report.rows_added_late), Grouped(report.rows_changed),
        Grouped(report.rows_deleted));
  }
  if (report.series_without_final_rows > 0) {
    text += fmt::format("{} series have fewer than two events: nothing of them is final yet\n",
                        report.series_without_final_rows);
  }
  AddLeftOut(text, "held, because the last covered row did not come back as it was", report.held);
  AddLeftOut(text, "rows that the archive does not show any more are kept", report.gone);
  AddLeftOut(text, "left out, because they cannot be read", report.quarantined);
  AddLeftOut(text, "named in the configuration but not given by the source", report.unresolved);
  AddPoints(text, report.points);
  for (const std::string& note : report.notes) text += note + "\n";
  return text;
}

std::string Beside(const pipeline::Forecast& forecast, const pipeline::PullReport& report,
                   const pipeline::Progress& progress) {
  const auto line = [](std::string_view what, double said, int64_t came) {
    const double off = said > 0 ? (static_cast<double>(came) / said - 1) * 100 : 0;
    return fmt::format("  {:<14} {:>15} {:>15} {:>+7.0f} %\n", what,
                       Grouped(static_cast<int64_t>(said)), Grouped(came), off);
  };
  return fmt::format("{:<16} {:>15} {:>15}\n", "the forecast", "said", "came") +
         line("rows", forecast.total.rows, report.rows) +
         line("archive reads", forecast.total.series_reads, progress.series_reads) +
         line("calls", forecast.total.calls, progress.calls) +
         line("events read", forecast.total.events, progress.events);
}

std::string ToJson(const std::vector<pipeline::LeftOut>& series) {
  return TagsAndReasons(series);
}

std::string ToJson(const pipeline::PullReport& report, const pipeline::Progress& progress) {
  return JsonObject()
      .Add("rows", report.rows)
      .Add("series", report.series)
      .Add("series_changed", report.series_changed)
      .Add("series_without_final_rows", report.series_without_final_rows)
      .Add("files", report.files)
      .Add("bytes", report.bytes)
      .Add("commits", report.commits)
      .Add("version", report.version)
      .Add("now", FormatUtcTime(report.now))
      .Add("seconds", report.took.seconds())
      .Add("calls", progress.calls.load())
      .Add("series_reads", progress.series_reads.load())
      .Add("events_read", progress.events.load())
      .Add("wire_bytes", progress.wire_bytes.load())
      .Add("retries", progress.retries.load())
      .Add("looks", report.looks)
      .Add("look_reads", report.look_reads)
      .Add("look_events", report.look_events)
      .Add("rows_added_late", report.rows_added_late)
      .Add("rows_changed", report.rows_changed)
      .Add("rows_deleted", report.rows_deleted)
      .Raw("held", ToJson(report.held))
      .Raw("gone", ToJson(report.gone))
      .Raw("quarantined", ToJson(report.quarantined))
      .Raw("unresolved", TagsAndReasons(report.unresolved))
      .Raw("vanished", TagsAndReasons(report.points.vanished))
      .Add("points_added", report.points.points_added)
      .Raw("points_changed", ToJson(report.points.changed))
      .Raw("notes", JsonArray(AllNotes(report), JsonText))
      .Text();
}

}  // namespace pilake::cli
