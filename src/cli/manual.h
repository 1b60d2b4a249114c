// SPDX-License-Identifier: Apache-2.0
// All commands and options as a plain table, read from CLI11, and the pages that are made of it: so
// neither the man page nor the completions can say other than the program does.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace pilake::cli {

/// An option that people are told of.
struct Flag {
  std::vector<std::string>
      names;          ///< short ones first, with their dashes; of a positional its name
  std::string value;  ///< what stands behind it: `FILE`, `TEXT`, …; empty = nothing
  std::vector<std::string> choices;  ///< the values it takes, if they are few
  std::string by_default;
  std::string text;
  bool is_positional = false;
};

/// A command, or the program itself.
struct Manual {
  std::string name;  ///< with what stands before it: `pilake simulate truth`
  std::string text;
  std::string footer;
  std::vector<Flag> flags;
  std::vector<Manual> commands;

  /// `truth` of `pilake simulate truth`.
  std::string word() const { return name.substr(name.rfind(' ') + 1); }
};

/// What `app` and its commands are; hidden options and commands are left out.
Manual ReadManual(const CLI::App& app);

/// The page for `man`, section 1.
std::string ManPage(const Manual& manual);

/// Scripts that complete commands, options and their values.
std::string BashCompletion(const Manual& manual);
std::string ZshCompletion(const Manual& manual);
std::string FishCompletion(const Manual& manual);

/// Adds `--man-page` and `--completion SHELL`, hidden: for those who make packages.
void AddManualFlags(CLI::App& app);

}  // namespace pilake::cli
