// SPDX-License-Identifier: Apache-2.0
#include "cli/stream_page.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <optional>

#include <fmt/format.h>

#include "ops/metrics.h"

namespace pilake::cli {
namespace {

// A pass ends, well or not, at least so often; a watchdog that waits longer is no use.
constexpr Duration kSignOfLife = Duration::Minutes(30);

/// How long ago that was; nothing if it never was.
std::optional<double> Ago(int64_t ticks, UtcTime now) {
  if (ticks == 0) return std::nullopt;
  return std::max(0.0, (now - UtcTime{ticks}).seconds());
}

int64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

ops::Health Alive(const StreamFigures& figures) {
  const UtcTime last = std::max(figures.started, UtcTime{figures.state.alive_at});
  const Duration silent = SystemClock().Now() - last;
  const Duration silent_max = std::max(kSignOfLife, figures.settle_every * 3);
  if (silent <= silent_max) return {true, "alive"};
  return {false, fmt::format("no pass has ended for {}", DescribeDuration(silent))};
}

ops::Health Ready(const StreamFigures& figures) {
  if (figures.state.is_in_trouble) return {false, "in trouble: the last pass failed, see the log"};
  if (!figures.state.is_caught_up) return {false, "catching up"};
  return {true, "caught up"};
}

}  // namespace

std::string StreamMetrics(const StreamFigures& figures) {
  const pipeline::StreamState& state = figures.state;
  const pipeline::Progress& progress = figures.progress;
  const UtcTime now = figures.clock.Now();
  using enum ops::MetricsText::Type;
  const auto number = [](const auto& value) { return static_cast<double>(value.load()); };
  // Of the archive, and to hear of new events.
  using pipeline::Progress;
  const auto asked = [&](std::atomic<int64_t> Progress::* what) {
    return number(progress.*what) + number(state.hearing.*what);
  };
  ops::MetricsText text;
  text.Family("pilake_build_info", kGauge, "The version, as a label")
      .Sample(1, "version", PILAKE_VERSION);
  text.Gauge("pilake_caught_up", "1 while the table is up to date", state.is_caught_up ? 1 : 0);
  text.Gauge("pilake_in_trouble", "1 while the last pass failed", state.is_in_trouble ? 1 : 0);
  if (const auto ago = Ago(state.newest_heard, now))
    text.Gauge("pilake_lag_seconds", "Age of the newest event that was shown before it was settled",
               *ago);
  if (const auto ago = Ago(state.settled_at, now))
    text.Gauge("pilake_settled_lag_seconds", "Since the archive was read to its end", *ago);
  text.Family("pilake_series", kGauge, "Series by the way in which they are heard of at present")
      .Sample(number(state.series_by_channel), "way", "channel")
      .Sample(number(state.series_by_updates), "way", "updates")
      .Sample(number(state.series_by_sweep), "way", "sweep");
  text.Gauge("pilake_series_selected", "Series that the configuration selects",
             number(state.series));
  text.Family("pilake_series_left_out", kGauge,
              "Series that wait for a person, or for a better time")
      .Sample(number(state.series_held), "why", "held")
      .Sample(number(state.series_quarantined), "why", "quarantined")
      .Sample(number(state.series_unresolved), "why", "unresolved");
  text.Gauge("pilake_series_silent", "Series that are silent out of character, or in an outage",
             number(state.series_silent));
  text.Gauge("pilake_channels_open", "WebSockets that are open", number(state.channels_open));
  text.Gauge("pilake_channels_wanted", "WebSockets that should be", number(state.channels_wanted));
  text.Counter("pilake_channels_lost_total", "WebSockets that ended unasked",
               number(state.channels_lost));
  text.Gauge("pilake_queue_messages", "Messages of channels that wait to be read",
             number(state.messages_queued));
  text.Gauge("pilake_queue_bytes", "Bytes of those", number(state.message_bytes_queued));
  text.Counter("pilake_messages_dropped_total",
               "Messages of channels that were not read; their events come with the archive",
               number(state.messages_dropped));
  text.Counter("pilake_events_heard_total", "Events that were heard of, by whatever way",
               number(state.events_heard));
  text.Gauge("pilake_rows_waiting", "Rows heard and not committed yet", number(state.rows_waiting));
  text.Counter("pilake_rows_live_total", "Rows committed before they were settled",
               number(state.live_rows));
  text.Counter("pilake_versions_live_total", "Versions that brought those",
               number(state.live_versions));
  text.Counter("pilake_rows_settled_total", "Final rows committed", number(state.rows_settled));
  text.Counter("pilake_passes_total", "Times that the archive was read", number(state.passes));
  text.Counter("pilake_passes_failed_total", "Times that this failed", number(state.troubles));
  text.Gauge("pilake_doubts", "Stretches heard to have changed, to be read again",
             number(state.doubts));
  text.Gauge("pilake_table_version", "Of the table, as the last pass left it",
             number(state.version));
  text.Counter("pilake_rows_read_total", "Rows that the archive gave", number(progress.rows_read));
  text.Gauge("pilake_rows_expected", "What that will come to, by estimate",
             number(progress.rows_expected));
  text.Counter("pilake_calls_total", "Calls to PI Web API", asked(&Progress::calls));
  text.Counter("pilake_series_reads_total", "Series that these asked the archive for",
               asked(&Progress::series_reads));
  text.Counter("pilake_events_read_total", "Events that came with the answers",
               asked(&Progress::events));
  text.Counter("pilake_wire_bytes_total", "Bytes of the answers as they travelled",
               asked(&Progress::wire_bytes));
  text.Counter("pilake_retries_total", "Calls that were asked again", asked(&Progress::retries));
  text.Gauge("pilake_calls_in_flight", "Calls that are on their way", number(progress.in_flight));
  text.Gauge("pilake_budget_used_ratio", "Of what the budget allows, lately",
             number(progress.budget_used));
  text.Gauge("process_resident_memory_bytes", "Memory in use",
             static_cast<double>(ResidentBytes()));
  return text.text();
}

Result<std::unique_ptr<ops::Page>> StartStreamPage(const std::string& address,
                                                   const StreamFigures& figures) {
  if (address.empty()) return nullptr;
  auto page = ops::Page::Start(address, {.metrics = [figures] { return StreamMetrics(figures); },
                                         .alive = [figures] { return Alive(figures); },
                                         .ready = [figures] { return Ready(figures); }});
  if (!page) {
    return Fail(page.error().kind,
                "stream.listen: {}; choose another port, or end what listens there",
                page.error().message);
  }
  return page;
}

}  // namespace pilake::cli
