// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "config/keys.h"
#include "core/matchers.h"

namespace pilake::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kSmallest = R"(source: {url: https://pi.example.com/piwebapi}
tags: [{include: ['*']}]
history: {from: 2026-01-01}
table: {path: lake}
)";

/// The message of a configuration that must be refused.
std::string MessageOf(std::string_view text) {
  const auto config = Parse(text, "plant.yaml");
  EXPECT_THAT(config, FailsWith(ErrorKind::kInvalid));
  return config ? "" : config.error().message;
}

/// The smallest configuration with one line more.
std::string With(std::string_view line) {
  return fmt::format("{}{}\n", kSmallest, line);
}

/// The smallest configuration with `url` for its address.
std::string WithUrl(std::string_view url) {
  std::string text(kSmallest);
  return text.replace(text.find("https://"),
                      std::string_view("https://pi.example.com/piwebapi").size(), url);
}

class ConfigFolder : public testing::Test {
 protected:
  ConfigFolder() { std::filesystem::create_directories(folder_); }
  ~ConfigFolder() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) /
                                  testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST(Parse, ReadsEveryKey) {
  const auto config = Parse(R"(
source:
  name: plant1
  url: https://pi.example.com:8443/piwebapi/
  gzip: on
  auth: {kind: basic, username: 'DOMAIN\user', password: "s3cret"}
  patience: 1m
  budget:
    in_flight: 2
    calls_per_second: 5
    series_reads_per_second: 6
    events_per_second: 7
    pause_file: /run/pilake/pause
    zone: '-05:30'
    calendar:
      - {days: mon-fri, from: '07:00', to: '18:30', scale: 25%}
      - {days: [sat, 'fri-sun'], from: '23:00', pause: backfill}
  timeouts: {connect: 5s, stall: 30s, total: 5m}
tags:
  - {server: PISRV, include: ['U1.*', 'U2.*'], exclude: ['*.TEST']}
  - {points: [SINUSOID], web_ids: [F1DPabc]}
history: {from: 2026-01-01T06:00:00Z, settle: 1h}
table: {path: /lake/pi, tail: none, options: {aws_region: here}}
quarantine: {exit: 0}
)",
                            "plant.yaml");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->source.name, "plant1");
  EXPECT_EQ(config->source.url, "https://pi.example.com:8443/piwebapi");
  EXPECT_EQ(config->source.gzip, Gzip::kOn);
  EXPECT_EQ(config->source.auth.kind, AuthKind::kBasic);
  EXPECT_EQ(config->source.auth.username, R"(DOMAIN\user)");
  EXPECT_EQ(config->source.auth.password.Reveal(), "s3cret");
  EXPECT_EQ(config->source.budget.in_flight, 2);
  EXPECT_EQ(config->source.budget.calls_per_second, 5);
  EXPECT_EQ(config->source.budget.series_reads_per_second, 6);
  EXPECT_EQ(config->source.budget.events_per_second, 7);
  EXPECT_FALSE(config->source.budget_is_default);
  EXPECT_EQ(config->source.patience, Duration::Minutes(1));
  EXPECT_EQ(config->source.pause_file, "/run/pilake/pause");
  EXPECT_EQ(config->source.zone, Duration::Minutes(-330));
  ASSERT_EQ(config->source.calendar.size(), 2U);
  const CalendarEntry& working_hours = config->source.calendar[0];
  EXPECT_THAT(working_hours.days, ElementsAre(true, true, true, true, true, false, false));
  EXPECT_EQ(working_hours.from, Duration::Hours(7));
  EXPECT_EQ(working_hours.to, Duration::Minutes(18 * 60 + 30));
  EXPECT_EQ(working_hours.scale_percent, 25);
  EXPECT_EQ(working_hours.pause, Pause::kNone);
  const CalendarEntry& weekend = config->source.calendar[1];
  EXPECT_THAT(weekend.days, ElementsAre(false, false, false, false, true, true, true));
  EXPECT_EQ(weekend.to, Duration::Days(1));
  EXPECT_EQ(weekend.scale_percent, 100);
  EXPECT_EQ(weekend.pause, Pause::kBackfill);
  EXPECT_EQ(config->source.timeouts.connect, Duration::Seconds(5));
  EXPECT_EQ(config->source.timeouts.stall, Duration::Seconds(30));
  EXPECT_EQ(config->source.timeouts.total, Duration::Minutes(5));
  ASSERT_EQ(config->tags.size(), 2U);
  EXPECT_EQ(config->tags[0].server, "PISRV");
  EXPECT_THAT(config->tags[0].include, ElementsAre("U1.*", "U2.*"));
  EXPECT_THAT(config->tags[0].exclude, ElementsAre("*.TEST"));
  EXPECT_THAT(config->tags[1].points, ElementsAre("SINUSOID"));
  EXPECT_THAT(config->tags[1].web_ids, ElementsAre("F1DPabc"));
  EXPECT_THAT(ParseUtcTime("2026-01-01T06:00:00Z"), IsOkWith(config->history.from));
  EXPECT_EQ(config->history.settle, Duration::Hours(1));
  EXPECT_EQ(config->table.path, "/lake/pi");
  EXPECT_EQ(config->table.options.at("aws_region").Reveal(), "here");
  EXPECT_EQ(config->quarantine.exit, 0);
}

