// SPDX-License-Identifier: Apache-2.0
#include "config/keys.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <sstream>

#include "config/expand.h"

namespace pilake::config {
namespace {

constexpr int64_t kRateMax = 1'000'000'000;
constexpr bool kRequired = true;
constexpr bool kOptional = false;
constexpr bool kSecret = true;
constexpr bool kPlain = false;

bool IsUrlCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("-._~/:[]%").find(c) != std::string_view::npos;
}

Status ReadName(const Value& value, std::string* name) {
  RETURN_IF_ERROR(value.ToText(name));
  const bool is_word = std::ranges::all_of(*name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
  if (!is_word) {
    return Fail(ErrorKind::kInvalid, "must consist of letters, digits, `_`, `-` and `.`");
  }
  return {};
}

/// What stands behind the host of `host[:port]`; nothing if there is no port.
std::optional<std::string_view> PortOf(std::string_view authority) {
  const size_t colon = authority.find(':', authority.find(']') + 1);
  if (colon == std::string_view::npos) return std::nullopt;
  return authority.substr(colon + 1);
}

Status CheckPort(std::optional<std::string_view> port) {
  if (!port) return {};
  const bool is_port = !port->empty() && port->size() <= 5 &&
                       std::ranges::all_of(*port, [](char c) { return c >= '0' && c <= '9'; }) &&
                       std::stoi(std::string(*port)) >= 1 && std::stoi(std::string(*port)) <= 65535;
  if (!is_port) return Fail(ErrorKind::kInvalid, "'{}' is not a port from 1 to 65535", *port);
  return {};
}

/// `https://host[:port]/path`, nothing before or behind it.
Status ReadUrl(const Value& value, std::string* url) {
  RETURN_IF_ERROR(value.ToText(url));
  while (url->ends_with('/')) url->pop_back();
  const size_t scheme = url->starts_with("https://") ? 8 : url->starts_with("http://") ? 7 : 0;
  if (scheme == 0 || scheme == url->size()) {
    return Fail(ErrorKind::kInvalid,
                "must be the address of the service, such as https://pi.example.com/piwebapi");
  }
  const std::string_view authority =
      std::string_view(*url).substr(scheme, url->find('/', scheme) - scheme);
  if (authority.find('@') != std::string_view::npos) {
    return Fail(ErrorKind::kInvalid, "must not hold a user name; that is what source.auth is for");
  }
  if (authority.empty() || !std::ranges::all_of(url->substr(scheme), IsUrlCharacter)) {
    return Fail(
        ErrorKind::kInvalid,
        "must end with the path of the service, such as /piwebapi: no spaces, no `?`, no `#`");
  }
  return CheckPort(PortOf(authority));
}

Status ReadProxyUrl(const Value& value, std::string* url) {
  RETURN_IF_ERROR(value.ToText(url));
  const size_t scheme_end = url->find("://");
  if (url->find('@') != std::string::npos) {
    return Fail(ErrorKind::kInvalid,
                "must not hold a user name; that is what source.proxy.username is for");
  }
  if (scheme_end == std::string::npos || scheme_end + 3 == url->size()) {
    return Fail(ErrorKind::kInvalid, "must be an address such as http://proxy.example.com:3128");
  }
  return {};
}

/// The names in a file, one a line; blank lines and lines that begin with `#` are left out.
Status ReadNamesFile(const Value& value, std::vector<std::string>* names) {
  std::string path;
  RETURN_IF_ERROR(value.ToPath(&path));
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
  std::istringstream lines(text);
  const size_t names_before = names->size();
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) {
      line.pop_back();
    }
    if (!line.empty() && line.front() != '#') names->push_back(std::move(line));
  }
  if (names->size() == names_before) {
    return Fail(ErrorKind::kInvalid, "'{}' holds no name; write one a line", path);
  }
  return {};
}

