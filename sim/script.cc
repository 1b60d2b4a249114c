// SPDX-License-Identifier: Apache-2.0
// Scripts: what happens to a plant, and when, one scene a line. docs/simulator.md tells the format.
//
//   line → words → verb, tags, then keywords with their values → Scene, checked
#include "sim/script.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <span>

#include <fmt/ranges.h>

#include "sim/text.h"

namespace pilake::sim {
namespace {

struct Word {
  std::string text;
  bool quoted = false;
};

/// Words are parted by blanks; `"…"` keeps blanks, with `\"` and `\\` within; `#` ends the line.
Result<std::vector<Word>> SplitWords(std::string_view line) {
  std::vector<Word> words;
  while (true) {
    const size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos || line[begin] == '#') return words;
    line.remove_prefix(begin);
    Word& word = words.emplace_back();
    if (line[0] != '"') {
      const size_t end = std::min(line.find_first_of(" \t\r"), line.size());
      word.text = line.substr(0, end);
      line.remove_prefix(end);
      continue;
    }
    word.quoted = true;
    size_t at = 1;
    for (; at < line.size() && line[at] != '"'; ++at) {
      if (line[at] == '\\' && at + 1 < line.size()) ++at;
      word.text += line[at];
    }
    if (at >= line.size()) return Fail(ErrorKind::kInvalid, "a quote is not closed");
    line.remove_prefix(at + 1);
  }
}

Status ReadTime(const Word& word, UtcTime& time) {
  ASSIGN_OR_RETURN(time, ParseUtcTime(word.text));
  return {};
}

template <typename Number>
Status ReadNumber(const Word& word, Number least, Number& number) {
  const char* end = word.text.data() + word.text.size();
  const auto [read, error] = std::from_chars(word.text.data(), end, number);
  if (error != std::errc() || read != end || !(number >= least))
    return Fail(ErrorKind::kInvalid, "'{}' is no number from {} on", word.text, least);
  return {};
}

template <typename Chosen>
Status ReadChoice(const Word& word, std::span<const std::pair<std::string_view, Chosen>> choices,
                  Chosen& chosen) {
  std::string all;
  for (const auto& [name, value] : choices) {
    if (name == word.text) {
      chosen = value;
      return {};
    }
    all += (all.empty() ? "" : ", ") + std::string(name);
  }
  return Fail(ErrorKind::kInvalid, "'{}' is none of {}", word.text, all);
}

constexpr std::pair<std::string_view, Trouble> kTroubles[] = {
    {"404", Trouble::k404},       {"403", Trouble::k403},
    {"410", Trouble::k410},       {"500", Trouble::k500},
    {"item", Trouble::kItem},     {"webexception", Trouble::kWebException},
    {"silent", Trouble::kSilent}, {"empty", Trouble::kEmpty}};

constexpr std::pair<std::string_view, PointType> kTypes[] = {
    {"Float16", PointType::kFloat16}, {"Float32", PointType::kFloat32},
    {"Float64", PointType::kFloat64}, {"Int16", PointType::kInt16},
    {"Int32", PointType::kInt32},     {"Int64", PointType::kInt64},
    {"Digital", PointType::kDigital}, {"String", PointType::kString}};

using Words = std::span<const Word>;

/// A keyword, how many words stand behind it, and how they are read.
struct Keyword {
  std::string_view name;
  size_t words;
  Status (*read)(Scene& scene, Words words);
};

template <bool Scene::* kFlag>
Status SetFlag(Scene& scene, Words) {
  scene.*kFlag = true;
  return {};
}

template <std::optional<std::string> Scene::* kText>
Status SetText(Scene& scene, Words words) {
  scene.*kText = words[0].text;
  return {};
}

template <auto Scene::* kSpan>
Status SetSpan(Scene& scene, Words words) {
  ASSIGN_OR_RETURN(scene.*kSpan, ParseDuration(words[0].text));
  return {};
}

template <auto Scene::* kTime>
Status SetTime(Scene& scene, Words words) {
  ASSIGN_OR_RETURN(scene.*kTime, ParseUtcTime(words[0].text));
  return {};
}

// How much a clock is ahead, or behind after a minus.
Status SetOff(Scene& scene, Words words) {
  const bool behind = words[0].text.starts_with('-');
  ASSIGN_OR_RETURN(const Duration span, ParseDuration(words[0].text.substr(behind ? 1 : 0)));
  scene.off = span * (behind ? -1 : 1);
  return {};
}

Status SetBegin(Scene& scene, Words words) {
  return ReadTime(words[0], scene.when.begin);
}

constexpr Keyword kKeywords[] = {
    {"at", 1, SetBegin},
    {"from", 1, SetBegin},
    {"to", 1, [](Scene& s, Words w) { return ReadTime(w[0], s.when.end); }},
    {"event", 1,
     [](Scene& s, Words w) {
       s.one_event = true;
       return ReadTime(w[0], s.events.begin);
     }},
    {"events", 2,
     [](Scene& s, Words w) -> Status {
       RETURN_IF_ERROR(ReadTime(w[0], s.events.begin));
       RETURN_IF_ERROR(ReadTime(w[1], s.events.end));
       if (s.events.empty()) return Fail(ErrorKind::kInvalid, "'events' end before they begin");
       return {};
     }},
    {"snapshot", 0, SetFlag<&Scene::snapshot>},
    {"pick", 1, [](Scene& s, Words w) { return ReadNumber<int64_t>(w[0], 1, s.pick); }},
    {"count", 1, [](Scene& s, Words w) { return ReadNumber<int64_t>(w[0], 1, s.count); }},
    {"seed", 1, [](Scene& s, Words w) { return ReadNumber<uint64_t>(w[0], 0, s.seed); }},
    {"spread", 1, SetSpan<&Scene::spread>},
    {"nth", 1, [](Scene& s, Words w) { return ReadNumber<int64_t>(w[0], 0, s.nth.emplace()); }},
    {"times", 1, [](Scene& s, Words w) { return ReadNumber<int64_t>(w[0], 1, s.times); }},
    {"value", 1,
     [](Scene& s, Words w) -> Status {
       s.value = {w[0].quoted ? WrittenValue::Kind::kText : WrittenValue::Kind::kNumber, w[0].text};
       return {};
     }},
    {"state", 1,
     [](Scene& s, Words w) -> Status {
       s.value = {WrittenValue::Kind::kState, w[0].text};
       return {};
     }},
    {"unmarked", 0, SetFlag<&Scene::unmarked>},
    {"buffered", 0, SetFlag<&Scene::buffered>},
    {"over", 1, SetSpan<&Scene::over>},
    {"lag", 1, SetSpan<&Scene::lag>},
    {"frozen", 0, SetFlag<&Scene::frozen>},
    {"split", 0, SetFlag<&Scene::split>},
    {"backup", 1, SetTime<&Scene::backup>},
    {"as", 1, [](Scene& s, Words w) { return ReadChoice<Trouble>(w[0], kTroubles, s.trouble); }},
    {"history", 1, SetTime<&Scene::history>},
    {"again", 1, SetTime<&Scene::again>},
    {"name", 1, SetText<&Scene::name>},
    {"type", 1, [](Scene& s, Words w) { return ReadChoice<PointType>(w[0], kTypes, s.type); }},
    {"set", 1, SetText<&Scene::set>},
    {"code", 1, [](Scene& s, Words w) { return ReadNumber<int64_t>(w[0], 0, s.code); }},
    {"units", 1, SetText<&Scene::units>},
    {"descriptor", 1, SetText<&Scene::descriptor>},
    {"source", 1, SetText<&Scene::source>},
    {"zero", 1, [](Scene& s, Words w) { return ReadNumber(w[0], -1e30F, s.zero.emplace()); }},
    {"span", 1, [](Scene& s, Words w) { return ReadNumber(w[0], 1e-30F, s.span.emplace()); }},
    {"moved", 0, SetFlag<&Scene::moved>},
    {"off", 1, SetOff},
    {"rate", 1,
     [](Scene& s, Words w) -> Status {
       RETURN_IF_ERROR(ReadNumber<double>(w[0], 0, s.rate));
       if (s.rate > 1) return Fail(ErrorKind::kInvalid, "a rate is between 0 and 1");
       return {};
     }},
    {"calls", 2,
     [](Scene& s, Words w) -> Status {
       RETURN_IF_ERROR(ReadNumber<uint64_t>(w[0], 0, s.first_call));
       return ReadNumber<uint64_t>(w[1], s.first_call, s.last_call);
     }},
};

/// What stands behind the verb, before the keywords.
enum class Subject : uint8_t { kTags, kSet, kFault, kClock, kNone };

constexpr std::string_view kSubjects[] = {"a name filter for tags",
                                          "the name of a set of digital states", "a kind of fault",
                                          "'host' or 'archive'"};

struct VerbRule {
  std::string_view name;
  Verb verb;
  Subject subject;
  std::string_view needs;  ///< keywords; `a|b` means just one of them
  std::string_view takes;
};

// Whatever is about tags also takes `pick` and `seed`.
constexpr VerbRule kVerbs[] = {
    {"insert", Verb::kInsert, Subject::kTags, "event|count", "events at spread times value state"},
    {"edit", Verb::kEdit, Subject::kTags, "event|snapshot|count at",
     "events spread nth value state unmarked"},
    {"delete", Verb::kDelete, Subject::kTags, "event|snapshot|count at", "events spread nth"},
    {"error", Verb::kError, Subject::kTags, "event|count from", "to events nth"},
    {"outage", Verb::kOutage, Subject::kTags, "from to", "state buffered over"},
    {"queue", Verb::kQueue, Subject::kTags, "from to", "lag over"},
    {"load", Verb::kLoad, Subject::kTags, "events at", ""},
    {"unmount", Verb::kUnmount, Subject::kTags, "events from to", ""},
    {"restore", Verb::kRestore, Subject::kTags, "backup at", ""},
    {"alter", Verb::kAlter, Subject::kTags, "events at", ""},
    {"exchange", Verb::kExchange, Subject::kTags, "at", ""},
    {"unreadable", Verb::kUnreadable, Subject::kTags, "as", "from to"},
    {"deny", Verb::kDeny, Subject::kTags, "from as", "to"},
    {"add", Verb::kAdd, Subject::kTags, "at", "history"},
    {"remove", Verb::kRemove, Subject::kTags, "at", "as"},
    {"rename", Verb::kRename, Subject::kTags, "at name", ""},
    {"recreate", Verb::kRecreate, Subject::kTags, "at", "again"},
    {"retype", Verb::kRetype, Subject::kTags, "at type", "set"},
    {"set", Verb::kSet, Subject::kTags, "at", "units descriptor source zero span"},
    {"relabel", Verb::kRelabel, Subject::kSet, "code at name", ""},
    {"server", Verb::kServer, Subject::kNone, "at name|moved", "seed"},
    {"failover", Verb::kFailover, Subject::kNone, "from to lag", "frozen split"},
    {"clock", Verb::kClock, Subject::kClock, "off from", "to"},
    {"restart", Verb::kRestart, Subject::kNone, "at", "over"},
    {"fault", Verb::kFault, Subject::kFault, "rate", "from to calls"},
};

std::vector<std::string_view> List(std::string_view words, char separator = ' ') {
  if (words.empty()) return {};
  return Split(words, separator);
}

bool Has(const std::vector<std::string_view>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

const VerbRule* FindVerb(std::string_view name) {
  const auto found = std::ranges::find(kVerbs, name, &VerbRule::name);
  return found == std::end(kVerbs) ? nullptr : &*found;
}

/// All that it knows, what it needs first.
std::vector<std::string_view> KeywordsOf(const VerbRule& rule) {
  std::vector<std::string_view> all;
  for (const std::string_view group : List(rule.needs)) {
    const auto one_of = List(group, '|');
    all.insert(all.end(), one_of.begin(), one_of.end());
  }
  const auto takes = List(rule.takes);
  all.insert(all.end(), takes.begin(), takes.end());
  if (rule.subject == Subject::kTags) all.insert(all.end(), {"pick", "seed"});
  return all;
}

Status CheckNeeds(const VerbRule& rule, const std::vector<std::string_view>& given) {
  for (const std::string_view group : List(rule.needs)) {
    const auto one_of = List(group, '|');
    const auto found =
        std::ranges::count_if(one_of, [&](std::string_view name) { return Has(given, name); });
    std::string names(group);
    for (size_t at; (at = names.find('|')) != std::string::npos;) names.replace(at, 1, "' or '");
    if (found == 0) return Fail(ErrorKind::kInvalid, "'{}' needs '{}'", rule.name, names);
    if (found > 1)
      return Fail(ErrorKind::kInvalid, "'{}' takes only one of '{}'", rule.name, names);
  }
  if (Has(KeywordsOf(rule), "count") && Has(given, "count") != Has(given, "events"))
    return Fail(ErrorKind::kInvalid, "'count' and 'events' go together");
  return {};
}

// What no table of keywords can say.
Status CheckSense(const Scene& scene) {
  const auto is_one_of = [&](std::initializer_list<Trouble> list) {
    return std::ranges::find(list, scene.trouble) != list.end();
  };
  if (scene.when.empty()) return Fail(ErrorKind::kInvalid, "it ends before it begins");
  if (scene.verb == Verb::kClock && scene.tags != "host" && scene.tags != "archive")
    return Fail(ErrorKind::kInvalid, "a clock is that of 'host' or of 'archive'");
  if (scene.verb == Verb::kDeny && !is_one_of({Trouble::k404, Trouble::k403, Trouble::kEmpty}))
    return Fail(ErrorKind::kInvalid, "'deny' is as 404, 403 or empty");
  if (scene.verb == Verb::kRemove && !is_one_of({Trouble::kNone, Trouble::k404, Trouble::k410}))
    return Fail(ErrorKind::kInvalid, "'remove' is as 404 or 410");
  if (scene.verb == Verb::kRetype && (scene.type == PointType::kDigital) != scene.set.has_value())
    return Fail(ErrorKind::kInvalid, "'type Digital' and 'set' go together");
  if (scene.verb == Verb::kRestore && scene.when.begin < scene.backup)
    return Fail(ErrorKind::kInvalid, "the backup is younger than its return");
  if ((scene.again && *scene.again < scene.when.begin) ||
      (scene.history && *scene.history < scene.when.begin))
    return Fail(ErrorKind::kInvalid, "what comes later comes before");
  return {};
}

Result<Scene> ReadScene(const std::vector<Word>& words) {
  const VerbRule* rule = FindVerb(words[0].text);
  if (rule == nullptr) {
    std::string all;
    for (const VerbRule& known : kVerbs) all += (all.empty() ? "" : ", ") + std::string(known.name);
    return Fail(ErrorKind::kInvalid, "no scene is called '{}'; there are {}", words[0].text, all);
  }
  Scene scene;
  scene.verb = rule->verb;
  const size_t first = rule->subject == Subject::kNone ? 1 : 2;
  if (words.size() < first) {
    return Fail(ErrorKind::kInvalid, "'{}' needs {} behind it", rule->name,
                kSubjects[static_cast<size_t>(rule->subject)]);
  }
  if (rule->subject == Subject::kFault) {
    ASSIGN_OR_RETURN(scene.fault, FindFault(words[1].text));
  } else if (rule->subject != Subject::kNone) {
    scene.tags = words[1].text;
  }
  const std::vector<std::string_view> known = KeywordsOf(*rule);
  std::vector<std::string_view> given;
  for (size_t i = first; i < words.size();) {
    const Word& name = words[i++];
    const auto* keyword = std::ranges::find(kKeywords, name.text, &Keyword::name);
    if (keyword == std::end(kKeywords) || name.quoted || !Has(known, name.text)) {
      return Fail(ErrorKind::kInvalid, "'{}' does not know '{}'; it takes {}", rule->name,
                  name.text, fmt::join(known, ", "));
    }
    if (Has(given, keyword->name))
      return Fail(ErrorKind::kInvalid, "'{}' is there twice", keyword->name);
    if (words.size() - i < keyword->words)
      return Fail(ErrorKind::kInvalid, "'{}' needs {} behind it", keyword->name, keyword->words);
    RETURN_IF_ERROR(keyword->read(scene, std::span(words).subspan(i, keyword->words)));
    given.push_back(keyword->name);
    i += keyword->words;
  }
  RETURN_IF_ERROR(CheckNeeds(*rule, given));
  RETURN_IF_ERROR(CheckSense(scene));
  return scene;
}

}  // namespace

Result<Script> ParseScript(std::string_view text) {
  Script script;
  std::string findings;
  int number = 0;
  for (const std::string_view line : Split(text, '\n')) {
    ++number;
    auto words = SplitWords(line);
    if (words && words->empty()) continue;
    auto scene = words ? ReadScene(*words) : Result<Scene>(tl::unexpected(words.error()));
    if (!scene) {
      findings +=
          fmt::format("{}line {}: {}", findings.empty() ? "" : "\n", number, scene.error().message);
      continue;
    }
    scene->line = number;
    script.push_back(std::move(*scene));
  }
  if (!findings.empty()) return Fail(ErrorKind::kInvalid, "{}", findings);
  return script;
}

Result<Script> ReadScript(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return Fail(ErrorKind::kInvalid, "cannot read the script {}", path);
  auto script = ParseScript(text);
  if (!script) return Annotate(script.error(), path);
  return script;
}

}  // namespace pilake::sim