TEST(Parse, FillsInGentleDefaults) {
  const auto config = Parse(kSmallest, "plant.yaml");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->source.budget.in_flight, 4);
  EXPECT_EQ(config->source.budget.calls_per_second, 25);
  EXPECT_EQ(config->source.budget.series_reads_per_second, 1000);
  EXPECT_EQ(config->source.budget.events_per_second, 50'000);
  EXPECT_TRUE(config->source.budget_is_default);
  EXPECT_EQ(config->history.settle, Duration::Minutes(10));
  EXPECT_EQ(config->quarantine.exit, 3);
}

TEST(Parse, SaysWhatIsWrongWithACalendar) {
  const std::string message = MessageOf(R"(
source:
  url: https://a/b
  budget:
    zone: CET
    calendar:
      - {days: [mon, weekdays], scale: 25%}
      - {from: 7, scale: 25}
      - {to: '25:00', pause: everything}
      - {days: sat}
      - often
tags: [{include: ['*']}]
history: {from: 2026-01-01}
table: {path: lake}
)");
  for (const char* finding :
       {":5: source.budget.zone: must be UTC or an offset from it, such as '+01:00', not 'CET'",
        ":7: source.budget.calendar.days: must be days such as mon-fri or [sat, sun], not "
        "'weekdays'",
        ":8: source.budget.calendar.from: must be a time of day such as '07:30', not '7'",
        ":8: source.budget.calendar.scale: must be a percentage from 1% to 1000%, not '25'",
        ":9: source.budget.calendar.to: must be a time of day",
        ":9: source.budget.calendar.pause: must be one of all, backfill",
        ":10: source.budget.calendar: a group changes nothing without scale or pause",
        ":11: source.budget.calendar: each group must be a map such as"}) {
    EXPECT_THAT(message, HasSubstr(finding));
  }
}

TEST(Parse, LiftsTheBudgetForThisMachineOnly) {
  const auto lifted = Parse(WithUrl("http://127.0.0.1:8080/piwebapi"), "plant.yaml");
  ASSERT_THAT(lifted, IsOk());
  EXPECT_EQ(lifted->source.budget.events_per_second, 0);
  EXPECT_TRUE(lifted->source.budget_is_default);

  const auto set = Parse(
      "source: {url: 'http://localhost/piwebapi', budget: {in_flight: 2}}\n"
      "tags: [{include: ['*']}]\nhistory: {from: 2026-01-01}\ntable: {path: lake}\n",
      "plant.yaml");
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->source.budget.in_flight, 2);
  EXPECT_EQ(set->source.budget.events_per_second, 50'000);
  EXPECT_FALSE(set->source.budget_is_default);

  const auto paused = Parse(
      "source: {url: 'http://localhost/piwebapi', budget: {pause_file: pause}}\n"
      "tags: [{include: ['*']}]\nhistory: {from: 2026-01-01}\ntable: {path: lake}\n",
      "plant.yaml");
  ASSERT_THAT(paused, IsOk());
  EXPECT_TRUE(paused->source.budget_is_default);
}

