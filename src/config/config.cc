// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include <algorithm>
#include <cassert>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <set>

#include <fmt/format.h>

#include "config/expand.h"
#include "config/keys.h"
#include "config/suggest.h"
#include "config/value.h"
#include "config/yaml.h"

namespace pilake::config {
namespace {

constexpr int64_t kInFlightLifted = 8;

std::string Join(std::string_view section, std::string_view name) {
  return section.empty() ? std::string(name) : fmt::format("{}.{}", section, name);
}

std::string_view LastWord(std::string_view path) {
  return path.substr(path.rfind('.') + 1);
}

const Key* FindKey(std::string_view path) {
  const auto keys = Keys();
  const auto found = std::ranges::find(keys, path, &Key::path);
  return found == keys.end() ? nullptr : &*found;
}

bool IsSection(std::string_view path) {
  const std::string prefix = fmt::format("{}.", path);
  return std::ranges::any_of(Keys(), [&](const Key& key) { return key.path.starts_with(prefix); });
}

/// The words that may stand in `section`, keys and sections alike.
std::vector<std::string_view> WordsOf(std::string_view section) {
  const std::string prefix = section.empty() ? "" : fmt::format("{}.", section);
  std::set<std::string_view> words;
  for (const Key& key : Keys()) {
    if (!key.path.starts_with(prefix)) continue;
    const std::string_view rest = key.path.substr(prefix.size());
    words.insert(rest.substr(0, rest.find('.')));
  }
  return {words.begin(), words.end()};
}

/// A word of source.auth that goes with some kinds of sign-on only.
struct AuthWord {
  std::string_view word;
  std::vector<AuthKind> kinds;
  std::string_view kinds_in_words;
  bool is_required;
};

const std::vector<AuthWord> kAuthWords{
    {"username", {AuthKind::kBasic, AuthKind::kNtlm}, "basic or ntlm", true},
    {"password", {AuthKind::kBasic, AuthKind::kNtlm}, "basic or ntlm", true},
    {"token", {AuthKind::kBearer}, "bearer", false},
    {"token_file", {AuthKind::kBearer}, "bearer", false},
    {"token_command", {AuthKind::kBearer}, "bearer", false},
    {"client_id", {AuthKind::kOidc}, "oidc", true},
    {"client_secret", {AuthKind::kOidc}, "oidc", true},
    {"issuer", {AuthKind::kOidc}, "oidc", false},
    {"scope", {AuthKind::kOidc}, "oidc", false},
    {"keytab", {AuthKind::kKerberos}, "kerberos", false},
    {"principal", {AuthKind::kKerberos}, "kerberos", false},
    {"cache", {AuthKind::kKerberos}, "kerberos", false},
    {"service", {AuthKind::kKerberos}, "kerberos", false},
};

/// Reads a tree into a `Config` and gathers all that is wrong with it.
class Reading {
 public:
  Reading(Config& config, const Outside& outside, Needs needs)
      : config_(config), outside_(outside), needs_(needs) {}

  std::multimap<int, std::string> findings;  ///< by line

  void Read(const YamlNode& root) {
    if (root.kind != YamlNode::Kind::kMap) {
      Find(root.line, "", "must hold keys such as `source:`; `pilake init` writes a starter");
      return;
    }
    ReadSection("", root);
    for (const Key& key : Keys()) {
      if (IsNeeded(key) && !lines_.contains(std::string(key.path))) {
        Find(root.line, key.path, fmt::format("is missing: {}", key.sentence));
      }
    }
    if (!lines_.contains("tags")) {
      Find(root.line, "tags", "is missing: the points to read, as a list of groups");
    }
    CheckAuth(root.line);
    CheckProxy();
    CheckFuture();
    CheckCatalog();
    LiftBudget();
  }

 private:
  bool IsNeeded(const Key& key) const {
    return key.is_required && (needs_ == Needs::kTable || key.path.starts_with("source."));
  }

  void Find(int line, std::string_view path, std::string_view what) {
    findings.emplace(line, path.empty() ? std::string(what) : fmt::format("{}: {}", path, what));
  }

  void ReadSection(const std::string& section, const YamlNode& map) {
    CheckDuplicates(section, map);
    for (const YamlNode& entry : map.items) ReadEntry(section, entry);
  }

  void CheckDuplicates(const std::string& section, const YamlNode& map) {
    std::map<std::string_view, int> seen;
    for (const YamlNode& entry : map.items) {
      const auto [first, is_new] = seen.try_emplace(entry.name, entry.line);
      if (is_new) continue;
      Find(entry.line, Join(section, entry.name),
           fmt::format("stands here a second time; line {} has it already", first->second));
    }
  }

