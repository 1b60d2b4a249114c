// SPDX-License-Identifier: Apache-2.0
#include "cli/manual.h"

#include <fmt/format.h>

namespace pilake::cli {
namespace {

/// `a` and `b` of a type named `TEXT:{a,b}`, as CLI11 writes it down.
std::vector<std::string> Choices(const std::string& type) {
  const size_t begin = type.find(":{");
  const size_t end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos) return {};
  return CLI::detail::split(type.substr(begin + 2, end - begin - 2), ',');
}

std::vector<std::string> Names(const CLI::Option& option) {
  if (option.get_positional()) return {option.get_name(true, false)};
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back('-' + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

Flag ReadFlag(const CLI::Option& option) {
  Flag flag{.names = Names(option), .text = option.get_description()};
  flag.is_positional = option.get_positional();
  if (option.get_items_expected_max() == 0) return flag;
  const std::string type = option.get_type_name();
  flag.value = type.substr(0, type.find(':'));
  flag.choices = Choices(type);
  flag.by_default = option.get_default_str();
  return flag;
}

Manual ReadCommand(const CLI::App& app, const std::string& name) {
  Manual manual{.name = name, .text = app.get_description(), .footer = app.get_footer()};
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) manual.flags.push_back(ReadFlag(*option));
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_group().empty()) continue;
    manual.commands.push_back(ReadCommand(*command, name + ' ' + command->get_name()));
  }
  return manual;
}

void Print(const CLI::App& app, std::string (*page)(const Manual&)) {
  fmt::print("{}", page(ReadManual(app)));
  throw CLI::Success();
}

}  // namespace

Manual ReadManual(const CLI::App& app) {
  return ReadCommand(app, app.get_name());
}

void AddManualFlags(CLI::App& app) {
  app.add_flag_callback("--man-page", [&app] { Print(app, ManPage); })->group("");
  app.add_option_function<std::string>("--completion",
                                       [&app](const std::string& shell) {
                                         if (shell == "zsh") Print(app, ZshCompletion);
                                         if (shell == "fish") Print(app, FishCompletion);
                                         Print(app, BashCompletion);
                                       })
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->group("");
}

}  // namespace pilake::cli
