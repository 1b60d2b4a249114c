// SPDX-License-Identifier: Apache-2.0
// The man page, in the macros that every man knows.
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/manual.h"

namespace pilake::cli {
namespace {

/// Text as groff takes it: dashes that can be copied, no accidental commands.
std::string Escaped(std::string_view text) {
  std::string out;
  bool at_line_start = true;
  for (const char c : text) {
    if (at_line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    at_line_start = c == '\n';
  }
  return out;
}

/// Lines that stay as they are: examples, exit codes.
std::string Preformatted(const std::string& text) {
  return text.empty() ? std::string() : fmt::format(".PP\n.nf\n{}\n.fi\n", Escaped(text));
}

std::string Describe(const Flag& flag) {
  std::string text = flag.text;
  if (!flag.choices.empty()) text += fmt::format(" One of: {}.", fmt::join(flag.choices, ", "));
  if (!flag.by_default.empty()) text += fmt::format(" Default: {}.", flag.by_default);
  return text;
}

std::string Options(const Manual& manual) {
  std::string page;
  for (const Flag& flag : manual.flags) {
    page += fmt::format(".TP\n\\fB{}\\fR", Escaped(fmt::format("{}", fmt::join(flag.names, ", "))));
    if (!flag.value.empty() && !flag.is_positional) page += " \\fI" + Escaped(flag.value) + "\\fR";
    page += '\n' + Escaped(Describe(flag)) + '\n';
  }
  return page;
}

std::string Commands(const Manual& manual) {
  std::string page;
  for (const Manual& command : manual.commands) {
    page += fmt::format(".SS {}\n{}\n{}{}", Escaped(command.name), Escaped(command.text),
                        Options(command), Preformatted(command.footer));
    page += Commands(command);
  }
  return page;
}

}  // namespace

std::string ManPage(const Manual& manual) {
  std::string page =
      fmt::format(".TH PILAKE 1 \"\" \"pilake {}\" \"User Commands\"\n", Escaped(PILAKE_VERSION));
  page += fmt::format(".SH NAME\n{} \\- history of a PI System in Delta tables\n", manual.name);
  page += fmt::format(".SH SYNOPSIS\n.B {}\n.I COMMAND\n.RI [ OPTION ...]\n", manual.name);
  page += ".SH DESCRIPTION\n" + Escaped(manual.text) + '\n' + Preformatted(manual.footer);
  page += ".SH OPTIONS\n" + Options(manual);
  page += ".SH COMMANDS\n" + Commands(manual);
  return page;
}

}  // namespace pilake::cli