TEST(Parse, ReportsAllMistakesAtOnceWithTheirLines) {
  const std::string message = MessageOf(R"(source:
  url: ftp://pi
  budgte: {in_flight: 4}
tags:
  - {include: ['*'], excludes: ['x']}
history: {from: yesterday, settle: soon}
table: {tail: live}
)");
  EXPECT_THAT(message, HasSubstr("plant.yaml:2: source.url: must be the address"));
  EXPECT_THAT(message,
              HasSubstr("plant.yaml:3: source.budgte: is no key; did you mean source.budget?"));
  EXPECT_THAT(message,
              HasSubstr("plant.yaml:5: tags.excludes: is no key; did you mean tags.exclude?"));
  EXPECT_THAT(message, HasSubstr("plant.yaml:6: history.from: must be a date or a UTC time"));
  EXPECT_THAT(message, HasSubstr("plant.yaml:6: history.settle: must be a span such as 30s"));
  EXPECT_THAT(message, HasSubstr("plant.yaml:7: table.tail: "));
  EXPECT_THAT(message, HasSubstr("table.path: is missing"));
}

TEST(Parse, SaysWhereAKeyBelongs) {
  EXPECT_THAT(MessageOf(With("in_flight: 4")),
              HasSubstr("in_flight: is no key here; did you mean source.budget.in_flight?"));
}

TEST(Parse, RefusesAPathWrittenAsOneKey) {
  EXPECT_THAT(MessageOf("tags.web_ids: F1AbE\n"),
              HasSubstr("plant.yaml:1: tags.web_ids: a key holds no dot; write `web_ids` below "
                        "`tags`"));
  EXPECT_THAT(MessageOf("source: {budget.in_flight: 2}\n"),
              HasSubstr("source.budget.in_flight: a key holds no dot; write `in_flight` below "
                        "`source.budget`"));
  EXPECT_THAT(MessageOf("source.budget.calendar.days: mon\n"), HasSubstr("holds no dot"));
}

TEST(Parse, RefusesAHorizonThatNoTailShows) {
  EXPECT_THAT(MessageOf("future: {horizon: 2d}\ntable: {path: t, tail: none}\n"),
              HasSubstr("plant.yaml:1: future.horizon: shows nothing without a tail"));
  EXPECT_THAT(MessageOf("future: {horizon: 15m, refresh: 2h}\ntable: {path: t, tail: none}\n"),
              Not(HasSubstr("future")));
}

TEST(Parse, TakesACatalogWithANameInIt) {
  const std::string text =
      "source: {url: http://a/b}\ntags: [{include: '*'}]\nhistory: {from: 2026-01-01}\n"
      "table: {path: 'uc://main.plant.t', location: 's3://b/lake', catalog: {url: 'https://c', "
      "token: secret, credentials: own}}\n";
  const auto config = Parse(text, "plant.yaml");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->table.path, "uc://main.plant.t");
  EXPECT_EQ(config->table.location, "s3://b/lake");
  EXPECT_EQ(config->table.catalog.url, "https://c");
  EXPECT_EQ(config->table.catalog.token.Reveal(), "secret");
  EXPECT_FALSE(config->table.catalog.lends_keys);
}

TEST(Parse, RefusesACatalogWithoutANameInIt) {
  EXPECT_THAT(MessageOf("table: {path: s3://b/t, location: x, catalog: {url: 'https://c'}}\n"),
              AllOf(HasSubstr("plant.yaml:1: table.location: goes with a table.path such as uc://"),
                    HasSubstr("plant.yaml:1: table.catalog: goes with")));
}

TEST(Parse, RefusesAKeyGivenTwice) {
  EXPECT_THAT(MessageOf(With("history: {from: 2025-01-01}")),
              HasSubstr("plant.yaml:5: history: stands here a second time; line 3 has it already"));
  EXPECT_THAT(
      MessageOf("source: {url: http://a/b}\ntags: [{include: '*'}]\nhistory: {from: 2026-01-01}\n"
                "table: {path: x, options: {a: 1, a: 2}}"),
      HasSubstr("table.options.a: stands here a second time"));
}

