// SPDX-License-Identifier: Apache-2.0
// The subcommands of `pilake`: each adds itself to the app and says what to do when it is chosen.
#pragma once

#include <stop_token>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/exit_code.h"
#include "cli/signals.h"
#include "core/result.h"

namespace pilake::cli {

/// What every subcommand may use.
struct Context {
  std::stop_token stop;
  Signals& signals;
  Command chosen;  ///< set by the subcommand that was chosen
};

void AddDemo(CLI::App& app, Context& context);
void AddInit(CLI::App& app, Context& context);
void AddCheck(CLI::App& app, Context& context);
void AddDiscover(CLI::App& app, Context& context);
void AddPlan(CLI::App& app, Context& context);
void AddRun(CLI::App& app, Context& context);
void AddStream(CLI::App& app, Context& context);
void AddStatus(CLI::App& app, Context& context);
void AddReport(CLI::App& app, Context& context);
void AddVerify(CLI::App& app, Context& context);
void AddReread(CLI::App& app, Context& context);
void AddAdopt(CLI::App& app, Context& context);
void AddOptimize(CLI::App& app, Context& context);
void AddVacuum(CLI::App& app, Context& context);
void AddExplain(CLI::App& app, Context& context);
void AddSimulate(CLI::App& app, Context& context);

/// Says on stderr what went wrong; the exit code for it.
Exit Report(const Error& error);

/// Adds `-c/--config FILE`, by default `pilake.yaml`.
void AddConfigOption(CLI::App& command, std::string& path);

}  // namespace pilake::cli
