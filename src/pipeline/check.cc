// SPDX-License-Identifier: Apache-2.0
#include "pipeline/check.h"

#include <algorithm>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "decode/catalog.h"
#include "pi/channel.h"
#include "pi/request.h"
#include "pipeline/diagnosis.h"
#include "pipeline/probe.h"
#include "plan/packing.h"

namespace pilake::pipeline {
namespace {

constexpr Duration kClocksApartMax = Duration::Seconds(60);

/// Who `DOMAIN\user` or `user@REALM` is, without where, so that what Windows shows can be held
/// against what a configuration says; Latin letters as small ones.
std::string AccountOf(std::string_view name) {
  name.remove_prefix(name.rfind('\\') + 1);  // of none: all of it
  std::string account(name.substr(0, name.find('@')));
  for (char& letter : account)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return account;
}

/// Whom `auth` names; empty if it is somebody else who knows, such as an issuer of tokens.
const std::string& NameOf(const pi::AuthOptions& auth) {
  return auth.kind == pi::AuthOptions::Kind::kKerberos ? auth.principal : auth.username;
}

/// Everybody would be so: no person and no service signs on as the account of PI Web API itself.
bool IsServiceAccount(std::string_view name) {
  return name.starts_with(R"(NT SERVICE\)") || name.starts_with(R"(NT AUTHORITY\)");
}

class Preflight {
 public:
  Preflight(const PullOptions& options, const Clock& clock) : options_(options), clock_(clock) {}

  std::vector<Finding> Look(const std::stop_token& stop) {
    if (const auto source = LookAtSource(stop)) {
      LookAtIdentity(*source);
      LookAtClocks(*source);
      LookAtLimits(*source);
      LookAtTags(*source);
    }
    LookAtTable();
    return std::move(findings_);
  }

 private:
  void Good(std::string subject, std::string detail) {
    findings_.push_back({.subject = std::move(subject), .detail = std::move(detail)});
  }
  void Doubtful(std::string subject, std::string detail) {
    findings_.push_back({.subject = std::move(subject),
                         .state = Finding::State::kDoubtful,
                         .detail = std::move(detail)});
  }
  void Bad(std::string subject, Error error) {
    const Diagnosis* const known = DiagnosisOf(error.message);
    findings_.push_back({.subject = std::move(subject),
                         .state = Finding::State::kBad,
                         .detail = std::move(error.message),
                         .kind = error.kind,
                         .name = known == nullptr ? "" : std::string(known->name)});
  }

  std::unique_ptr<Source> LookAtSource(const std::stop_token& stop) {
    auto source = Source::Open(options_.source, progress_, stop);
    if (!source) return Bad("source", std::move(source).error()), nullptr;
    auto system = (*source)->Ask(pi::BuildSystem(), decode::DecodeSystem, 1);
    if (!system) return Bad("source", std::move(system).error()), nullptr;
    Good("source", fmt::format("{} {} at {}", system->title, system->version, (*source)->url()));
    return std::move(*source);
  }

  void LookAtIdentity(Source& source) {
    const auto user = source.Ask(pi::BuildUserInfo(), decode::DecodeUserInfo, 1);
    if (!user)
      return Doubtful("identity", "the server does not say who we are: " + user.error().message);
    identity_ = user->name.empty() ? "nobody" : fmt::format("'{}'", user->name);
    const pi::AuthOptions& auth = options_.source.http.auth;
    const bool says_who = auth.kind != pi::AuthOptions::Kind::kAnonymous;
    if (says_who && IsAnother(user->name, NameOf(auth))) {
      return Doubtful("identity",
                      fmt::format("the source takes us for {} although source.auth says who we "
                                  "are: where Anonymous stands among its AuthenticationMethods, "
                                  "all others are ignored, and everybody sees what the service "
                                  "account may see",
                                  identity_));
    }
    if (user->name.empty())
      return Good("identity", "nobody (anonymous): we see what the service account may see");
    Good("identity", fmt::format("{} ({})", user->name, user->identity_type));
  }

  /// Than who is `wanted`, if that is known.
  static bool IsAnother(std::string_view shown, std::string_view wanted) {
    if (wanted.empty()) return shown.empty() || IsServiceAccount(shown);
    return AccountOf(shown) != AccountOf(wanted);
  }

