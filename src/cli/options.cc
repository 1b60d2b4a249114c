// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include "config/command.h"

namespace pilake::cli {
namespace {

pi::AuthOptions::Kind KindFrom(config::AuthKind kind) {
  using Kind = pi::AuthOptions::Kind;
  switch (kind) {
    case config::AuthKind::kAnonymous:
      return Kind::kAnonymous;
    case config::AuthKind::kBasic:
      return Kind::kBasic;
    case config::AuthKind::kBearer:
      return Kind::kBearer;
    case config::AuthKind::kOidc:
      return Kind::kOidc;
    case config::AuthKind::kKerberos:
      return Kind::kKerberos;
    case config::AuthKind::kNtlm:
      return Kind::kNtlm;
  }
  return Kind::kAnonymous;
}

pi::AuthOptions AuthFrom(const config::Auth& auth) {
  pi::AuthOptions options{.kind = KindFrom(auth.kind),
                          .username = auth.username,
                          .password = auth.password.Reveal(),
                          .token = auth.token.Reveal(),
                          .token_file = auth.token_file,
                          .issuer = auth.issuer,
                          .client_id = auth.client_id,
                          .client_secret = auth.client_secret.Reveal(),
                          .scope = auth.scope,
                          .service = auth.service,
                          .keytab = auth.keytab,
                          .principal = auth.principal,
                          .cache = auth.cache};
  if (!auth.token_command.empty()) {
    options.token_command = [words = auth.token_command] { return config::RunCommand(words); };
  }
  return options;
}

/// On loopback the wire is faster than inflating what comes over it.
bool WantsGzip(const config::Source& source) {
  if (source.gzip == config::Gzip::kAuto) return !config::IsLoopback(source.url);
  return source.gzip == config::Gzip::kOn;
}

plan::BudgetLimits BudgetFrom(const config::Source& source) {
  return {.in_flight = static_cast<int>(source.budget.in_flight),
          .calls_per_second = static_cast<double>(source.budget.calls_per_second),
          .series_reads_per_second = static_cast<double>(source.budget.series_reads_per_second),
          .events_per_second = static_cast<double>(source.budget.events_per_second)};
}

plan::Pause PauseFrom(config::Pause pause) {
  switch (pause) {
    case config::Pause::kNone:
      return plan::Pause::kNone;
    case config::Pause::kBackfill:
      return plan::Pause::kBackfill;
    case config::Pause::kAll:
      return plan::Pause::kAll;
  }
  return plan::Pause::kNone;
}

pipeline::ThrottleOptions ThrottleFrom(const config::Source& source) {
  pipeline::ThrottleOptions options;
  options.pause_file = source.pause_file;
  options.calendar_zone = source.zone;
  for (const config::CalendarEntry& entry : source.calendar) {
    options.calendar.push_back({.days = entry.days,
                                .from = entry.from,
                                .to = entry.to,
                                .scale = static_cast<double>(entry.scale_percent) / 100,
                                .pause = PauseFrom(entry.pause)});
  }
  return options;
}

std::map<std::string, std::string> CatalogFrom(const config::Table& table) {
  const config::Catalog& catalog = table.catalog;
  std::map<std::string, std::string> words{{"url", catalog.url},
                                           {"token", catalog.token.Reveal()},
                                           {"client_id", catalog.client_id},
                                           {"client_secret", catalog.client_secret.Reveal()},
                                           {"location", table.location},
                                           {"credentials", catalog.lends_keys ? "" : "own"}};
  std::erase_if(words, [](const auto& word) { return word.second.empty(); });
  return words;
}

pipeline::Way WayFrom(config::Hear hear) {
  switch (hear) {
    case config::Hear::kAuto:
      return pipeline::Way::kAuto;
    case config::Hear::kChannels:
      return pipeline::Way::kChannel;
    case config::Hear::kUpdates:
      return pipeline::Way::kUpdates;
    case config::Hear::kSweep:
      return pipeline::Way::kSweep;
  }
  return pipeline::Way::kAuto;
}

}  // namespace

pipeline::PullOptions PullOptionsFrom(const config::Config& config) {
  pipeline::PullOptions options;
  options.source.name = config.source.name;
  options.source.budget = BudgetFrom(config.source);
  options.source.throttle = ThrottleFrom(config.source);
  options.source.patience = config.source.patience;
  pi::HttpOptions& http = options.source.http;
  http.url = config.source.url;
  http.auth = AuthFrom(config.source.auth);
  http.certificate = config.source.auth.certificate;
  http.certificate_key = config.source.auth.key;
  http.proxy = config.source.proxy.url;
  http.proxy_username = config.source.proxy.username;
  http.proxy_password = config.source.proxy.password.Reveal();
  http.ca_files = config.trust.ca;
  http.gzip = WantsGzip(config.source);
  http.connect_timeout = config.source.timeouts.connect;
  http.stall_timeout = config.source.timeouts.stall;
  http.total_timeout = config.source.timeouts.total;
  options.table.url = config.table.path;
  options.table.store.ca_files = config.trust.ca;
  for (const auto& [key, value] : config.table.options) {
    options.table.store.options.emplace(key, value.Reveal());
  }
  options.table.store.catalog = CatalogFrom(config.table);
  for (const config::TagSelection& tags : config.tags) {
    options.tags.push_back({.server = tags.server,
                            .include = tags.include,
                            .exclude = tags.exclude,
                            .points = tags.points,
                            .web_ids = tags.web_ids,
                            .hot = tags.hot,
                            .way = WayFrom(tags.hear)});
  }
  options.history_from = config.history.from;
  options.settle = config.history.settle;
  options.second_look.after = config.history.second_look;
  options.future = {.horizon = config.future.horizon,
                    .refresh = config.future.refresh,
                    .lookback = config.future.lookback};
  options.tail = config.table.tail;
  return options;
}

Result<std::shared_ptr<const Clock>> OpenClock(const std::string& file) {
  if (file.empty()) return std::shared_ptr<const Clock>(std::shared_ptr<void>(), &SystemClock());
  return OpenSharedClock(file);
}

}  // namespace pilake::cli
