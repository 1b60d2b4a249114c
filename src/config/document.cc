// SPDX-License-Identifier: Apache-2.0
#include "config/document.h"

#include <string_view>

#include <fmt/format.h>

#include "config/keys.h"

namespace pilake::config {
namespace {

constexpr std::string_view kPreface = R"(# Configuration

<!-- Made from the table in src/config/keys.cc by `make docs`; do not edit. -->

pilake reads one YAML file. `pilake init` writes a starter, `pilake check` tries it against the server.

- All mistakes of a file are reported at once, with their lines. A key that does not exist, or stands
  there twice, is a mistake.
- `${env:NAME}` stands for an environment variable, `${file:path}` for the content of a file and
  `${command:program words}` for what a program prints (run without a shell, for at most 30 s), in any
  text; a `${` that is meant literally is written `$${`. Passwords and tokens appear in no message.
- Relative paths are meant from the folder of the configuration file.
- A span is a number and a unit: `250ms`, `30s`, `10m`, `36h`, `7d`.
- A text that begins with `*` must stand in quotes, and a backslash is safe in single quotes only:
  `'*.TEST'`, `'DOMAIN\user'`.
- Where the server is on this very machine and no limit of `source.budget` is set, the budget is lifted.

## Example

```yaml
)";

constexpr std::string_view kStarter =
    R"(# pilake: from PI Web API into a Delta table. All keys: docs/configuration.md
source:
  name: plant1
  url: https://pi.example.com/piwebapi
  auth: {kind: basic, username: 'DOMAIN\user', password: '${env:PI_PASSWORD}'}
  # What pilake may ask of the server. These are the defaults; agree on them with its owner.
  # budget: {in_flight: 4, calls_per_second: 25, series_reads_per_second: 1000, events_per_second: 50000}

tags:
  # Masks in quotes: * any text, ? one character. Without `server`, all data servers are meant.
  - {server: PISRV, include: ['U1.*'], exclude: ['*.TEST']}
  # - {server: PISRV, file: more-tags.txt}

history:
  from: 2026-01-01
  # settle: 10m

# How far ahead forecasts are shown, and how often they are read again.
# future: {horizon: 2d, refresh: 1h}

table:
  path: ./lake/pi_timeseries

# trust: {ca: [corporate-root.pem]}
)";

/// `source.budget.in_flight` belongs to `source.budget`.
std::string_view SectionOf(std::string_view path) {
  return path.substr(0, path.rfind('.'));
}

std::string TitleOf(std::string_view section) {
  const bool is_list = section == "tags" || section == "source.budget.calendar";
  return fmt::format("{}{}", section,
                     is_list ? " (a list of groups; each key stands in a group)" : "");
}

std::string DefaultOf(const Key& key) {
  if (key.is_required) return "required";
  return key.fallback.empty() ? "–" : fmt::format("`{}`", key.fallback);
}

}  // namespace

std::string ConfigurationPage() {
  std::string page = fmt::format("{}{}```\n", kPreface, kStarter);
  std::string_view section;
  for (const Key& key : Keys()) {
    if (SectionOf(key.path) != section) {
      section = SectionOf(key.path);
      page += fmt::format("\n## {}\n\n| key | type | default | meaning |\n|---|---|---|---|\n",
                          TitleOf(section));
    }
    page += fmt::format("| `{}` | {}{} | {} | {} |\n", key.path, key.type,
                        key.is_secret ? " (secret)" : "", DefaultOf(key), key.sentence);
  }
  return page;
}

std::string StarterText() {
  return std::string(kStarter);
}

}  // namespace pilake::config
