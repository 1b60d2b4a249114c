// SPDX-License-Identifier: Apache-2.0
// The configuration as plain values: what a file says, with defaults filled in and checked.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/secret.h"
#include "core/result.h"
#include "core/time.h"

namespace pilake::config {

enum class AuthKind { kAnonymous, kBasic, kBearer, kOidc, kKerberos, kNtlm };

struct Auth {
  AuthKind kind = AuthKind::kAnonymous;
  std::string username;
  Secret password;
  Secret token;
  std::string token_file;                  ///< a path
  std::vector<std::string> token_command;  ///< a program and its arguments
  std::string issuer;                      ///< empty: the source tells
  std::string client_id;
  Secret client_secret;
  std::string scope;
  std::string keytab;       ///< a path
  std::string principal;    ///< empty: the keytab's first, or the cache's
  std::string cache;        ///< as in KRB5CCNAME
  std::string service;      ///< empty: HTTP/<host of the source>
  std::string certificate;  ///< a path
  std::string key;          ///< a path; empty: it stands with the certificate
};

/// Between us and the source.
struct Proxy {
  std::string url;  ///< empty: what the environment says
  std::string username;
  Secret password;
};

/// What pilake may ask of the server. A rate of 0 is no limit.
struct Budget {
  int64_t in_flight = 0;
  int64_t calls_per_second = 0;
  int64_t series_reads_per_second = 0;
  int64_t events_per_second = 0;
};

enum class Pause { kNone, kBackfill, kAll };

/// Hours of the week in which less of the budget may be used, or more.
struct CalendarEntry {
  std::array<bool, 7> days{true, true, true, true, true, true, true};  ///< Monday first
  Duration from{};                                                     ///< since midnight
  Duration to = Duration::Days(1);  ///< since midnight; not after `from`: on the next day
  int64_t scale_percent = 100;      ///< of the budget
  Pause pause = Pause::kNone;
};

enum class Gzip { kAuto, kOn, kOff };

struct Timeouts {
  Duration connect;  ///< until a connection stands, TLS included
  Duration stall;    ///< without a single byte
  Duration total;    ///< for one call
};

struct Source {
  std::string name;
  std::string url;  ///< `http[s]://host[:port]/path`, without a slash at the end
  Auth auth;
  Proxy proxy;
  Budget budget;
  bool budget_is_default = true;  ///< The file sets no limit of `budget`.
  Duration zone;                  ///< The calendar's local time is UTC plus this.
  std::vector<CalendarEntry> calendar;
  std::string pause_file;  ///< empty: there is none
  Duration patience;       ///< with a source that answered before and does so no more
  Gzip gzip = Gzip::kAuto;
  Timeouts timeouts;
};

/// How `pilake stream` is to hear of new events.
enum class Hear { kAuto, kChannels, kUpdates, kSweep };

/// Points of one data server, or of all when `server` is empty.
struct TagSelection {
  std::string server;
  std::vector<std::string> include;  ///< masks
  std::vector<std::string> exclude;  ///< masks; they also take away what the other keys select
  std::vector<std::string> points;   ///< exact names, those read from `file` included
  std::vector<std::string> web_ids;
  bool hot = false;  ///< a stream hears of them first
  Hear hear = Hear::kAuto;
};

struct History {
  UtcTime from;
  Duration settle;
  Duration second_look;
};

/// Of points that take events beyond now.
struct Future {
  Duration horizon;
  Duration refresh;
  Duration lookback;
};

/// Of `pilake stream`.
struct Stream {
  std::string listen;    ///< `127.0.0.1:9464`; empty: it shows no page
  int64_t channels = 0;  ///< at most; 0: none
  Duration commit_every;
  Duration hot_every;
  Duration updates_every;
  Duration sweep_every;
  Duration settle_every;
  Duration resolve_every;
};

/// The Unity Catalog in which `uc://` names are found.
struct Catalog {
  std::string url;
  Secret token;
  std::string client_id;
  Secret client_secret;
  bool lends_keys = true;
};

struct Table {
  std::string path;      ///< An absolute path, or a URL as it was written.
  std::string location;  ///< Where tables that the catalog does not have are made.
  Catalog catalog;
  bool tail = true;
  std::map<std::string, Secret> options;
};

struct Trust {
  std::vector<std::string> ca;  ///< paths of PEM files, readable when the configuration was read
};

struct Quarantine {
  int64_t exit = 3;
};

struct Config {
  Source source;
  std::vector<TagSelection> tags;
  History history;
  Future future;
  Stream stream;
  Table table;
  Trust trust;
  Quarantine quarantine;
};

/// What an empty file would mean, if it were allowed: every key that has a default.
Config Defaults();

/// What a configuration is for.
enum class Needs : uint8_t {
  kTable,   ///< a source and the table that is kept equal to it
  kSource,  ///< a source alone: without `table.path`, and `history.from` means all there is
};

/// Reads the file `path`. `kInvalid` names all that is wrong with it at once, one line each:
/// `plant.yaml:7: source.budget.in_flight: …`. Relative paths in it are meant from its own folder.
Result<Config> Load(const std::string& path, Needs needs = Needs::kTable);

/// The same for `text`, which came from `file_name`; but no program is run for it. Never throws,
/// whatever the bytes.
Result<Config> Parse(std::string_view text, const std::string& file_name,
                     Needs needs = Needs::kTable);

/// Whether `url` names this very machine (`localhost`, `127.…`, `[::1]`).
bool IsLoopback(std::string_view url);

}  // namespace pilake::config
