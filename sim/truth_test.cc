// SPDX-License-Identifier: Apache-2.0
#include "sim/truth.h"

#include <charconv>
#include <map>
#include <sstream>

#include <gmock/gmock.h>

#include "sim/hash.h"
#include "sim/test_world.h"

namespace pilake::sim {
namespace {

namespace json = boost::json;

// Fields of a CSV text, null where nothing stands between the commas.
using Row = std::vector<std::optional<std::string>>;

std::vector<Row> ParseCsv(const std::string& text) {
  std::vector<Row> rows;
  Row row;
  std::optional<std::string> field;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '"' && i + 1 < text.size() && text[i + 1] == '"')
        *field += text[++i];
      else if (c == '"')
        quoted = false;
      else
        *field += c;
    } else if (c == '"') {
      quoted = true;
      field.emplace();
    } else if (c == ',' || c == '\n') {
      row.push_back(std::move(field));
      field.reset();
      if (c == '\n') {
        rows.push_back(std::move(row));
        row.clear();
      }
    } else {
      if (!field) field.emplace();
      *field += c;
    }
  }
  return rows;
}

enum Column {
  kWebId,
  kName,
  kMicros,
  kTicks,
  kOrdinal,
  kValue,
  kInt,
  kString,
  kCode,
  kKind,
  kGood,
  kQuestionable,
  kSubstituted,
  kAnnotated,
  kUnits,
  kState
};

const PlantOptions kMixed{"mixed", 0, 1, At("2026-03-01T00:00:00Z")};

std::vector<Row> Truth(const TruthOptions& options) {
  std::stringstream out;
  EXPECT_THAT(WriteTruth(options, At("2026-03-04T00:00:00Z"), out), IsOk());
  std::vector<Row> rows = ParseCsv(out.str());
  EXPECT_EQ(rows.at(0).size(), 16U);
  rows.erase(rows.begin());
  return rows;
}

TEST(WriteTruth, IsOrderedByKeyAndKnowsEachRowOnce) {
  const auto rows = Truth({kMixed, {}, At("2026-03-01T18:00:00Z"), {}});
  ASSERT_GT(rows.size(), 50'000U);
  for (size_t i = 1; i < rows.size(); ++i) {
    const auto key = [](const Row& row) {
      return std::tuple(*row[kWebId], std::stoll(*row[kTicks]), std::stoll(*row[kOrdinal]));
    };
    ASSERT_LT(key(rows[i - 1]), key(rows[i]));
    const bool same =
        *rows[i - 1][kWebId] == *rows[i][kWebId] && *rows[i - 1][kTicks] == *rows[i][kTicks];
    ASSERT_EQ(std::stoll(*rows[i][kOrdinal]), same ? std::stoll(*rows[i - 1][kOrdinal]) + 1 : 0);
  }
}

TEST(WriteTruth, HasOneSnapshotAtMostAPointAndItIsTheLastRow) {
  const auto rows = Truth({kMixed, {}, At("2026-03-01T18:00:00Z"), {}});
  int64_t snapshots = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (*rows[i][kState] != "snapshot") continue;
    ++snapshots;
    EXPECT_TRUE(i + 1 == rows.size() || *rows[i + 1][kWebId] != *rows[i][kWebId]);
  }
  EXPECT_GT(snapshots, 250);
}

// The value of every event as its text stands in `body`: a double has to be read exactly, which
// this reader of JSON does not.
std::vector<std::string_view> ValueTexts(std::string_view body) {
  constexpr std::string_view kBegin = "{\"Timestamp\":\"", kValueKey = "\"Value\":";
  std::vector<std::string_view> texts;
  for (size_t at = body.find(kBegin); at != std::string_view::npos;
       at = body.find(kBegin, at + 1)) {
    texts.push_back(body.substr(body.find(kValueKey, at) + kValueKey.size(), 40));
  }
  return texts;
}