Status ReadWebIds(const Value& value, std::vector<std::string>* web_ids) {
  RETURN_IF_ERROR(value.ToTexts(web_ids));
  for (const std::string& web_id : *web_ids) {
    const bool is_web_id = std::ranges::all_of(
        web_id, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
    if (!is_web_id) return Fail(ErrorKind::kInvalid, "'{}' is not a WebID", web_id);
  }
  return {};
}

Status ReadTrustFiles(const Value& value, std::vector<std::string>* paths) {
  RETURN_IF_ERROR(value.ToTexts(paths));
  for (std::string& path : *paths) {
    path = FromFolder(value.folder(), path);
    ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
    if (text.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
      return Fail(ErrorKind::kInvalid, "'{}' holds no certificate in PEM form", path);
    }
  }
  return {};
}

/// Anybody who reaches it may read it, so it is for this machine.
Status ReadListen(const Value& value, std::string* listen) {
  RETURN_IF_ERROR(value.ToText(listen));
  const auto port = PortOf(*listen);
  if (!port || !IsLoopback("http://" + *listen)) {
    return Fail(ErrorKind::kInvalid,
                "must be an address of this machine with a port, such as 127.0.0.1:9464, not "
                "'{}'; for others put a proxy in front of it",
                *listen);
  }
  return CheckPort(port);
}

Status ReadAuthKind(const Value& value, AuthKind* kind) {
  return value.ToChoice<AuthKind>({{"anonymous", AuthKind::kAnonymous},
                                   {"basic", AuthKind::kBasic},
                                   {"bearer", AuthKind::kBearer},
                                   {"oidc", AuthKind::kOidc},
                                   {"kerberos", AuthKind::kKerberos},
                                   {"ntlm", AuthKind::kNtlm}},
                                  kind);
}

constexpr Key kKeys[] = {
    {"source.name", "name", "pi", kOptional, kPlain,
     "What this PI system is called in logs and in the table's commits.",
     [](const Value& v, Config& c) { return ReadName(v, &c.source.name); }},
    {"source.url", "http or https address", "", kRequired, kPlain,
     "The address of PI Web API, with its path: https://pi.example.com/piwebapi.",
     [](const Value& v, Config& c) { return ReadUrl(v, &c.source.url); }},
    {"source.gzip", "auto, on or off", "auto", kOptional, kPlain,
     "Whether answers travel compressed; auto asks for it unless the server is on this machine.",
     [](const Value& v, Config& c) {
       return v.ToChoice<Gzip>({{"auto", Gzip::kAuto}, {"on", Gzip::kOn}, {"off", Gzip::kOff}},
                               &c.source.gzip);
     }},
    {"source.patience", "span, 0s to 1d", "5m", kOptional, kPlain,
     "How long a run goes on asking a source that has answered before and does so no more.",
     [](const Value& v, Config& c) {
       return v.ToSpan(Duration{}, Duration::Days(1), &c.source.patience);
     }},
    {"source.auth.kind", "anonymous, basic, bearer, oidc, kerberos or ntlm", "anonymous", kOptional,
     kPlain, "How pilake says who it is: docs/sign-on.md.",
     [](const Value& v, Config& c) { return ReadAuthKind(v, &c.source.auth.kind); }},
    {"source.auth.username", "text", "", kOptional, kPlain,
     "For basic and ntlm. Write 'DOMAIN\\user' in single quotes.",
     [](const Value& v, Config& c) { return v.ToText(&c.source.auth.username); }},
    {"source.auth.password", "text", "", kOptional, kSecret,
     "For basic and ntlm; better '${env:PI_PASSWORD}', '${file:secrets/pi}' or '${command:pass "
     "show pi}' "
     "than "
     "the word itself.",
     [](const Value& v, Config& c) { return v.ToSecret(&c.source.auth.password); }},
    {"source.auth.token", "text", "", kOptional, kSecret,
     "For bearer: the token itself, or where it is to be had as with the password. It is looked "
     "for "
     "once, when the configuration is read.",
     [](const Value& v, Config& c) { return v.ToSecret(&c.source.auth.token); }},
    {"source.auth.token_file", "path", "", kOptional, kPlain,
     "For bearer, instead: a file in which somebody else keeps the token that is good now. It is "
     "read for each request.",
     [](const Value& v, Config& c) { return v.ToPath(&c.source.auth.token_file); }},
    {"source.auth.token_command", "program and its arguments, as a list or a text", "", kOptional,
     kPlain,
     "For bearer, instead: a program that prints the token. It is run without a shell when a token "
     "is needed: at first, before the last one (a JWT) runs out, and when it was refused. Its "
     "arguments can be seen by everybody on the machine.",
     [](const Value& v, Config& c) { return v.ToCommand(&c.source.auth.token_command); }},
    {"source.auth.client_id", "text", "", kOptional, kPlain,
     "For oidc: as what the issuer knows pilake (client credentials grant).",
     [](const Value& v, Config& c) { return v.ToText(&c.source.auth.client_id); }},
    {"source.auth.client_secret", "text", "", kOptional, kSecret, "For oidc: that client's secret.",
     [](const Value& v, Config& c) { return v.ToSecret(&c.source.auth.client_secret); }},
    {"source.auth.issuer", "http or https address", "", kOptional, kPlain,
     "For oidc: where the issuer is, without /.well-known/openid-configuration; if left out, PI "
     "Web "
     "API itself says who it is.",
     [](const Value& v, Config& c) { return ReadUrl(v, &c.source.auth.issuer); }},
    {"source.auth.scope", "text", "system", kOptional, kPlain,
     "For oidc: what the token is asked for; `system` is AVEVA Identity Manager's.",
     [](const Value& v, Config& c) { return v.ToText(&c.source.auth.scope); }},
    {"source.auth.keytab", "path", "", kOptional, kPlain,
     "For kerberos: a file with the account's key, by which tickets are fetched and replaced in "
     "time; if left out, they come from source.auth.cache, and others have to replace them.",
     [](const Value& v, Config& c) { return v.ToPath(&c.source.auth.keytab); }},
    {"source.auth.principal", "text such as reader@PLANT.EXAMPLE.COM", "", kOptional, kPlain,
     "For kerberos: which of the keytab's or the cache's accounts; the first if left out.",
     [](const Value& v, Config& c) { return v.ToText(&c.source.auth.principal); }},
    {"source.auth.cache", "text such as FILE:/run/pilake/krb5cc", "", kOptional, kPlain,
     "For kerberos: where tickets are kept, as in KRB5CCNAME; if left out, in memory with a "
     "keytab, "
     "and where the system has them without.",
     [](const Value& v, Config& c) { return v.ToText(&c.source.auth.cache); }},
    {"source.auth.service", "text such as HTTP/pi.example.com", "", kOptional, kPlain,
     "For kerberos: the name by which the domain knows PI Web API; if left out, HTTP/ and the host "
     "of source.url.",
     [](const Value& v, Config& c) { return v.ToText(&c.source.auth.service); }},
    {"source.auth.certificate", "path", "", kOptional, kPlain,
     "With any kind: a PEM file with the certificate, and those of the authorities in between, by "
     "which a TLS server or gateway knows pilake.",
     [](const Value& v, Config& c) { return v.ToPath(&c.source.auth.certificate); }},
    {"source.auth.key", "path", "", kOptional, kPlain,
     "A PEM file with the certificate's private key, without a password; if left out, it stands in "
     "the certificate's file.",
     [](const Value& v, Config& c) { return v.ToPath(&c.source.auth.key); }},
    {"source.proxy.url", "address such as http://proxy.example.com:3128", "", kOptional, kPlain,
     "The proxy on the way to the source; if left out, https_proxy and its like say so. For a "
     "source on this machine the environment's is never taken.",
     [](const Value& v, Config& c) { return ReadProxyUrl(v, &c.source.proxy.url); }},
    {"source.proxy.username", "text", "", kOptional, kPlain, "Who the proxy shall take us for.",
     [](const Value& v, Config& c) { return v.ToText(&c.source.proxy.username); }},
    {"source.proxy.password", "text", "", kOptional, kSecret, "As with source.auth.password.",
     [](const Value& v, Config& c) { return v.ToSecret(&c.source.proxy.password); }},
    {"source.budget.in_flight", "whole number, 1 to 64", "4", kOptional, kPlain,
     "How many calls may be on their way at once.",
     [](const Value& v, Config& c) { return v.ToWhole(1, 64, &c.source.budget.in_flight); }},
    {"source.budget.calls_per_second", "whole number a second; 0 is no limit", "25", kOptional,
     kPlain, "How many calls may begin in a second.",
     [](const Value& v, Config& c) {
       return v.ToWhole(0, kRateMax, &c.source.budget.calls_per_second);
     }},
    {"source.budget.series_reads_per_second", "whole number a second; 0 is no limit", "1000",
     kOptional, kPlain,
     "How many series the archive may be asked for in a second; every member of a bulk call "
     "counts.",
     [](const Value& v, Config& c) {
       return v.ToWhole(0, kRateMax, &c.source.budget.series_reads_per_second);
     }},
    {"source.budget.events_per_second", "whole number a second; 0 is no limit", "50000", kOptional,
     kPlain, "How many events the server may have to deliver in a second.",
     [](const Value& v, Config& c) {
       return v.ToWhole(0, kRateMax, &c.source.budget.events_per_second);
     }},
    {"source.budget.pause_file", "path", "", kOptional, kPlain,
     "While this file exists no new call begins; with the word `backfill` in it, none of a "
     "backfill.",
     [](const Value& v, Config& c) { return v.ToPath(&c.source.pause_file); }},
    {"source.budget.zone", "UTC or an offset such as '+01:00'", "UTC", kOptional, kPlain,
     "The time zone of the calendar. It knows no summer time.",
     [](const Value& v, Config& c) { return v.ToZone(&c.source.zone); }},
    {"source.budget.calendar.days", "days such as mon-fri or [sat, sun]", "", kOptional, kPlain,
     "The days on which the group's hours begin; every day if left out.",
     [](const Value& v, Config& c) { return v.ToDays(&c.source.calendar.back().days); }},
    {"source.budget.calendar.from", "time of day such as '07:30'", "", kOptional, kPlain,
     "When the group's hours begin; midnight if left out.",
     [](const Value& v, Config& c) { return v.ToTimeOfDay(&c.source.calendar.back().from); }},
    {"source.budget.calendar.to", "time of day such as '18:00'", "", kOptional, kPlain,
     "When they end; if that is not later than `from`, on the next day. Midnight if left out.",
     [](const Value& v, Config& c) { return v.ToTimeOfDay(&c.source.calendar.back().to); }},
    {"source.budget.calendar.scale", "percentage, 1% to 1000%", "", kOptional, kPlain,
     "How much of the budget may be used then. Where groups overlap, the strictest counts.",
     [](const Value& v, Config& c) {
       return v.ToPercent(1, 1'000, &c.source.calendar.back().scale_percent);
     }},
    {"source.budget.calendar.pause", "all or backfill", "", kOptional, kPlain,
     "That no call begins then, or none of a backfill.",
     [](const Value& v, Config& c) {
       return v.ToChoice<Pause>({{"all", Pause::kAll}, {"backfill", Pause::kBackfill}},
                                &c.source.calendar.back().pause);
     }},
    {"source.timeouts.connect", "span, 1s to 10m", "10s", kOptional, kPlain,
     "How long a connection may take to stand, TLS included.",
     [](const Value& v, Config& c) {
       return v.ToSpan(Duration::Seconds(1), Duration::Minutes(10), &c.source.timeouts.connect);
     }},
    {"source.timeouts.stall", "span, 1s to 1h", "2m", kOptional, kPlain,
     "How long a call may stay without a single byte.",
     [](const Value& v, Config& c) {
       return v.ToSpan(Duration::Seconds(1), Duration::Hours(1), &c.source.timeouts.stall);
     }},
    {"source.timeouts.total", "span, 1s to 1d", "15m", kOptional, kPlain,
     "How long one call may take in all.",
     [](const Value& v, Config& c) {
       return v.ToSpan(Duration::Seconds(1), Duration::Days(1), &c.source.timeouts.total);
     }},
    {"tags.server", "text", "", kOptional, kPlain,
     "The PI Data Archive whose points are meant, as PI Web API names it; all of them if left out.",
     [](const Value& v, Config& c) { return v.ToText(&c.tags.back().server); }},
    {"tags.include", "list of masks", "", kOptional, kPlain,
     "Points by mask: `*` any text, `?` one character; '*' alone is every point.",
     [](const Value& v, Config& c) { return v.ToTexts(&c.tags.back().include); }},
    {"tags.exclude", "list of masks", "", kOptional, kPlain,
     "Points to leave out again, whichever key of this group selected them.",
     [](const Value& v, Config& c) { return v.ToTexts(&c.tags.back().exclude); }},
    {"tags.points", "list of texts", "", kOptional, kPlain, "Points by their exact names.",
     [](const Value& v, Config& c) { return v.ToTexts(&c.tags.back().points); }},
    {"tags.web_ids", "list of texts", "", kOptional, kPlain, "Points by WebID.",
     [](const Value& v, Config& c) { return ReadWebIds(v, &c.tags.back().web_ids); }},
    {"tags.file", "path", "", kOptional, kPlain,
     "A file of exact names, one a line; lines that begin with `#` are left out.",
     [](const Value& v, Config& c) { return ReadNamesFile(v, &c.tags.back().points); }},
    {"tags.hot", "true or false", "", kOptional, kPlain,
     "`pilake stream`: that these are the points to be heard of first; false if left out.",
     [](const Value& v, Config& c) {
       return v.ToChoice<bool>({{"true", true}, {"false", false}}, &c.tags.back().hot);
     }},
    {"tags.hear", "auto, channels, updates or sweep", "", kOptional, kPlain,
     "`pilake stream`: the best way by which these are heard of. With auto, which it is if left "
     "out, a channel as far as stream.channels go, hot points first, then Stream Updates. Where "
     "the server refuses one way the next stands in.",
     [](const Value& v, Config& c) {
       return v.ToChoice<Hear>({{"auto", Hear::kAuto},
                                {"channels", Hear::kChannels},
                                {"updates", Hear::kUpdates},
                                {"sweep", Hear::kSweep}},
                               &c.tags.back().hear);
     }},
    {"history.from", "date or UTC time", "", kRequired, kPlain,
     "Where the table's history begins; earlier events are not read.",
     [](const Value& v, Config& c) { return v.ToTime(&c.history.from); }},
    {"history.settle", "span, 0s to 30d", "10m", kOptional, kPlain,
     "How old an event must be before its row is taken for final.",
     [](const Value& v, Config& c) {
       return v.ToSpan(Duration{}, Duration::Days(30), &c.history.settle);
     }},
    {"history.second_look", "span, 1h to 365d", "36h", kOptional, kPlain,
     "How old events are when they are read a second time: what came out of order or was edited "
     "meanwhile is found then.",
     [](const Value& v, Config& c) {
       return v.ToSpan(Duration::Hours(1), Duration::Days(365), &c.history.second_look);
     }},
    {"future.horizon", "span, 15m to 365d", "15m", kOptional, kPlain,
     "How far beyond now the table shows what future points (forecasts) hold. It stands in the "
     "tail and is never final, so table.tail must not be none. Every point is shown by 15 minutes.",
     [](const Value& v, Config& c) {
       return v.ToSpan(Duration::Minutes(15), Duration::Days(365), &c.future.horizon);
     }},
    {"future.refresh", "span, 1m to 30d", "1h", kOptional, kPlain,
     "How often what lies further ahead than 15 minutes is read again, and future.lookback with "
     "it; runs in between leave it as it is.",
     [](const Value& v, Config& c) {
       return v.ToSpan(Duration::Minutes(1), Duration::Days(30), &c.future.refresh);
     }},
    {"future.lookback", "span, 0s to 30d", "0s", kOptional, kPlain,
     "How long after its time a forecast may be revised: so much of the past of future points is "
     "compared with the archive again at each refresh. Whatever it is, history.second_look finds "
     "revisions too.",
     [](const Value& v, Config& c) {
       return v.ToSpan(Duration{}, Duration::Days(30), &c.future.lookback);
     }},
    {"stream.commit_every", "span, 1s to 1h", "2s", kOptional, kPlain,
     "`pilake stream`: how long what was heard may wait before it is a version of the table.",
     [](const Value& v, Config& c) {
       return v.ToSpan(Duration::Seconds(1), Duration::Hours(1), &c.stream.commit_every);
     }},
    {"stream.channels", "whole number, 0 to 5000", "64", kOptional, kPlain,
     "`pilake stream`: how many WebSockets it may keep open, each for some 170 points.",
     [](const Value& v, Config& c) { return v.ToWhole(0, 5'000, &c.stream.channels); }},
    {"stream.hot_every", "span, 1s to 1h", "5s", kOptional, kPlain,
     "`pilake stream`: how often hot points that have no channel are asked for by Stream Updates.",
     [](const Value& v, Config& c) {
       return v.ToSpan(Duration::Seconds(1), Duration::Hours(1), &c.stream.hot_every);
     }},
    {"stream.updates_every", "span, 1s to 1h", "30s", kOptional, kPlain,
     "`pilake stream`: how often the other points are.",
     [](const Value& v, Config& c) {
       return v.ToSpan(Duration::Seconds(1), Duration::Hours(1), &c.stream.updates_every);
     }},
    {"stream.sweep_every", "span, 1s to 1h", "10s", kOptional, kPlain,
     "`pilake stream`: how often the current values are asked for of points that are heard of in "
     "no other way, within the budget.",
     [](const Value& v, Config& c) {
       return v.ToSpan(Duration::Seconds(1), Duration::Hours(1), &c.stream.sweep_every);
     }},
    {"stream.settle_every", "span, 10s to 1d", "1m", kOptional, kPlain,
     "`pilake stream`: how often the archive is read, as by `pilake run`: rows become final, and "
     "what compression dropped goes.",
     [](const Value& v, Config& c) {
       return v.ToSpan(Duration::Seconds(10), Duration::Days(1), &c.stream.settle_every);
     }},
    {"stream.resolve_every", "span, 1m to 1d", "10m", kOptional, kPlain,
     "`pilake stream`: how often the tags are resolved anew: new points that a mask selects join, "
     "with their history.",
     [](const Value& v, Config& c) {
       return v.ToSpan(Duration::Minutes(1), Duration::Days(1), &c.stream.resolve_every);
     }},
    {"stream.listen", "address such as 127.0.0.1:9464", "", kOptional, kPlain,
     "`pilake stream`: where it shows how it is, to Prometheus (/metrics), an orchestrator "
     "(/healthz, /readyz) and `pilake status --watch`. Only an address of this machine.",
     [](const Value& v, Config& c) { return ReadListen(v, &c.stream.listen); }},
    {"table.path", "path or URL", "", kRequired, kPlain,
     "The Delta table: a folder, the URL of one in an object store, or uc://catalog.schema.table "
     "of "
     "a Unity Catalog. The tables of points and digital states stand beside it.",
     [](const Value& v, Config& c) { return v.ToPath(&c.table.path); }},
    {"table.location", "path or URL", "", kOptional, kPlain,
     "For uc:// names: the folder, within an external location, in which tables that the catalog "
     "does not have yet are made, each in a folder of its own name.",
     [](const Value& v, Config& c) { return v.ToPath(&c.table.location); }},
    {"table.tail", "current or none", "current", kOptional, kPlain,
     "What the table shows of events that are not final yet: all of them, in files that the next "
     "run replaces, or none. With none the table only grows, but for repairs: what streaming "
     "readers of the table need.",
     [](const Value& v, Config& c) {
       return v.ToChoice<bool>({{"current", true}, {"none", false}}, &c.table.tail);
     }},
    {"table.options", "map of texts", "", kOptional, kSecret,
     "Options of the object store, by the names it gives them (aws_region, "
     "azure_storage_account_name, …): docs/stores.md.",
     [](const Value& v, Config& c) { return v.ToSecrets(&c.table.options); }},
    {"table.catalog.url", "address such as https://adb-1.azuredatabricks.net", "", kOptional,
     kPlain, "For uc:// names: where the catalog is; if left out, DATABRICKS_HOST says so.",
     [](const Value& v, Config& c) { return ReadUrl(v, &c.table.catalog.url); }},
    {"table.catalog.token", "text", "", kOptional, kSecret,
     "What the catalog knows us by; if left out, DATABRICKS_TOKEN.",
     [](const Value& v, Config& c) { return v.ToSecret(&c.table.catalog.token); }},
    {"table.catalog.client_id", "text", "", kOptional, kPlain,
     "Instead of a token, a service principal of Databricks; if left out, DATABRICKS_CLIENT_ID.",
     [](const Value& v, Config& c) { return v.ToText(&c.table.catalog.client_id); }},
    {"table.catalog.client_secret", "text", "", kOptional, kSecret,
     "Its secret; if left out, DATABRICKS_CLIENT_SECRET.",
     [](const Value& v, Config& c) { return v.ToSecret(&c.table.catalog.client_secret); }},
    {"table.catalog.credentials", "vended or own", "vended", kOptional, kPlain,
     "Whether the catalog lends the keys of the store, or table.options and the environment have "
     "them.",
     [](const Value& v, Config& c) {
       return v.ToChoice<bool>({{"vended", true}, {"own", false}}, &c.table.catalog.lends_keys);
     }},
    {"trust.ca", "list of paths", "", kOptional, kPlain,
     "PEM files with certificate authorities to trust beside those of the system.",
     [](const Value& v, Config& c) { return ReadTrustFiles(v, &c.trust.ca); }},
    {"quarantine.exit", "3 or 0", "3", kOptional, kPlain,
     "The exit code of a run that had to leave series out: 3 says so, 0 accepts it.",
     [](const Value& v, Config& c) {
       return v.ToChoice<int64_t>({{"3", 3}, {"0", 0}}, &c.quarantine.exit);
     }},
};

}  // namespace

std::span<const Key> Keys() {
  return kKeys;
}

}  // namespace pilake::config
