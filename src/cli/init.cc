// SPDX-License-Identifier: Apache-2.0
// `pilake init`: a commented starter configuration on standard output.
#include <fmt/format.h>

#include "cli/commands.h"
#include "config/document.h"

namespace pilake::cli {

void AddInit(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("init", "Print a starter configuration with comments.");
  command->footer("Example:\n  pilake init > pilake.yaml");
  command->callback([&context] {
    context.chosen = [] {
      fmt::print("{}", config::StarterText());
      return Exit::kDone;
    };
  });
}

}  // namespace pilake::cli