TEST(Parse, NamesTheTypeItExpected) {
  EXPECT_THAT(
      MessageOf("source: {url: [1], budget: {in_flight: many}, gzip: onn, timeouts: 5s}"),
      AllOf(HasSubstr("source.url: must be a text, not a list"),
            HasSubstr("source.budget.in_flight: must be a whole number from 1 to 64, not 'many'"),
            HasSubstr("source.gzip: must be one of auto, on, off, not 'onn'; did you mean on?"),
            HasSubstr("source.timeouts: must be a map of keys, not a text")));
  EXPECT_THAT(MessageOf("source: {url: http://a/b, budget: {in_flight: 65}}"),
              HasSubstr("in_flight: must be a whole number from 1 to 64, not '65'"));
  EXPECT_THAT(MessageOf("tags: {include: x}"), HasSubstr("tags: must be a list of groups"));
  EXPECT_THAT(MessageOf("tags: [{server: PISRV}]"), HasSubstr("a group selects nothing"));
  EXPECT_THAT(MessageOf("- a\n- b"), HasSubstr("must hold keys such as `source:`"));
  EXPECT_THAT(MessageOf(""), HasSubstr("`pilake init` writes a starter"));
}

TEST(Parse, ExplainsABackslashInDoubleQuotes) {
  EXPECT_THAT(MessageOf("source:\n  auth: {username: \"DOMAIN\\user\"}"),
              AllOf(StartsWith("plant.yaml:2: "), HasSubstr(R"('DOMAIN\user' in single quotes)")));
}

TEST(Parse, NoticesABackslashThatBecameALineBreak) {
  EXPECT_THAT(MessageOf("source:\n  auth: {username: \"DOMAIN\\name\"}"),
              AllOf(HasSubstr("source.auth.username: holds a control character"),
                    HasSubstr("single quotes")));
}

TEST(Parse, ExplainsAMaskWithoutQuotes) {
  EXPECT_THAT(MessageOf("tags:\n  - {include: [*.TEST]}"),
              AllOf(StartsWith("plant.yaml:2: "), HasSubstr("'*.TEST'")));
}

TEST(Parse, RefusesAddressesThatAreNotTheService) {
  EXPECT_THAT(MessageOf(WithUrl("pi.example.com")), HasSubstr("must be the address"));
  EXPECT_THAT(MessageOf(WithUrl("'https://pi.example.com/piwebapi?x=1'")), HasSubstr("no `?`"));
  EXPECT_THAT(MessageOf(WithUrl("'https://pi.example.com/piwebapi #x'")), HasSubstr("no spaces"));
  EXPECT_THAT(MessageOf(WithUrl("https://user:pw@pi.example.com/piwebapi")),
              HasSubstr("source.auth"));
  EXPECT_THAT(MessageOf(WithUrl("https://pi.example.com:99999/piwebapi")), HasSubstr("not a port"));
  EXPECT_THAT(MessageOf(WithUrl("https:///piwebapi")), HasSubstr("source.url"));
}

TEST(Parse, KnowsWhatEachWayToLogInNeeds) {
  EXPECT_THAT(MessageOf("source: {url: http://a/b, auth: {kind: basic}}"),
              AllOf(HasSubstr("source.auth.username: is missing"),
                    HasSubstr("source.auth.password: is missing")));
  EXPECT_THAT(MessageOf("source: {url: http://a/b, auth: {kind: bearer}}"),
              HasSubstr("source.auth.token: is missing"));
  EXPECT_THAT(MessageOf("source: {url: http://a/b, auth: {username: me}}"),
              HasSubstr("source.auth.username: goes with source.auth.kind basic or ntlm"));
}

TEST(Parse, WantsOneOfTheWaysToHaveAToken) {
  EXPECT_THAT(MessageOf("source: {url: http://a/b, auth: {kind: bearer, token: x, "
                        "token_file: y}}"),
              HasSubstr("source.auth: only one of token, token_file and token_command"));
  EXPECT_THAT(MessageOf("source: {url: http://a/b, auth: {kind: basic, token_command: x}}"),
              HasSubstr("source.auth.token_command: goes with source.auth.kind bearer"));
}

TEST(Parse, WantsTheOtherHalfOfWhatComesInTwo) {
  EXPECT_THAT(MessageOf("source: {url: http://a/b, auth: {key: k.pem}}"),
              HasSubstr("source.auth.key: goes with source.auth.certificate"));
  EXPECT_THAT(MessageOf("source: {url: http://a/b, proxy: {username: me}}"),
              HasSubstr("source.proxy.username: goes with source.proxy.url"));
  EXPECT_THAT(MessageOf("source: {url: http://a/b, proxy: {url: 'http://me:s3cret@p:3128'}}"),
              AllOf(HasSubstr("source.proxy.username"), Not(HasSubstr("s3cret"))));
}

