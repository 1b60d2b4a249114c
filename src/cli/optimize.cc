// SPDX-License-Identifier: Apache-2.0
// `pilake optimize`: small files of the table become few large ones.
#include "pipeline/optimize.h"

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

struct Flags {
  std::string config;
  bool dry_run = false;
  bool json = false;
};

std::string ToJson(const pipeline::OptimizeReport& report, bool dry_run) {
  return JsonObject()
      .Raw("dry_run", dry_run ? "true" : "false")
      .Add("files_merged", report.files_merged)
      .Add("files_made", report.files_made)
      .Add("rows", report.rows)
      .Add("bytes_before", report.bytes_before)
      .Add("bytes_after", report.bytes_after)
      .Add("commits", report.commits)
      .Add("overtaken", report.overtaken)
      .Add("version", report.version)
      .Text();
}

Exit Optimize(const Flags& flags, const std::stop_token& stop) {
  const auto config = config::Load(flags.config);
  if (!config) return Report(config.error());
  const auto table = PullOptionsFrom(*config).table;
  const auto report = pipeline::Optimize(table, {.limits = {}, .dry_run = flags.dry_run}, stop);
  if (!report) return Report(report.error());
  if (flags.json) {
    fmt::print("{}\n", ToJson(*report, flags.dry_run));
    return Exit::kDone;
  }
  fmt::print("{}: {} of {} rows, {} {} into {}, {}\n", table.url,
             Counted(report->files_merged, "file"), Grouped(report->rows),
             DescribeBytes(report->bytes_before), flags.dry_run ? "would be merged" : "merged",
             Grouped(report->files_made), DescribeBytes(report->bytes_after));
  if (report->overtaken > 0) {
    fmt::print("{} of files stay as they are: another writer changed them meanwhile\n",
               Counted(report->overtaken, "group"));
  }
  return Exit::kDone;
}

}  // namespace

void AddOptimize(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand(
      "optimize",
      "Merge small files of the table into large, sorted ones; rows and coverage stay as they are. "
      "Safe beside runs.");
  command->footer("Examples:\n  pilake optimize --dry-run\n  pilake optimize");
  auto flags = std::make_shared<Flags>();
  AddConfigOption(*command, flags->config);
  command->add_flag("--dry-run", flags->dry_run, "Only tell what would be merged");
  command->add_flag("--json", flags->json, "As JSON on standard output");
  command->callback([flags, &context] {
    context.chosen = [flags, &context] { return Optimize(*flags, context.stop); };
  });
}

}  // namespace pilake::cli
