// SPDX-License-Identifier: Apache-2.0
#include "cli/watch.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/progress_bar.h"
#include "core/clock.h"
#include "pi/http.h"

namespace pilake::cli {
namespace {

/// The samples of a page of metrics, by name and label as they stand there.
using Samples = std::map<std::string, double, std::less<>>;

Samples ReadMetrics(std::string_view text) {
  Samples samples;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t space = line.rfind(' ');
    if (line.starts_with('#') || space == std::string_view::npos) continue;
    double value = 0;
    const std::string_view number = line.substr(space + 1);
    std::from_chars(number.data(), number.data() + number.size(), value);
    samples.emplace(line.substr(0, space), value);
  }
  return samples;
}

/// The figures of one moment, and those of the moment before.
class Figures {
 public:
  void Take(Samples samples, UtcTime at) {
    before_ = std::move(now_);
    now_ = std::move(samples);
    seconds_ = (at - at_).seconds();
    at_ = at;
    heard_.push_back(Rate("pilake_events_heard_total"));
    constexpr size_t kShown = 40;
    if (heard_.size() > kShown) heard_.pop_front();
  }

  double Get(std::string_view name) const { return Find(now_, name); }
  int64_t Count(std::string_view name) const { return static_cast<int64_t>(Get(name)); }
  std::string Number(std::string_view name) const { return Grouped(Count(name)); }
  bool Has(std::string_view name) const { return now_.contains(name); }

  /// A second, since the moment before.
  double Rate(std::string_view name) const {
    if (before_.empty() || seconds_ <= 0) return 0;
    return std::max(0.0, (Get(name) - Find(before_, name)) / seconds_);
  }
  std::string RateText(std::string_view name) const {
    const double rate = Rate(name);
    return rate < 10 ? fmt::format("{:.1f}/s", rate) : Grouped(static_cast<int64_t>(rate)) + "/s";
  }

  std::string Spark() const {
    constexpr const char* kBars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const double largest = std::max(1.0, *std::ranges::max_element(heard_));
    std::string line;
    for (const double rate : heard_) line += kBars[static_cast<size_t>(rate / largest * 7)];
    return line;
  }

 private:
  static double Find(const Samples& samples, std::string_view name) {
    const auto found = samples.find(name);
    return found == samples.end() ? 0 : found->second;
  }

  Samples now_, before_;
  UtcTime at_;
  double seconds_ = 0;
  std::deque<double> heard_;
};

std::string Ago(const Figures& figures, std::string_view name) {
  if (!figures.Has(name)) return "never";
  return fmt::format("{:.1f} s", figures.Get(name));
}

std::string State(const Figures& figures) {
  if (figures.Get("pilake_in_trouble") > 0) return "in trouble, see its log";
  return figures.Get("pilake_caught_up") > 0 ? "caught up" : "catching up";
}

bool IsStale(const Figures& figures, Duration settle_every) {
  return figures.Get("pilake_settled_lag_seconds") > 3 * settle_every.seconds();
}

std::string View(const Figures& figures, const config::Config& config) {
  const int64_t broken = figures.Count("pilake_series_left_out{why=\"held\"}") +
                         figures.Count("pilake_series_left_out{why=\"quarantined\"}") +
                         figures.Count("pilake_series_left_out{why=\"unresolved\"}");
  return fmt::format(
             "pilake stream at {}, {}\n\n"
             "state      {}; the archive was read {} ago{}\n"
             "lag        the newest event that was heard and committed is {} old\n"
             "events     {}  {}\n"
             "rows       {} live, {} settled; {} wait; version {}\n",
             config.stream.listen, FormatUtcTime(SystemClock().Now()).substr(11, 8), State(figures),
             Ago(figures, "pilake_settled_lag_seconds"),
             IsStale(figures, config.stream.settle_every) ? ": stale" : "",
             Ago(figures, "pilake_lag_seconds"), figures.RateText("pilake_events_heard_total"),
             figures.Spark(), figures.RateText("pilake_rows_live_total"),
             figures.RateText("pilake_rows_settled_total"), figures.Number("pilake_rows_waiting"),
             figures.Number("pilake_table_version")) +
         fmt::format(
             "hearing    {} by channels ({} of {} open, {} lost), {} by updates, {} by sweep\n"
             "queue      {} messages, {}; {} dropped; {} doubtful stretches\n"
             "budget     {:.0f} % used; {} calls, {} series, {} bytes; {} retries\n"
             "series     {}: {} broken, {} silent\n",
             figures.Number("pilake_series{way=\"channel\"}"),
             figures.Number("pilake_channels_open"), figures.Number("pilake_channels_wanted"),
             figures.Number("pilake_channels_lost_total"),
             figures.Number("pilake_series{way=\"updates\"}"),
             figures.Number("pilake_series{way=\"sweep\"}"),
             figures.Number("pilake_queue_messages"),
             DescribeBytes(figures.Count("pilake_queue_bytes")),
             figures.Number("pilake_messages_dropped_total"), figures.Number("pilake_doubts"),
             figures.Get("pilake_budget_used_ratio") * 100, figures.RateText("pilake_calls_total"),
             figures.RateText("pilake_series_reads_total"),
             figures.RateText("pilake_wire_bytes_total"), figures.Number("pilake_retries_total"),
             figures.Number("pilake_series_selected"), Grouped(broken),
             figures.Number("pilake_series_silent"));
}

std::string Line(const Figures& figures, const config::Config& config) {
  return fmt::format(
      "{} {}{} lag={} events={} live={} settled={} waiting={} budget={:.0f}%\n",
      FormatUtcTime(SystemClock().Now()), State(figures),
      IsStale(figures, config.stream.settle_every) ? ", stale" : "",
      Ago(figures, "pilake_lag_seconds"), figures.RateText("pilake_events_heard_total"),
      figures.RateText("pilake_rows_live_total"), figures.RateText("pilake_rows_settled_total"),
      figures.Number("pilake_rows_waiting"), figures.Get("pilake_budget_used_ratio") * 100);
}

}  // namespace

Exit Watch(const config::Config& config, Duration every, const std::stop_token& stop) {
  if (config.stream.listen.empty()) {
    return Report({ErrorKind::kInvalid,
                   "--watch asks a running `pilake stream`: set stream.listen, such as "
                   "127.0.0.1:9464, and start the stream anew"});
  }
  auto http = pi::HttpLoop::Make({.url = "http://" + config.stream.listen, .gzip = false});
  if (!http) return Report(http.error());
  const std::jthread loop([&](const std::stop_token& own) { (*http)->Run(own); });
  const bool is_terminal = isatty(STDOUT_FILENO) != 0;
  Figures figures;
  do {
    const auto answer = pi::Fetch(**http, {.target = "/metrics"}, stop);
    if (stop.stop_requested()) break;
    if (!answer) {
      return Report({answer.error().kind,
                     fmt::format("no `pilake stream` shows itself at {} (stream.listen): {}",
                                 config.stream.listen, answer.error().message)});
    }
    figures.Take(ReadMetrics(answer->body), SteadyNow());
    // Home, and away with what stood below: nothing flickers, and nothing is left over.
    const std::string text =
        is_terminal ? "\x1b[H\x1b[J" + View(figures, config) : Line(figures, config);
    fmt::print("{}", text);
    std::fflush(stdout);
  } while (SystemClock().SleepFor(every, stop));
  return Exit::kDone;
}

}  // namespace pilake::cli