// What `recorded` shows of one event, as a row of the truth.
Row RowOf(const Row& truth, const Point& point, const json::value& event,
          std::string_view value_text) {
  Row row = truth;  // the columns that the wire does not tell stay as they are
  const UtcTime time = At(std::string(event.at("Timestamp").as_string()));
  row[kTicks] = std::to_string(time.ticks);
  row[kMicros] = std::to_string(time.ticks / 10);
  for (const auto& [column, name] : {std::pair(kGood, "Good"),
                                     {kQuestionable, "Questionable"},
                                     {kSubstituted, "Substituted"},
                                     {kAnnotated, "Annotated"}}) {
    row[column] = event.at(name).as_bool() ? "true" : "false";
  }
  for (const Column column : {kValue, kInt, kString, kCode, kKind}) row[column].reset();
  const json::value& value = event.at("Value");
  const auto is_float = point.type == PointType::kFloat16 || point.type == PointType::kFloat32 ||
                        point.type == PointType::kFloat64;
  if (const json::value* errors = event.as_object().if_contains("Errors")) {
    row[kKind] = "error";
    row[kString] = json::serialize(*errors);
  } else if (value.is_object() && value.as_object().contains("Errors")) {
    row[kKind] = "error";
    row[kString] = json::serialize(value);
  } else if (value.is_object()) {
    row[kKind] = value.at("IsSystem").as_bool() ? "system" : "digital";
    row[kString] = std::string(value.at("Name").as_string());
    row[kCode] = std::to_string(value.at("Value").as_int64());
  } else if (value.is_null()) {
    row[kKind] = "null";
  } else if (value.is_array()) {
    row[kKind] = "array";
  } else if (value.is_string()) {
    const std::string text(value.as_string());
    if (is_float && (text == "NaN" || text == "Infinity" || text == "-Infinity")) {
      row[kKind] = "float";
      row[kValue] = text == "NaN" ? "nan" : text == "Infinity" ? "inf" : "-inf";
    } else {
      row[kKind] = point.type == PointType::kTimestamp ? "timestamp"
                   : point.type == PointType::kBlob    ? "blob"
                                                       : "string";
      row[kString] = text;
    }
  } else if (value.is_bool()) {
    row[kKind] = "int";
    row[kInt] = row[kValue] = value.as_bool() ? "1" : "0";
  } else if (value.is_int64()) {
    row[kKind] = "int";
    row[kInt] = std::to_string(value.as_int64());
    row[kValue] = fmt::format("{}", static_cast<double>(value.as_int64()));
  } else {
    row[kKind] = "float";
    double number = 0;
    std::from_chars(value_text.data(), value_text.data() + value_text.size(), number);
    row[kValue] = fmt::format("{}", point.type == PointType::kFloat64
                                        ? number
                                        : static_cast<double>(static_cast<float>(number)));
  }
  return row;
}

// Numbers are compared as numbers, since there is more than one shortest way to write some.
void ExpectSameRow(const Row& truth, const Row& seen, const std::string& where) {
  for (size_t i = 0; i < truth.size(); ++i) {
    if (i == kValue && truth[i] && seen[i]) {
      EXPECT_EQ(fmt::format("{}", std::stod(*truth[i])), fmt::format("{}", std::stod(*seen[i])))
          << where;
    } else if (i == kString && *truth[kKind] == "array") {
      continue;  // 1E+20 comes back in other words
    } else {
      EXPECT_EQ(truth[i], seen[i]) << where << " column " << i;
    }
  }
}

// Asks the API for every point that it lists and compares with the truth; how many events there
// were.
int64_t CompareWithTruth(TestWorld& world, const PlantOptions& plant, std::string_view script) {
  world.readings.nan = NanAs::kString;  // what this reader of JSON takes
  std::map<std::string, std::vector<Row>> truth;
  for (Row& row : Truth({.plant = plant,
                         .readings = world.readings,
                         .at = world.now,
                         .until = world.now + Duration::Days(3),
                         .script = *ParseScript(script)}))
    truth[*row[kName]].push_back(std::move(row));
  int64_t compared = 0;
  const auto now = world.story.PlantAt(world.now);
  for (const uint32_t listed : now->by_name()) {
    const Point& point = now->points()[listed];
    if (point.trouble != Trouble::kNone && point.trouble != Trouble::kEmpty) continue;
    const std::vector<Row> rows = std::move(truth[point.name]);
    truth.erase(point.name);
    const std::string body =
        world.Ask("/streams/" + TableWebId(*now, point) +
                  "/recorded?startTime=2020-01-01T00:00:00Z&endTime=*%2B3d&maxCount=150000");
    const json::value parsed = TestWorld::Parse(body);
    const json::array& events = parsed.at("Items").as_array();
    const auto texts = ValueTexts(body);
    EXPECT_EQ(events.size(), rows.size()) << point.name;
    if (events.size() != rows.size()) return -1;
    for (size_t i = 0; i < events.size(); ++i) {
      ExpectSameRow(rows[i], RowOf(rows[i], point, events[i], texts.at(i)),
                    fmt::format("{} at {}: {}", point.name, i, json::serialize(events[i])));
      if (testing::Test::HasFailure()) return -1;
      ++compared;
    }
  }
  EXPECT_THAT(truth, testing::IsEmpty());
  return compared;
}