TEST(Parse, RunsNoProgramForATextThatIsNoFile) {
  EXPECT_THAT(MessageOf("source: {auth: {password: '${command:touch /tmp/x}'}}"),
              HasSubstr("source.auth.password: commands are run for a file only"));
}

TEST(Parse, KnowsWhatOidcAndKerberosAreGiven) {
  const auto with = [](std::string_view auth) {
    return fmt::format(
        "source: {{url: http://a/b, auth: {{{}}}}}\n"
        "tags: [{{include: '*'}}]\nhistory: {{from: 2026-01-01}}\ntable: {{path: x}}",
        auth);
  };
  const auto oidc = Parse(with("kind: oidc, client_id: me, client_secret: s3cret"), "plant.yaml");
  ASSERT_THAT(oidc, IsOk());
  EXPECT_EQ(oidc->source.auth.kind, AuthKind::kOidc);
  EXPECT_EQ(oidc->source.auth.scope, "system");
  EXPECT_THAT(MessageOf(with("kind: oidc, keytab: x")),
              AllOf(HasSubstr("source.auth.client_id: is missing"),
                    HasSubstr("source.auth.keytab: goes with source.auth.kind kerberos")));
  EXPECT_THAT(MessageOf(with("kind: ntlm, client_id: x")),
              AllOf(HasSubstr("source.auth.username: is missing"),
                    HasSubstr("source.auth.client_id: goes with source.auth.kind oidc")));
  const auto kerberos = Parse(with("kind: kerberos"), "plant.yaml");
  ASSERT_THAT(kerberos, IsOk());
  EXPECT_EQ(kerberos->source.auth.kind, AuthKind::kKerberos);
}

TEST(Parse, TakesValuesFromTheEnvironment) {
  ASSERT_EQ(setenv("PILAKE_TEST_PASSWORD", "hunter2", 1), 0);
  const auto config = Parse(
      "source: {url: http://a/b, auth: {kind: basic, username: 'me$${x}', password: "
      "'${env:PILAKE_TEST_PASSWORD}!'}}\n"
      "tags: [{include: '*'}]\nhistory: {from: 2026-01-01}\ntable: {path: x}",
      "plant.yaml");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->source.auth.password.Reveal(), "hunter2!");
  EXPECT_EQ(config->source.auth.username, "me${x}");
}

TEST(Parse, NamesAMissingVariableOrFile) {
  EXPECT_THAT(
      MessageOf("source: {auth: {password: '${env:PILAKE_NO_SUCH}'}}"),
      HasSubstr("source.auth.password: the environment variable PILAKE_NO_SUCH is not set"));
  EXPECT_THAT(MessageOf("source: {auth: {password: '${file:no/such}'}}"),
              AllOf(HasSubstr("there is no file"), HasSubstr("no/such")));
  EXPECT_THAT(MessageOf("source: {name: '${PLANT}'}"), HasSubstr("neither ${env:NAME} nor"));
  EXPECT_THAT(MessageOf("source: {name: '${env:PLANT'}"), HasSubstr("never closed"));
}

TEST(Parse, NeverRepeatsASecret) {
  ASSERT_EQ(setenv("PILAKE_TEST_PASSWORD", "hunter2", 1), 0);
  EXPECT_THAT(MessageOf("source: {name: '${env:PILAKE_TEST_PASSWORD}!', budget: {in_flight: "
                        "'${env:PILAKE_TEST_PASSWORD}'}, auth: {kind: none, token: [hunter2]}}\n"
                        "table: {options: {key: [hunter2]}}"),
              Not(HasSubstr("hunter2")));
}

TEST(Parse, RefusesBytesThatAreNoText) {
  EXPECT_THAT(MessageOf(std::string_view("a: \0b", 5)), HasSubstr("not a text file"));
}