  void ReadEntry(const std::string& section, const YamlNode& entry) {
    const std::string path = Join(section, entry.name);
    if (entry.name.find('.') != std::string::npos) {
      // Read as a path it could stand for a key of a group, outside of any group.
      FindDotted(path, entry);
    } else if (path == "tags" || path == "source.budget.calendar") {
      lines_[path] = entry.line;
      path == "tags" ? ReadTags(entry) : ReadCalendar(entry);
    } else if (const Key* key = FindKey(path)) {
      lines_[path] = entry.line;
      ReadKey(*key, entry);
    } else if (IsSection(path)) {
      lines_[path] = entry.line;
      if (entry.kind == YamlNode::Kind::kMap) {
        ReadSection(path, entry);
      } else if (entry.kind != YamlNode::Kind::kNull) {
        Find(entry.line, path, fmt::format("must be a map of keys, not {}", Describe(entry.kind)));
      }
    } else {
      FindUnknown(section, entry);
    }
  }

  void ReadKey(const Key& key, const YamlNode& entry) {
    if (entry.kind == YamlNode::Kind::kMap) CheckDuplicates(std::string(key.path), entry);
    const auto status = key.read(Value(entry, outside_, key.is_secret), config_);
    if (status) return;
    Find(entry.line, key.path, status.error().message);
    refused_.insert(key.path);
  }

  void ReadTags(const YamlNode& entry) {
    ReadGroups("tags", "{server: PISRV, include: ['U1.*']}", entry, [this](const YamlNode& group) {
      config_.tags.emplace_back();
      ReadSection("tags", group);
      if (!Sets(group, {"include", "points", "web_ids", "file"})) {
        Find(group.line, "tags",
             "a group selects nothing without include, points, web_ids or file");
      }
    });
  }

  void ReadCalendar(const YamlNode& entry) {
    constexpr std::string_view kPath = "source.budget.calendar";
    ReadGroups(kPath, "{days: mon-fri, from: '07:00', to: '18:00', scale: 25%}", entry,
               [&](const YamlNode& group) {
                 config_.source.calendar.emplace_back();
                 ReadSection(std::string(kPath), group);
                 if (!Sets(group, {"scale", "pause"})) {
                   Find(group.line, kPath, "a group changes nothing without scale or pause");
                 }
               });
  }

  /// A list of maps, each of which `read` takes.
  void ReadGroups(std::string_view path, std::string_view example, const YamlNode& entry,
                  const std::function<void(const YamlNode&)>& read) {
    if (entry.kind != YamlNode::Kind::kList || entry.items.empty()) {
      Find(entry.line, path, fmt::format("must be a list of groups, such as `- {}`", example));
      return;
    }
    for (const YamlNode& group : entry.items) {
      if (group.kind == YamlNode::Kind::kMap) {
        read(group);
      } else {
        Find(group.line, path,
             fmt::format("each group must be a map such as {}, not {}", example,
                         Describe(group.kind)));
      }
    }
  }

  static bool Sets(const YamlNode& group, std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(group.items, [&](const YamlNode& entry) {
      return std::ranges::find(words, std::string_view(entry.name)) != words.end();
    });
  }

  void FindDotted(const std::string& path, const YamlNode& entry) {
    const bool is_known = FindKey(path) != nullptr || IsSection(path);
    Find(entry.line, path,
         is_known ? fmt::format("a key holds no dot; write `{}` below `{}`", LastWord(path),
                                path.substr(0, path.rfind('.')))
                  : "is no key, and no key holds a dot; docs/configuration.md lists them all");
  }

  void FindUnknown(const std::string& section, const YamlNode& entry) {
    const std::string path = Join(section, entry.name);
    if (const auto word = Nearest(entry.name, WordsOf(section)); !word.empty()) {
      Find(entry.line, path, fmt::format("is no key; did you mean {}?", Join(section, word)));
      return;
    }
    for (const Key& key : Keys()) {
      if (LastWord(key.path) == entry.name) {
        Find(entry.line, path, fmt::format("is no key here; did you mean {}?", key.path));
        return;
      }
    }
    Find(entry.line, path, "is no key; docs/configuration.md lists them all");
  }

  int LineOf(std::string_view path, int otherwise) const {
    const auto found = lines_.find(path);
    return found == lines_.end() ? otherwise : found->second;
  }

  bool Has(std::string_view path) const { return lines_.find(path) != lines_.end(); }

  void CheckAuth(int otherwise) {
    if (refused_.contains("source.auth.kind")) return;  // what goes with it is not known
    const int line = LineOf("source.auth.kind", LineOf("source.auth", otherwise));
    const AuthKind kind = config_.source.auth.kind;
    for (const AuthWord& word : kAuthWords) {
      const std::string path = fmt::format("source.auth.{}", word.word);
      const bool belongs = std::ranges::find(word.kinds, kind) != word.kinds.end();
      if (belongs && word.is_required && !Has(path)) {
        Find(line, path, "is missing: source.auth.kind asks for it");
      }
      if (!belongs && Has(path)) {
        Find(LineOf(path, line), path,
             fmt::format("goes with source.auth.kind {}", word.kinds_in_words));
      }
    }
    if (kind == AuthKind::kBearer) CheckBearer(line);
    if (Has("source.auth.key") && !Has("source.auth.certificate")) {
      Find(LineOf("source.auth.key", line), "source.auth.key", "goes with source.auth.certificate");
    }
  }