TEST(WriteTruth, EqualsWhatRecordedShowsOfEveryPoint) {
  TestWorld world(MakePlant("mixed"));
  world.now = At("2026-03-02T06:00:00Z");
  EXPECT_GT(CompareWithTruth(world, kMixed, ""), 100'000);
}

// A line of a script, of any kind that shows in what is recorded, somewhere on the first of March.
std::string RandomLine(uint64_t seed, uint64_t n) {
  const auto draw = [&](uint64_t what, int64_t below) {
    return Below(Draw(Mix(seed ^ n << 32), what), below);
  };
  const auto time = [](int64_t minute) {
    return FormatUtcTime(At("2026-03-01T00:00:00Z") + Duration::Minutes(minute));
  };
  static constexpr const char* kTags[] = {"*", "M.*", "Dense.*", "M.Float*", "*0", "*.00?"};
  const std::string tags = kTags[draw(0, std::size(kTags))];
  const int64_t begin = 30 + draw(1, 600), length = 1 + draw(2, 240);
  const std::string window = " from " + time(begin) + " to " + time(begin + length);
  const std::string events = " events " + time(0) + " " + time(begin);
  const std::string at = fmt::format(" at {} spread {}m", time(begin), draw(3, 200));
  switch (draw(4, 24)) {
    case 0:
      return "insert " + tags + " count 40" + events + at;
    case 1:
      return "edit " + tags + " count 40" + events + at + (draw(5, 2) == 0 ? "" : " unmarked");
    case 2:
      return "delete " + tags + " count 40" + events + at;
    case 3:
      return "error " + tags + " count 10" + events + window;
    case 4:
      return "outage " + tags + window + (draw(5, 2) == 0 ? "" : " state \"I/O Timeout\"") +
             (draw(6, 2) == 0 ? "" : fmt::format(" buffered over {}m", draw(7, 90)));
    case 5:
      return "queue " + tags + window + (draw(5, 2) == 0 ? "" : " lag 30m") +
             fmt::format(" over {}m", draw(6, 60));
    case 6:
      return "insert Dense.* event " + time(begin) + " at " + time(begin + draw(5, 50)) +
             " times 3";
    case 7:
      return "delete Dense.F* snapshot at " + time(begin);
    case 8:
      return "unreadable " + tags + " pick 5 as 404" + window;
    case 9:
      return "load " + tags + events + " at " + time(begin + length);
    case 10:
      return "unmount " + tags + events + window;
    case 11:
      return "restore " + tags + " backup " + time(begin) + " at " + time(begin + length);
    case 12:
      return "alter " + tags + events + " at " + time(begin + length);
    case 13:
      return "exchange " + tags + " pick 9 at " + time(begin);
    case 14:
      return "deny " + tags + window + (draw(5, 2) == 0 ? " as empty" : " as 403");
    case 15:
      return "add " + tags + " pick 5 at " + time(begin) +
             (draw(5, 2) == 0 ? "" : " history " + time(begin + length));
    case 16:
      return "remove " + tags + " pick 5 at " + time(begin);
    case 17:
      return "rename Dense.Triples at " + time(begin) + " name Triples";
    case 18:
      return "recreate " + tags + " pick 5 at " + time(begin) + " again " + time(begin + length);
    case 19:
      return "retype " + std::string(draw(5, 2) == 0 ? "M.Int32*" : "M.Float32*") + " at " +
             time(begin) + (draw(6, 2) == 0 ? " type Float64" : " type Digital set Modes");
    case 20:
      return "set " + tags + " at " + time(begin) + " units mm zero 3 span 33";
    case 21:
      return "relabel Modes code 2 at " + time(begin) + " name other";
    case 22:
      return "server at " + time(begin) + (draw(5, 2) == 0 ? " moved" : " name OTHER");
    default:
      return "failover" + window + fmt::format(" lag {}m", draw(5, 100)) +
             (draw(6, 2) == 0 ? "" : " frozen");
  }
}

// Some lines can not be played, since the events are few that they ask for; others take their
// place.
std::string RandomScript(uint64_t seed, const Plant& plant) {
  constexpr int kLines = 8;
  std::string script;
  int lines = 0;
  for (uint64_t n = 0; lines < kLines; ++n) {
    const std::string more = script + RandomLine(seed, n) + "\n";
    if (!Story::Make(plant, *ParseScript(more))) continue;
    script = more;
    ++lines;
  }
  return script;
}

TEST(WriteTruth, EqualsWhatRecordedShowsWhateverTheScriptAndTheTime) {
  const PlantOptions small{"mixed", 90, 1, At("2026-03-01T00:00:00Z")};
  int64_t events = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    const std::string script = RandomScript(seed, MakePlant("mixed", 90));
    TestWorld world(MakePlant("mixed", 90), script);
    world.readings.hides_queued_snapshot = seed % 4 == 0;
    for (uint64_t moment = 0; moment < 4; ++moment) {
      world.now =
          At("2026-03-01T00:30:00Z") + Duration::Seconds(Below(Draw(Mix(seed), moment), 14 * 3600));
      const int64_t compared = CompareWithTruth(world, small, script);
      events += compared;
      EXPECT_GE(compared, 0) << "at " << FormatUtcTime(world.now) << " with\n" << script;
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(events, 1'000'000);
}

TEST(WriteTruth, FollowsTheReadingsThatChangeWhatACopyHolds) {
  const auto kinds = [](const Readings& readings) {
    std::map<std::string, int64_t> counts;
    for (const Row& row : Truth({kMixed, readings, At("2026-03-01T06:00:00Z"), {}}))
      ++counts[*row[kKind]];
    return counts;
  };
  Readings readings;
  auto plain = kinds(readings);
  readings.nan = NanAs::kNull;
  auto without_nan = kinds(readings);
  EXPECT_GT(without_nan["null"], plain["null"]);
  EXPECT_EQ(without_nan["null"] + without_nan["float"], plain["null"] + plain["float"]);
  readings = {};
  readings.blob = BlobAs::kNotImplemented;
  EXPECT_EQ(kinds(readings)["blob"], 0);
  readings.blob = BlobAs::kError;
  EXPECT_EQ(kinds(readings)["error"], plain["error"] + plain["blob"]);
}

TEST(WriteTruth, KeepsWhatWasArchivedOnceItWasArchived) {
  const auto early = Truth({kMixed, {}, At("2026-03-01T06:00:00Z"), {}});
  const auto late = Truth({kMixed, {}, At("2026-03-01T09:00:00Z"), {}});
  size_t at = 0, dropped = 0;
  for (const Row& row : early) {
    const auto key = [](const Row& r) {
      return std::tuple(*r[kWebId], std::stoll(*r[kTicks]), std::stoll(*r[kOrdinal]));
    };
    while (at < late.size() && key(late[at]) < key(row)) ++at;
    const bool kept = at < late.size() && key(late[at]) == key(row);
    if (*row[kState] == "archived") {
      ASSERT_TRUE(kept) << *row[kName] << " " << *row[kTicks];
    } else {
      dropped += kept ? 0 : 1;
    }
  }
  EXPECT_GT(dropped, 10U);
}

TEST(WriteTruth, TellsWhatTheArchiveWillHoldWhenTheScriptIsOver) {
  const std::string script =
      "queue Dense.Fast from 2026-03-01T03:00:00Z to 2026-03-01T09:00:00Z\n"
      "outage Dense.Pairs from 2026-03-01T04:00:00Z to 2026-03-01T05:00:00Z buffered over 3h\n"
      "deny Dense.Triples from 2026-03-01T05:00:00Z as 404\n"
      "unmount Dense.LongRun events 2026-03-01T00:00:00Z 2026-03-01T02:00:00Z "
      "from 2026-03-01T05:00:00Z to 2026-03-02T00:00:00Z\n"
      "insert Dense.Storm event 2026-03-01T01:00:00Z at 2026-03-01T12:00:00Z value 4711.5\n";
  const auto names = [&](std::string_view told, bool settled) {
    std::map<std::string, int64_t> counts;
    for (const Row& row : Truth({.plant = kMixed,
                                 .at = At("2026-03-01T06:00:00Z"),
                                 .settled = settled,
                                 .script = *ParseScript(told)}))
      ++counts[*row[kName]];
    return counts;
  };
  auto now = names(script, false), settled = names(script, true), plain = names("", false);
  for (const char* tag : {"Dense.Fast", "Dense.Pairs", "Dense.Triples", "Dense.LongRun"}) {
    EXPECT_LT(now[tag], plain[tag]) << tag;
    EXPECT_NEAR(static_cast<double>(settled[tag]), static_cast<double>(plain[tag]), 1) << tag;
  }
  EXPECT_EQ(now["Dense.Storm"], plain["Dense.Storm"]);
  EXPECT_EQ(settled["Dense.Storm"], plain["Dense.Storm"] + 1);
}

TEST(WriteTruth, SaysWhenItCannotBeWritten) {
  std::stringstream out;
  out.setstate(std::ios::badbit);
  EXPECT_THAT(
      WriteTruth({kMixed, {}, At("2026-03-01T01:00:00Z"), {}}, At("2026-03-04T00:00:00Z"), out),
      FailsWith(ErrorKind::kInvalid));
}

}  // namespace
}  // namespace pilake::sim
