// SPDX-License-Identifier: Apache-2.0
// Completions for three shells. Each finds the command that the words so far chose, then offers
// what that command takes: values behind an option that wants one, options and commands otherwise.
#include <algorithm>
#include <functional>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/manual.h"

namespace pilake::cli {
namespace {

bool IsPath(const Flag& flag) {
  return flag.value == "FILE" || flag.value == "FOLDER";
}

void ForEach(const Manual& manual, const std::function<void(const Manual&)>& visit) {
  visit(manual);
  for (const Manual& command : manual.commands) ForEach(command, visit);
}

std::string Replaced(std::string text, std::string_view what, std::string_view with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

/// One word of bash and zsh, whatever is in it.
std::string Quoted(const std::string& text) {
  return '\'' + Replaced(text, "'", R"('\'')") + '\'';
}

/// Alternatives of a shell's `case`: `command word` for each word.
std::string Patterns(const std::string& command, const std::vector<std::string>& words) {
  std::vector<std::string> patterns;
  for (const std::string& word : words) patterns.push_back(Quoted(command + ' ' + word));
  return fmt::format("{}", fmt::join(patterns, "|"));
}

/// The lines of a `case` that steps from a command to the next.
std::string Steps(const Manual& manual, std::string_view form) {
  std::string lines;
  ForEach(manual, [&](const Manual& page) {
    for (const Manual& command : page.commands)
      lines += fmt::format(fmt::runtime(form), Quoted(command.name));
  });
  return lines;
}

/// The lines of a `case` over `command option`, for options that want a value.
std::string Values(const Manual& manual, std::string_view of_choices, std::string_view of_paths,
                   std::string_view of_others) {
  std::string lines;
  ForEach(manual, [&](const Manual& page) {
    for (const Flag& flag : page.flags) {
      if (flag.value.empty() || flag.is_positional) continue;
      const std::string pattern = Patterns(page.name, flag.names);
      if (!flag.choices.empty()) {
        lines += fmt::format(fmt::runtime(of_choices), pattern,
                             fmt::format("{}", fmt::join(flag.choices, " ")));
      } else {
        lines += fmt::format(fmt::runtime(IsPath(flag) ? of_paths : of_others), pattern);
      }
    }
  });
  return lines;
}

std::vector<std::string> OptionNames(const Manual& page) {
  std::vector<std::string> names;
  for (const Flag& flag : page.flags)
    if (!flag.is_positional) names.insert(names.end(), flag.names.begin(), flag.names.end());
  return names;
}

std::vector<std::string> CommandWords(const Manual& page) {
  std::vector<std::string> words;
  for (const Manual& command : page.commands) words.push_back(command.word());
  return words;
}

/// `'word:what it is'` for zsh's _describe.
std::string Described(const std::string& word, const std::string& text) {
  return Quoted(Replaced(word, ":", "\\:") + ':' + text);
}

std::string FishText(const std::string& text) {
  return '\'' + Replaced(Replaced(text, "\\", "\\\\"), "'", "\\'") + '\'';
}

std::string FishOption(const Manual& page, const Flag& flag) {
  std::string line =
      fmt::format("complete -c pilake -n 'test (__pilake_command) = \"{}\"'", page.name);
  for (const std::string& name : flag.names) {
    const bool is_long = name.starts_with("--");
    line += fmt::format(" {} {}", is_long ? "-l" : "-s", name.substr(is_long ? 2 : 1));
  }
  if (!flag.value.empty()) line += " -r";
  if (IsPath(flag)) line += " -F";
  if (!flag.choices.empty()) {
    line += fmt::format(" -a {}", FishText(fmt::format("{}", fmt::join(flag.choices, " "))));
  }
  return line + fmt::format(" -d {}\n", FishText(flag.text));
}

}  // namespace

std::string BashCompletion(const Manual& manual) {
  std::string offers;
  ForEach(manual, [&offers](const Manual& page) {
    offers += fmt::format("    {}) words='{} {}' ;;\n", Quoted(page.name),
                          fmt::join(CommandWords(page), " "), fmt::join(OptionNames(page), " "));
  });
  return fmt::format(
      R"(# bash completion for pilake; made by `pilake --completion bash`
_pilake() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
  local command={name} words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$command ${{COMP_WORDS[i]}}" in
{steps}    esac
  done
  COMPREPLY=()
  case "$command $before" in
{values}  esac
  case $command in
{offers}  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}}
complete -F _pilake pilake
)",
      fmt::arg("name", manual.name),
      fmt::arg("steps", Steps(manual, "      {}) command=\"$command ${{COMP_WORDS[i]}}\" ;;\n")),
      fmt::arg("values",
               Values(manual,
                      "    {}) mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$word\"); return ;;\n",
                      "    {}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "
                      "\"$word\"); return ;;\n",
                      "    {}) return ;;\n")),
      fmt::arg("offers", offers));
}

std::string ZshCompletion(const Manual& manual) {
  std::string offers;
  ForEach(manual, [&offers](const Manual& page) {
    offers += fmt::format("    {})\n", Quoted(page.name));
    for (const Manual& command : page.commands)
      offers += fmt::format("      commands+=({})\n", Described(command.word(), command.text));
    for (const Flag& flag : page.flags) {
      if (flag.is_positional) continue;
      for (const std::string& name : flag.names)
        offers += fmt::format("      options+=({})\n", Described(name, flag.text));
    }
    offers += "      ;;\n";
  });
  return fmt::format(
      R"(#compdef pilake
# zsh completion for pilake; made by `pilake --completion zsh`
_pilake() {{
  local command={name} word
  local -a commands options
  for word in "${{(@)words[2,CURRENT-1]}}"; do
    case "$command $word" in
{steps}    esac
  done
  case "$command $words[CURRENT-1]" in
{values}  esac
  case $command in
{offers}  esac
  (( $#commands )) && _describe -t commands command commands
  _describe -o -t options option options
}}
_pilake "$@"
)",
      fmt::arg("name", manual.name),
      fmt::arg("steps", Steps(manual, "      {}) command=\"$command $word\" ;;\n")),
      fmt::arg("values",
               Values(manual, "    {}) compadd -- {}; return ;;\n", "    {}) _files; return ;;\n",
                      "    {}) _message value; return ;;\n")),
      fmt::arg("offers", offers));
}

std::string FishCompletion(const Manual& manual) {
  std::string offers;
  ForEach(manual, [&offers](const Manual& page) {
    for (const Manual& command : page.commands) {
      offers +=
          fmt::format("complete -c pilake -n 'test (__pilake_command) = \"{}\"' -a {} -d {}\n",
                      page.name, command.word(), FishText(command.text));
    }
    for (const Flag& flag : page.flags)
      if (!flag.is_positional) offers += FishOption(page, flag);
  });
  return fmt::format(
      R"(# fish completion for pilake; made by `pilake --completion fish`
function __pilake_command
    set -l command {name}
    for word in (commandline -opc)[2..-1]
        switch "$command $word"
            case {steps}
                set command "$command $word"
        end
    end
    echo $command
end
complete -c pilake -f
{offers})",
      fmt::arg("name", manual.name), fmt::arg("steps", Steps(manual, " {}")),
      fmt::arg("offers", offers));
}

}  // namespace pilake::cli
