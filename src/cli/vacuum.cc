// SPDX-License-Identifier: Apache-2.0
// `pilake vacuum`: files that nobody needs leave the table's folder.
#include "pipeline/vacuum.h"

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
  std::string retention;
  bool dry_run = false;
  bool json = false;
};

std::string ToJson(const pipeline::Litter& litter) {
  return JsonObject()
      .Add("table", litter.table)
      .Add("files", static_cast<int64_t>(litter.files.size()))
      .Add("bytes", litter.bytes())
      .Raw("names", JsonArray(litter.files,
                              [](const delta::FolderFile& file) { return JsonText(file.name); }))
      .Text();
}

Exit Vacuum(const Flags& flags) {
  const auto config = config::Load(flags.config);
  if (!config) return Report(config.error());
  delta::VacuumOptions options{.dry_run = flags.dry_run};
  if (!flags.retention.empty()) {
    const auto retention = ParseDuration(flags.retention);
    if (!retention)
      return Report({ErrorKind::kInvalid, "--retention: " + retention.error().message});
    options.retention = *retention;
  }
  const auto litter = pipeline::Vacuum(PullOptionsFrom(*config).table, options);
  if (!litter) return Report(litter.error());
  if (flags.json) {
    fmt::print("{}\n", JsonObject()
                           .Raw("dry_run", flags.dry_run ? "true" : "false")
                           .Raw("tables", JsonArray(*litter, ToJson))
                           .Text());
    return Exit::kDone;
  }
  for (const pipeline::Litter& one : *litter) {
    for (const delta::FolderFile& file : one.files) {
      if (flags.dry_run) fmt::print("{}/{}\n", one.table, file.name);
    }
    fmt::print("{}: {}, {} {}\n", one.table,
               Counted(static_cast<int64_t>(one.files.size()), "file"), DescribeBytes(one.bytes()),
               flags.dry_run ? "would go" : "deleted");
  }
  return Exit::kDone;
}

}  // namespace

void AddVacuum(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand(
      "vacuum",
      "Delete files that no version of the table needs: those that left it, and what killed runs "
      "left behind. Safe beside runs.");
  command->footer("Examples:\n  pilake vacuum --dry-run\n  pilake vacuum --retention 168h");
  auto flags = std::make_shared<Flags>();
  AddConfigOption(*command, flags->config);
  command->add_option("--retention", flags->retention,
                      "Keep what was needed within this time; by default, and at least, the "
                      "table's own delta.deletedFileRetentionDuration");
  command->add_flag("--dry-run", flags->dry_run, "Only name the files");
  command->add_flag("--json", flags->json, "As JSON on standard output");
  command->callback([flags, &context] { context.chosen = [flags] { return Vacuum(*flags); }; });
}

}  // namespace pilake::cli