  void CheckBearer(int line) {
    const auto given = std::ranges::count_if(
        std::initializer_list<std::string_view>{"token", "token_file", "token_command"},
        [&](std::string_view word) { return Has(fmt::format("source.auth.{}", word)); });
    if (given == 0) {
      Find(line, "source.auth.token",
           "is missing: source.auth.kind asks for it, or for token_file or token_command");
    }
    if (given > 1) {
      Find(line, "source.auth", "only one of token, token_file and token_command may be there");
    }
  }

  void CheckProxy() {
    for (const std::string_view path : {"source.proxy.username", "source.proxy.password"}) {
      if (Has(path) && !Has("source.proxy.url")) {
        Find(LineOf(path, 1), path, "goes with source.proxy.url");
      }
    }
  }

  /// What lies ahead of now stands in the tail only.
  void CheckFuture() {
    constexpr Duration kCovered = Duration::Minutes(15);  // ahead of now, without a tail too
    const std::string_view path = "future.horizon";
    if (!config_.table.tail && Has(path) && config_.future.horizon > kCovered) {
      Find(LineOf(path, 1), path,
           "shows nothing without a tail: table.tail must not be none, or this no longer than 15m");
    }
  }

  /// What is said of a catalog goes with a name in it.
  void CheckCatalog() {
    if (config_.table.path.starts_with("uc://")) return;
    for (const std::string_view path : {"table.location", "table.catalog"}) {
      if (!Has(path)) continue;
      Find(LineOf(path, 1), path, "goes with a table.path such as uc://catalog.schema.table");
    }
  }

  /// The historian of this machine is a simulator or at least our own: nobody to be gentle with.
  void LiftBudget() {
    config_.source.budget_is_default = std::ranges::none_of(
        std::initializer_list<std::string_view>{"in_flight", "calls_per_second",
                                                "series_reads_per_second", "events_per_second"},
        [&](std::string_view word) { return Has(fmt::format("source.budget.{}", word)); });
    if (config_.source.budget_is_default && IsLoopback(config_.source.url)) {
      config_.source.budget = {.in_flight = kInFlightLifted};
    }
  }

  Config& config_;
  const Outside& outside_;
  const Needs needs_;
  std::map<std::string, int, std::less<>> lines_;  ///< of keys and sections that the file sets
  std::set<std::string_view> refused_;             ///< keys whose value is none
};

tl::unexpected<Error> FailWith(const std::multimap<int, std::string>& findings,
                               std::string_view file_name) {
  std::string message;
  for (const auto& [line, text] : findings) {
    if (!message.empty()) message += '\n';
    message += fmt::format("{}:{}: {}", file_name, line, text);
  }
  return Fail(ErrorKind::kInvalid, "{}", message);
}

std::string FolderOf(const std::string& file_name) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(file_name.empty() ? "." : file_name, error);
  return error ? "." : absolute.parent_path().string();
}

Result<Config> Read(std::string_view text, const std::string& file_name, const Outside& outside,
                    Needs needs) {
  const auto root = ParseYaml(text);
  if (!root) return FailWith({{root.error().line, root.error().text}}, file_name);
  Config config = Defaults();
  Reading reading(config, outside, needs);
  reading.Read(*root);
  if (!reading.findings.empty()) return FailWith(reading.findings, file_name);
  return config;
}

}  // namespace

Config Defaults() {
  Config config;
  const Outside outside{.folder = "."};
  for (const Key& key : Keys()) {
    if (key.fallback.empty()) continue;
    const YamlNode node{.kind = YamlNode::Kind::kScalar, .text = std::string(key.fallback)};
    [[maybe_unused]] const auto status = key.read(Value(node, outside, false), config);
    assert(status.has_value());
  }
  return config;
}

Result<Config> Load(const std::string& path, Needs needs) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return Fail(ErrorKind::kInvalid,
                "there is no configuration file '{}'; `pilake init` writes a starter", path);
  }
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
  return Read(text, path, {.folder = FolderOf(path), .runs_commands = true}, needs);
}

Result<Config> Parse(std::string_view text, const std::string& file_name, Needs needs) {
  return Read(text, file_name, {.folder = FolderOf(file_name)}, needs);
}

bool IsLoopback(std::string_view url) {
  const size_t begin = url.find("://");
  if (begin == std::string_view::npos) return false;
  url.remove_prefix(begin + 3);
  url = url.substr(0, url.find('/'));
  const std::string_view host =
      url.starts_with("[") ? url.substr(0, url.find(']') + 1) : url.substr(0, url.find(':'));
  const bool is_ipv4 =
      std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return host == "localhost" || host == "[::1]" || (is_ipv4 && host.starts_with("127."));
}

}  // namespace pilake::config
