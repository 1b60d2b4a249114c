// SPDX-License-Identifier: Apache-2.0
// `pilake discover`: lists the points that the configuration selects.
#include <memory>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/progress_bar.h"
#include "config/config.h"
#include "pipeline/resolve.h"

namespace pilake::cli {
namespace {

std::string ToJson(const Series& series) {
  return JsonObject()
      .Add("tag", series.name)
      .Add("path", series.path)
      .Add("webid", series.web_id)
      .Add("type", series.type_name)
      .Add("units", series.units)
      .Add("digital_set", series.digital_set)
      .Add("step", series.step)
      .Add("future", series.future)
      .Add("descriptor", series.descriptor)
      .Text();
}

Result<pipeline::Resolved> Ask(const config::Config& config, const std::stop_token& stop) {
  const pipeline::PullOptions options = PullOptionsFrom(config);
  pipeline::Progress progress;
  progress.stage = "asking for the tags";
  const ProgressBar bar(progress);
  ASSIGN_OR_RETURN(auto source, pipeline::Source::Open(options.source, progress, stop));
  return pipeline::Resolve(*source, options.tags);
}

Exit Discover(const std::string& path, bool json, const std::stop_token& stop) {
  const auto config = config::Load(path);
  if (!config) return Report(config.error());
  const auto resolved = Ask(*config, stop);
  if (!resolved) return Report(resolved.error());
  for (const Series& series : resolved->series) {
    if (json) {
      fmt::print("{}\n", ToJson(series));
    } else {
      fmt::print("{}  {:<10} {:<10} {}\n", series.web_id, series.type_name, series.units,
                 series.name);
    }
  }
  fmt::print(stderr, "{} points selected\n",
             Grouped(static_cast<int64_t>(resolved->series.size())));
  for (const pipeline::Unresolved& tag : resolved->unresolved) {
    fmt::print(stderr, "not found: {}: {}\n", tag.tag, tag.reason);
  }
  return resolved->unresolved.empty() ? Exit::kDone : Exit::kLeftOut;
}

}  // namespace

void AddDiscover(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("discover", "List the points that the configuration selects.");
  command->footer("Examples:\n  pilake discover\n  pilake discover --json | jq -r .tag");
  struct Flags {
    std::string config;
    bool json = false;
  };
  auto flags = std::make_shared<Flags>();
  AddConfigOption(*command, flags->config);
  command->add_flag("--json", flags->json, "One JSON object a point on standard output");
  command->callback([flags, &context] {
    context.chosen = [flags, &context] {
      return Discover(flags->config, flags->json, context.stop);
    };
  });
}

}  // namespace pilake::cli
