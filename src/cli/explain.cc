// SPDX-License-Identifier: Apache-2.0
// `pilake explain`: why a value is, or is not, in the table.
#include "pipeline/explain.h"

#include <algorithm>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/progress_bar.h"
#include "config/config.h"

namespace pilake::cli {
namespace {

constexpr size_t kShownMax = 10;

struct Flags {
  std::string config;
  std::string test_clock;
  std::string tag, time;
  bool json = false;
};

std::string ValueAt(const Events& events, size_t row) {
  switch (events.kind[row]) {
    case ValueKind::kFloat:
      return fmt::format("{}", events.float_at(row));
    case ValueKind::kInt:
      return fmt::format("{}", events.number[row]);
    case ValueKind::kDigital:
    case ValueKind::kSystem:
      return fmt::format("{} ({})", events.text_at(row), events.number[row]);
    default:
      return std::string(events.text_at(row));
  }
}

std::string Line(const Events& events, size_t row) {
  return fmt::format("{:<30} {:<9} {}", FormatUtcTime(events.time(row)), Name(events.kind[row]),
                     ValueAt(events, row));
}

std::string JsonRows(const Events& events) {
  std::string rows;
  for (size_t row = 0; row < events.size(); ++row) {
    rows += (row == 0 ? "" : ",") + JsonObject()
                                        .Add("timestamp", FormatUtcTime(events.time(row)))
                                        .Add("value_kind", Name(events.kind[row]))
                                        .Add("value", ValueAt(events, row))
                                        .Text();
  }
  return "[" + rows + "]";
}

void Show(const pipeline::Explanation& found) {
  fmt::print("{} ({})\nbetween {} and {}\n", found.tag, found.web_id,
             FormatUtcTime(found.window.begin), FormatUtcTime(found.window.end));
  fmt::print("PI says now: {}\n", Counted(static_cast<int64_t>(found.archive.size()), "event"));
  for (size_t row = 0; row < std::min(found.archive.size(), kShownMax); ++row)
    fmt::print("  {}\n", Line(found.archive, row));
  fmt::print("the table holds: {}\n", Counted(static_cast<int64_t>(found.table.size()), "row"));
  for (size_t row = 0; row < std::min(found.table.size(), kShownMax); ++row) {
    fmt::print("  {}   written {}\n", Line(found.table.events, row),
               FormatUtcTime(found.table.ingested[row]));
  }
  for (const std::string& sentence : found.because) fmt::print("- {}\n", sentence);
}

Exit Explain(const Flags& flags, const std::stop_token& stop) {
  const auto clock = OpenClock(flags.test_clock);
  if (!clock) return Report(clock.error());
  const auto time = ParseUtcTime(flags.time);
  if (!time) return Report({ErrorKind::kInvalid, time.error().message});
  const auto config = config::Load(flags.config);
  if (!config) return Report(config.error());
  pipeline::Progress progress;
  const auto found =
      pipeline::Explain(PullOptionsFrom(*config), flags.tag, *time, **clock, progress, stop);
  if (!found) return Report(found.error());
  if (!flags.json) {
    Show(*found);
    return Exit::kDone;
  }
  fmt::print("{}\n", JsonObject()
                         .Add("tag", found->tag)
                         .Add("tag_webid", found->web_id)
                         .Add("from", FormatUtcTime(found->window.begin))
                         .Add("to", FormatUtcTime(found->window.end))
                         .Raw("archive", JsonRows(found->archive))
                         .Raw("table", JsonRows(found->table.events))
                         .Raw("because", JsonArray(found->because, JsonText))
                         .Text());
  return Exit::kDone;
}

}  // namespace

void AddExplain(CLI::App& app, Context& context) {
  auto* command =
      app.add_subcommand("explain", "Why a value of a point is, or is not, in the table.");
  command->footer("Example:\n  pilake explain SINUSOID 2026-01-31T12:00:00Z");
  auto flags = std::make_shared<Flags>();
  AddConfigOption(*command, flags->config);
  command->add_option("TAG", flags->tag, "The point's name")->required();
  command->add_option("TIME", flags->time, "UTC time, as 2026-01-31T12:00:00Z")->required();
  command->add_flag("--json", flags->json, "As JSON on standard output");
  command->add_option("--test-clock", flags->test_clock)->group("");
  command->callback([flags, &context] {
    context.chosen = [flags, &context] { return Explain(*flags, context.stop); };
  });
}

}  // namespace pilake::cli