TEST_F(ConfigFolder, IsWhereRelativePathsBegin) {
  Write("names.txt", "SINUSOID\r\n\n# a comment\nCDT158 A\n");
  Write("password", "hunter2\n");
  Write("root.pem", "-----BEGIN CERTIFICATE-----\n");
  const auto config = Load(Write("plant.yaml",
                                 "source: {url: http://a/b, auth: {kind: basic, username: me, "
                                 "password: '${file:password}'}}\n"
                                 "tags: [{file: names.txt, points: [X]}]\n"
                                 "history: {from: 2026-01-01}\n"
                                 "table: {path: ./lake/pi}\n"
                                 "trust: {ca: root.pem}\n"));
  ASSERT_THAT(config, IsOk());
  EXPECT_THAT(config->tags[0].points, testing::UnorderedElementsAre("SINUSOID", "CDT158 A", "X"));
  EXPECT_EQ(config->source.auth.password.Reveal(), "hunter2");
  EXPECT_EQ(config->table.path, (folder_ / "lake/pi").string());
  EXPECT_THAT(config->trust.ca, ElementsAre((folder_ / "root.pem").string()));
}

TEST_F(ConfigFolder, IsWhereProgramsAreFound) {
  std::filesystem::permissions(Write("secret.sh", "#!/bin/sh\necho \"$1-2\"\n"),
                               std::filesystem::perms::owner_all);
  const auto config = Load(Write("plant.yaml",
                                 "source: {url: http://a/b, auth: {kind: basic, username: me, "
                                 "password: '${command:./secret.sh hunter}'}}\n"
                                 "tags: [{include: '*'}]\nhistory: {from: 2026-01-01}\n"
                                 "table: {path: x}\n"));
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->source.auth.password.Reveal(), "hunter-2");
  const auto bearer = Load(Write("bearer.yaml",
                                 "source: {url: http://a/b, auth: {kind: bearer, token_command: "
                                 "'./secret.sh one two'}}\n"
                                 "tags: [{include: '*'}]\nhistory: {from: 2026-01-01}\n"
                                 "table: {path: x}\n"));
  ASSERT_THAT(bearer, IsOk());
  EXPECT_THAT(bearer->source.auth.token_command,
              ElementsAre((folder_ / "secret.sh").string(), "one", "two"));
}

TEST_F(ConfigFolder, IsSearchedForFilesThatMustBeThere) {
  Write("empty.txt", "\n# nothing\n");
  Write("root.pem", "no certificate");
  const auto config = Load(Write("plant.yaml",
                                 "tags: [{file: none.txt}, {file: empty.txt}]\n"
                                 "trust: {ca: [root.pem]}\n"));
  ASSERT_THAT(config, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(config.error().message, AllOf(HasSubstr("none.txt"), HasSubstr("holds no name"),
                                            HasSubstr("no certificate in PEM form")));
}

TEST(Load, PointsToInitWhenThereIsNoFile) {
  const auto config = Load("/no/such/plant.yaml");
  ASSERT_THAT(config, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(config.error().message,
              AllOf(HasSubstr("/no/such/plant.yaml"), HasSubstr("pilake init")));
}

TEST(Load, RefusesAFolder) {
  const auto config = Load(testing::TempDir());
  ASSERT_THAT(config, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(config.error().message, HasSubstr("is not a file"));
}

TEST(Parse, LeavesTheUrlOfAnObjectStoreAlone) {
  const auto config = Parse(
      "source: {url: http://a/b}\ntags: [{include: '*'}]\nhistory: {from: 2026-01-01}\n"
      "table: {path: 's3://bucket/pi'}",
      "plant.yaml");
  ASSERT_THAT(config, IsOk());
  EXPECT_EQ(config->table.path, "s3://bucket/pi");
}

TEST(Keys, HaveDefaultsThatTheyAcceptThemselves) {
  for (const Key& key : Keys()) {
    if (key.fallback.empty()) continue;
    Config config;
    const YamlNode node{.kind = YamlNode::Kind::kScalar, .text = std::string(key.fallback)};
    const Outside outside{.folder = "."};
    EXPECT_THAT(key.read(Value(node, outside, false), config), IsOk()) << key.path;
  }
}

TEST(IsLoopback, MeansThisMachine) {
  EXPECT_TRUE(IsLoopback("http://127.0.0.1:8080/piwebapi"));
  EXPECT_TRUE(IsLoopback("https://localhost/piwebapi"));
  EXPECT_TRUE(IsLoopback("http://[::1]:80/piwebapi"));
  EXPECT_FALSE(IsLoopback("https://127.0.0.1.example.com/piwebapi"));
  EXPECT_FALSE(IsLoopback("https://pi.example.com/localhost"));
}

}  // namespace
}  // namespace pilake::config