  void LookAtClocks(Source& source) {
    const auto clocks = AskClocks(source);
    if (!clocks) return Bad("clocks", clocks.error());
    if (clocks->apart > kClocksApartMax) {
      return Bad("clocks",
                 {ErrorKind::kInvalid,
                  fmt::format("the source's clocks are {} apart ({}): nothing could be called "
                              "final. Have them set",
                              DescribeDuration(clocks->apart), clocks->detail)});
    }
    const Duration ours = clock_.Now() - clocks->now;
    const std::string detail =
        fmt::format("{}; ours is {} ahead, which does not matter: the source's count",
                    clocks->detail, DescribeDuration(ours));
    Good("clocks", detail);
  }

  void LookAtLimits(Source& source) {
    const auto number = source.Ask(pi::BuildConfiguration("MaxReturnedItemsPerCall"),
                                   decode::DecodeConfigurationNumber, 1);
    if (number) return Good("limits", fmt::format("{} items a call", *number));
    Good("limits", fmt::format("not readable for us; {} items a call, the default, is assumed",
                               plan::PackLimits{}.items_max));
  }

  void LookAtTags(Source& source) {
    const auto resolved = Resolve(source, options_.tags);
    if (!resolved) return Bad("tags", resolved.error());
    for (const Unresolved& tag : resolved->unresolved)
      Doubtful("tags", tag.tag + ": " + tag.reason);
    if (resolved->series.empty()) {
      return Bad("tags",
                 {ErrorKind::kInvalid,
                  fmt::format("the configuration selects no point that {} may see: correct the "
                              "masks under `tags`, or have the PI administrator grant that "
                              "identity read access to the points",
                              identity_)});
    }
    Good("tags", fmt::format("{} points selected", resolved->series.size()));
    LookAtHearing(source, resolved->series);
  }

  /// By what `stream` could hear of new events; whatever is refused, the next way stands in.
  void LookAtHearing(Source& source, const std::vector<Series>& series) {
    const auto listed = std::ranges::find(series, false, &Series::future);
    if (listed == series.end()) return;
    const auto i = static_cast<uint32_t>(listed - series.begin());
    const std::string channel = TryChannel(*listed);
    bool has_marker = false;
    const Status asked =
        Register(source, series, {i}, [&](uint32_t, const std::string&) { has_marker = true; });
    Good("hearing",
         fmt::format("for `stream`: channels {}; Stream Updates {}; current values", channel,
                     has_marker ? "yes"
                     : asked    ? "no, refused"
                                : "no: " + asked.error().message));
  }

  /// In words, whether the server opens a channel for that series.
  std::string TryChannel(const Series& series) const {
    auto loop = pi::ChannelLoop::Make(options_.source.http);
    if (!loop) return "no: " + loop.error().message;
    std::promise<std::string> told;
    auto answer = told.get_future();
    bool is_open = false;  // of the loop's thread
    const std::string_view web_ids[] = {series.web_id};
    const std::jthread thread([&](const std::stop_token& stop) { (*loop)->Run(stop); });
    const uint64_t id = (*loop)->Open(
        {.target = pi::BuildChannel(web_ids, 2).target, .silence_max = Duration::Seconds(30)},
        {.on_open =
             [&] {
               is_open = true;
               told.set_value("yes");
             },
         .on_message = [](const std::string&) {},
         .on_end =
             [&](const Error& error) {
               if (!is_open) told.set_value("no: " + error.message);
             }});
    std::string words = answer.get();
    (*loop)->Close(id);
    return words;
  }

  void LookAtTable() {
    auto ledger = Ledger::OpenExisting(options_.table);
    if (ledger) {
      if (auto status = (*ledger)->table().ProbeAtomicCreate(); !status)
        return Bad("table", status.error());
      return Good("table", fmt::format("{} at version {}", options_.table.url,
                                       (*ledger)->table().version()));
    }
    if (ledger.error().kind != ErrorKind::kNotFound) return Bad("table", std::move(ledger).error());
    if (auto status = delta::ProbeStore(options_.table.url, options_.table.store); !status) {
      return Bad("table", status.error());
    }
    Good("table", fmt::format("{} will be created", options_.table.url));
  }

  const PullOptions& options_;
  const Clock& clock_;
  Progress progress_;
  std::string identity_ = "this identity";  // as the source knows it
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> Check(const PullOptions& options, const Clock& clock, std::stop_token stop) {
  return Preflight(options, clock).Look(stop);
}

}  // namespace pilake::pipeline
