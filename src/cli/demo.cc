// SPDX-License-Identifier: Apache-2.0
// `pilake demo`: a simulated plant lands in a Delta table, before your eyes; needs nothing.
#include <filesystem>
#include <memory>
#include <thread>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/demo_proof.h"
#include "cli/progress_bar.h"
#include "cli/report.h"
#include "core/clock.h"
#include "pipeline/pull.h"
#include "plan/finality.h"
#include "sim/server.h"

namespace pilake::cli {
namespace {

/// Time stands still in the demo, so that table and archive can be compared at leisure.
class FrozenClock final : public Clock {
 public:
  explicit FrozenClock(UtcTime now) : now_(now) {}
  UtcTime Now() const override { return now_; }
  bool SleepUntil(UtcTime wake, const std::stop_token& stop) const override {
    return SystemClock().SleepFor(std::max(wake - now_, Duration{}), stop);
  }

 private:
  UtcTime now_;
};

struct DemoFlags {
  std::string path = "./pilake-demo";
  std::string plant = "demo";
};

void Say(std::string_view text) {
  fmt::print("{}\n", text);
}

pipeline::PullOptions OptionsFor(const sim::Server& server, const std::string& path) {
  pipeline::PullOptions options;
  options.source.name = "demo";
  options.source.http.url = server.url();
  options.source.http.gzip = false;
  options.source.budget = {
      .in_flight = 8, .calls_per_second = 0, .series_reads_per_second = 0, .events_per_second = 0};
  options.table.url = path;
  options.tags = {{.include = {"*"}}};
  options.history_from = server.plant().from();
  return options;
}

/// A few rows of a few series, as they stand in the table.
pilake::Status ShowRows(const delta::Table& table) {
  Say("\n  tag                       timestamp                      kind     value");
  ASSIGN_OR_RETURN(const delta::Rows rows,
                   table.ReadRows({.limit = 200'000, .order = delta::RowQuery::Order::kAny}));
  std::string last_tag;
  int shown = 0, of_tag = 0;
  for (size_t i = 0; i < rows.size() && shown < 12; ++i) {
    of_tag = rows.tag_name[i] == last_tag ? of_tag + 1 : 0;
    last_tag = rows.tag_name[i];
    if (of_tag != 0 && of_tag != 5) continue;
    const std::string value =
        rows.value[i] ? fmt::format("{:.6g} {}", *rows.value[i], rows.units[i].value_or(""))
                      : std::string(rows.events.text_at(i));
    Say(fmt::format("  {:<25} {:<30} {:<8} {}", rows.tag_name[i],
                    FormatUtcTime(rows.events.time(i)), Name(rows.events.kind[i]), value));
    ++shown;
  }
  return {};
}

void ShowHowToQuery(const std::string& path) {
  Say(
      fmt::format("\nLook at it yourself:\n"
                  "  delta-rs   python -c \"from deltalake import DeltaTable; "
                  "print(DeltaTable('{0}').to_pandas())\"\n"
                  "  polars     pl.scan_delta('{0}').group_by('tag_name').len().collect()\n"
                  "  DuckDB     SELECT tag_name, count(*) FROM delta_scan('{0}') GROUP BY 1\n"
                  "  Spark      spark.read.format('delta').load('{0}')",
                  path));
}

/// Makes an empty table at `path`. What stood there goes only if it carries the mark of a demo.
pilake::Status MakeRoom(const std::string& path) {
  constexpr char kMark[] = "demo";
  std::error_code error;
  if (std::filesystem::exists(path + "/_pilake/" + kMark)) {
    std::filesystem::remove_all(path, error);
  } else if (std::filesystem::exists(path)) {
    return Fail(ErrorKind::kInvalid,
                "{} exists and is not from a demo: choose another folder with --path", path);
  }
  ASSIGN_OR_RETURN(const auto table, delta::Table::Create(path, {}));
  return table->PutSideFile(kMark, "This table was made by `pilake demo`, which may replace it.\n");
}

Exit Demo(const DemoFlags& flags, const std::stop_token& stop) {
  const std::string path = std::filesystem::absolute(flags.path).lexically_normal().string();
  if (const auto status = MakeRoom(path); !status) return Report(status.error());

  const FrozenClock clock(SystemClock().Now());
  sim::ServerOptions server_options;
  server_options.plant.name = flags.plant;
  server_options.rate_limit = 0;
  const auto server = sim::Server::Start(server_options, clock);
  if (!server) return Report(server.error());
  Say(fmt::format("A simulated plant with {} points answers as PI Web API at {}",
                  Grouped(static_cast<int64_t>((*server)->plant().points().size())),
                  (*server)->url()));
  Say(fmt::format("Reading its history since {} into the Delta table {}",
                  FormatUtcTime((*server)->plant().from()), path));

  const pipeline::PullOptions options = OptionsFor(**server, path);
  pipeline::Progress progress;
  auto report = [&] {
    const ProgressBar bar(progress);
    return pipeline::Pull(options, clock, progress, stop);
  }();
  if (!report) return Report(report.error());
  Say("\n" + Describe(*report, progress));

  const auto table = delta::Table::Open(path, {});
  if (!table) return Report(table.error());
  if (const auto status = ShowRows(**table); !status) return Report(status.error());

  Say("\nComparing the table with the archive, row by row …");
  sim::TruthOptions truth{
      .plant = server_options.plant, .at = clock.Now(), .until = clock.Now() + plan::kAhead};
  truth.plant.from = (*server)->plant().from();
  const auto proof = ProveEqual(truth, clock.Now(), **table);
  if (!proof) return Report(proof.error());
  if (proof->different != 0) {
    return Report({ErrorKind::kInternal,
                   fmt::format("{} of {} rows differ between table and archive: a bug of ours",
                               Grouped(proof->different), Grouped(proof->rows))});
  }
  Say(fmt::format("equal: all {} rows of {} series are in the table, once, and nothing else is.",
                  Grouped(proof->rows), Grouped(proof->series)));
  ShowHowToQuery(path);
  return Exit::kDone;
}

}  // namespace

void AddDemo(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand(
      "demo",
      "A simulated plant lands in a Delta table and is compared with its archive. Needs nothing.");
  command->footer("Examples:\n  pilake demo\n  pilake demo --path /tmp/plant");
  auto flags = std::make_shared<DemoFlags>();
  command->add_option("--path", flags->path, "Folder of the table; a demo table there is replaced")
      ->capture_default_str()
      ->type_name("FOLDER");
  command
      ->add_option("--plant", flags->plant,
                   "Which simulated plant: demo, mixed, bench, wide, heavy or slow")
      ->capture_default_str();
  command->callback([flags, &context] {
    context.chosen = [flags, &context] { return Demo(*flags, context.stop); };
  });
}

}  // namespace pilake::cli
