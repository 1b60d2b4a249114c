// SPDX-License-Identifier: Apache-2.0
// `pilake check`: what works, what does not, and what to do about it.
#include "pipeline/check.h"

#include <memory>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/options.h"
#include "config/config.h"

namespace pilake::cli {
namespace {

using pipeline::Finding;

std::string_view Word(Finding::State state) {
  switch (state) {
    case Finding::State::kGood:
      return "good";
    case Finding::State::kDoubtful:
      return "doubtful";
    case Finding::State::kBad:
      return "bad";
  }
  return "bad";
}

Exit Check(const std::string& path, bool json, const std::stop_token& stop) {
  const auto config = config::Load(path);
  if (!config) return Report(config.error());
  const auto findings = pipeline::Check(PullOptionsFrom(*config), SystemClock(), stop);
  Exit exit = Exit::kDone;
  for (const Finding& finding : findings) {
    if (finding.state == Finding::State::kBad && exit == Exit::kDone) exit = ExitFor(finding.kind);
    if (json) {
      fmt::print("{}\n", JsonObject()
                             .Add("subject", finding.subject)
                             .Add("state", Word(finding.state))
                             .Add("detail", finding.detail)
                             .Add("finding", finding.name)
                             .Text());
    } else {
      const std::string name = finding.name.empty() ? "" : fmt::format(" [{}]", finding.name);
      fmt::print("{:<9} {:<9} {}{}\n", Word(finding.state), finding.subject, finding.detail, name);
    }
  }
  return exit;
}

}  // namespace

void AddCheck(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand(
      "check", "Say what works, what does not, and what to do about it, before a run is tried.");
  command->footer("Example:\n  pilake check -c plant1.yaml");
  struct Flags {
    std::string config;
    bool json = false;
  };
  auto flags = std::make_shared<Flags>();
  AddConfigOption(*command, flags->config);
  command->add_flag("--json", flags->json, "One JSON object a finding on standard output");
  command->callback([flags, &context] {
    context.chosen = [flags, &context] { return Check(flags->config, flags->json, context.stop); };
  });
}

}  // namespace pilake::cli
