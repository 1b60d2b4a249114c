// SPDX-License-Identifier: Apache-2.0
#include "pi/request.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <regex>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "core/matchers.h"

namespace pilake::pi {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr UtcTime kBegin{17'040'672'000'000'153}, kEnd{17'040'708'000'000'000};  // 2024-01-01

TEST(BuildRecorded, SendsTheWindowVerbatimWithSevenDigits) {
  const HttpRequest request =
      BuildRecorded({.web_id = "I1DPabc", .begin = kBegin, .end = kEnd, .max_count = 10'000});
  EXPECT_EQ(request.method, HttpRequest::Method::kGet);
  EXPECT_THAT(request.target,
              StartsWith("/streams/I1DPabc/recorded?startTime=2024-01-01T00:00:00.0000153Z"
                         "&endTime=2024-01-01T01:00:00.0000000Z&boundaryType=Inside"
                         "&maxCount=10000&selectedFields="));
}

TEST(BuildRecorded, AlwaysSelectsTheSignsOfFailure) {
  EXPECT_THAT(BuildRecorded({.web_id = "x", .begin = kBegin, .end = kEnd}).target,
              HasSubstr(";WebException"));
  EXPECT_THAT(BuildRecordedSet({}, kBegin, kEnd, 10).target,
              testing::AllOf(HasSubstr(";Items.WebException;"), HasSubstr(";WebException")));
  EXPECT_THAT(BuildValueSet({}).target,
              testing::AllOf(HasSubstr(";Items.WebException;"), HasSubstr(";WebException")));
}

TEST(BuildRecordedSet, NamesEveryStreamInOrderAndAsksForIdOnly) {
  const std::vector<std::string_view> web_ids{"I1DPa", "I1DPb"};
  EXPECT_THAT(BuildRecordedSet(web_ids, kBegin, kEnd, 75'000).target,
              testing::AllOf(StartsWith("/streamsets/recorded?startTime="),
                             HasSubstr("&maxCount=75000&webIdType=IDOnly&"),
                             testing::EndsWith("&webId=I1DPa&webId=I1DPb")));
}

TEST(BuildNewest, ReadsBackwardsToTheFirstTimeOfPi) {
  const std::vector<std::string_view> web_ids{"I1DPa"};
  EXPECT_THAT(BuildNewest(web_ids, kEnd, 2).target,
              HasSubstr("?startTime=2024-01-01T01:00:00.0000000Z"
                        "&endTime=1970-01-01T00:00:00.0000000Z&boundaryType=Inside&maxCount=2&"));
}

TEST(BuildRecordedBatch, KeysTheSingleReadsByTheirPosition) {
  const RecordedRead first{.web_id = "I1DPa", .begin = kBegin, .end = kEnd, .max_count = 5};
  const RecordedRead second{.web_id = "I1DPb", .begin = kBegin, .end = kEnd, .max_count = 7};
  const std::vector<RecordedRead> reads{first, second};
  const HttpRequest request = BuildRecordedBatch("https://host/piwebapi", reads);
  EXPECT_EQ(request.method, HttpRequest::Method::kPost);
  EXPECT_EQ(request.target, "/batch");
  EXPECT_EQ(request.body, R"({"0":{"Method":"GET","Resource":"https://host/piwebapi)" +
                              BuildRecorded(first).target +
                              R"("},"1":{"Method":"GET","Resource":"https://host/piwebapi)" +
                              BuildRecorded(second).target + R"("}})");
}

TEST(BuildPoints, EncodesTheFilterButKeepsItsStars) {
  EXPECT_THAT(BuildPoints({.server_web_id = "I1DSx",
                           .name_filter = "U+ \\1|*?",
                           .start_index = 20,
                           .max_count = 10})
                  .target,
              StartsWith("/dataservers/I1DSx/points?nameFilter=U%2B%20%5C1%7C*%3F&startIndex=20"
                         "&maxCount=10&webIdType=IDOnly&selectedFields=Links.Next;Items.WebId;"));
  EXPECT_THAT(BuildPoints({.server_web_id = "x", .name_filter = {}}).target,
              Not(HasSubstr("nameFilter")));
}

TEST(BuildPointByPath, EncodesEveryByteOfTheName) {
  EXPECT_EQ(BuildPointByPath("\\\\SRV\\\u00c4 &#%;=x").target,
            "/points?path=%5C%5CSRV%5C%C3%84%20%26%23%25;%3Dx&webIdType=IDOnly");
}

TEST(WebIdsThatFit, FillsTheUrlButNeverOverflowsIt) {
  const std::string base = "https://pi.example.com/piwebapi";
  const std::vector<std::string_view> web_ids(1000, "I1DPRDMiEWZViHeZqrvM3e7_AAkhAAAA");
  const size_t fit = WebIdsThatFit(base, web_ids);
  const auto bytes = [&](size_t count) {
    return UrlBytes(base,
                    BuildRecordedSet(std::span(web_ids).first(count), kBegin, kEnd, 2'147'483'647));
  };
  EXPECT_LE(bytes(fit), kUrlBytesMax);
  EXPECT_GT(bytes(fit + 1), kUrlBytesMax);
  EXPECT_GT(fit, 150u);
  EXPECT_LE(UrlBytes(base, BuildValueSet(std::span(web_ids).first(fit))), kUrlBytesMax);
}

TEST(WebIdsThatFit, IsNeverNone) {
  const std::vector<std::string_view> web_ids{"I1DPa"};
  EXPECT_EQ(WebIdsThatFit("https://host/piwebapi", web_ids, 10), 1u);
}

// ---- The proof that each request is one that PI Web API documents, and that none can write
// -------

/// The vendor's contract: for each path, the query parameters of its GET, and whether it has a
/// POST.
struct Contract {
  std::map<std::string, std::set<std::string>> get;
  std::set<std::string> post;
};

Contract ReadContract() {
  std::ifstream file(PILAKE_SOURCE_DIR "/testdata/pi-web-api-2018sp1.paths.json");
  const std::regex path_line(R"re(^\s*"(/[^"]*)": \{(.*)$)re"), method(R"re("(get|post)": \{)re"),
      parameter(R"re("name": "([^"]+)", "in": "query")re");
  Contract contract;
  for (std::string line; std::getline(file, line);) {
    std::smatch path;
    if (!std::regex_match(line, path, path_line)) continue;
    const std::string operations = path[2];
    for (std::sregex_iterator it(operations.begin(), operations.end(), method), end; it != end;
         ++it) {
      if ((*it)[1] == "post") contract.post.insert(path[1]);
      if ((*it)[1] != "get") continue;
      const std::string rest = it->suffix();
      const std::string own = rest.substr(0, rest.find("\"responses\""));
      auto& names = contract.get[path[1]];
      for (std::sregex_iterator p(own.begin(), own.end(), parameter); p != end; ++p) {
        names.insert((*p)[1]);
      }
    }
  }
  return contract;
}

/// True if `target`'s path is `path` with each `{…}` replaced by one segment.
bool MatchesPath(const std::string& target, const std::string& path) {
  const std::string pattern = std::regex_replace(path, std::regex(R"(\{[^}]*\})"), "[^/]+");
  return std::regex_match(target.substr(0, target.find('?')), std::regex(pattern));
}

std::vector<std::string> ParameterNames(const std::string& target) {
  std::vector<std::string> names;
  if (target.find('?') == std::string::npos) return names;
  const std::string query = target.substr(target.find('?') + 1);
  const std::regex pair("([^=&]+)=[^&]*");
  for (std::sregex_iterator it(query.begin(), query.end(), pair), end; it != end; ++it) {
    names.push_back((*it)[1]);
  }
  return names;
}

void ExpectDocumentedGet(const Contract& contract, const std::string& target,
                         const std::string& path) {
  EXPECT_TRUE(MatchesPath(target, path)) << target << " is not of the form " << path;
  const auto known = contract.get.find(path);
  ASSERT_NE(known, contract.get.end()) << "no GET " << path;
  for (const std::string& name : ParameterNames(target)) {
    EXPECT_TRUE(known->second.contains(name)) << "GET " << path << " has no parameter " << name;
  }
}

TEST(MarkersThatFit, KeepsTheUrlWithinBounds) {
  std::vector<std::string> markers(1000, std::string(32, 'a') + "_1234567");
  const size_t fit = MarkersThatFit("https://host/piwebapi", markers);
  EXPECT_GE(fit, 120u);
  markers.resize(fit);
  EXPECT_LE(UrlBytes("https://host/piwebapi", BuildUpdates(markers)), kUrlBytesMax);
  EXPECT_EQ(MarkersThatFit("https://host/piwebapi", {}), 1u);
  const std::vector<std::string> long_one{std::string(10'000, 'a')};
  EXPECT_EQ(MarkersThatFit("https://host/piwebapi", long_one), 1u);
}

TEST(AllRequests, AreDocumentedByTheVendor) {
  const Contract contract = ReadContract();
  ASSERT_GT(contract.get.size(), 100u);
  for (const RequestForm& form : AllRequests()) {
    SCOPED_TRACE(std::string(form.name));
    EXPECT_EQ(form.source, "Swagger 2018 SP1");
    if (form.example.method == HttpRequest::Method::kGet) {
      ExpectDocumentedGet(contract, form.example.target, std::string(form.path));
    } else {
      const std::string target = form.example.target;
      EXPECT_EQ(target.substr(0, target.find('?')), form.path);
      EXPECT_TRUE(contract.post.contains(std::string(form.path)));
    }
  }
}

TEST(AllRequests, CannotWriteToPi) {
  const Contract contract = ReadContract();
  const std::regex part(R"re("Method":"([A-Z]+)","Resource":"https://host/piwebapi([^"]+)")re");
  for (const RequestForm& form : AllRequests()) {
    SCOPED_TRACE(std::string(form.name));
    if (form.example.method == HttpRequest::Method::kGet) {
      EXPECT_EQ(form.example.body, "");
      continue;
    }
    const std::string& body = form.example.body;
    if (form.path == "/streamsets/updates") {
      EXPECT_EQ(body, "") << "a registration says nothing but for whom";
      continue;
    }
    EXPECT_EQ(form.example.target, "/batch") << "nothing else may be a POST";
    int parts = 0;
    for (std::sregex_iterator it(body.begin(), body.end(), part), end; it != end; ++it, ++parts) {
      EXPECT_EQ((*it)[1], "GET");
      ExpectDocumentedGet(contract, (*it)[2], std::string(form.parts));
    }
    EXPECT_EQ(parts, 2);
    EXPECT_THAT(body, Not(HasSubstr("Content")));
  }
}

// ---- The same as a page for the administrator of the historian

/// `maxCount`, `webId`, …, each once, in the order of the request.
std::string ParameterList(const std::string& target) {
  std::string list;
  for (const std::string& name : ParameterNames(target)) {
    const std::string word = "`" + name + "`";
    if (list.find(word) == std::string::npos) list += (list.empty() ? "" : " ") + word;
  }
  return list.empty() ? "–" : list;
}

std::string Row(const RequestForm& form) {
  const bool is_get = form.example.method == HttpRequest::Method::kGet;
  const std::string parameters = form.parts.empty() ? ParameterList(form.example.target)
                                                    : fmt::format("body: GETs of `{}`", form.parts);
  return fmt::format("| {} | `{} {}` | {} | {} |\n", form.purpose, is_get ? "GET" : "POST",
                     form.path, parameters, form.source);
}

std::string Example(const RequestForm& form) {
  if (form.example.method == HttpRequest::Method::kGet) {
    return fmt::format("    GET {}\n", form.example.target);
  }
  if (form.example.body.empty()) return fmt::format("    POST {}\n", form.example.target);
  return fmt::format("    POST {}\n    {}\n", form.example.target, form.example.body);
}

std::string RequestsPage() {
  std::string page = R"(# Every request that pilake can send

<!-- Made from AllRequests() in src/pi/request.cc by `make docs`; do not edit. -->

For whoever answers for the historian. pilake reads: every request is a GET, but for two. By `POST /batch` PI Web API takes several GETs in
one call; by `POST /streamsets/updates` its web server, in its own memory, begins to note what is new. There is no code for anything else; tests hold each path and parameter against the vendor's published contract, and fail
if a request that could write appears. Paths are below the address of the service, such as `https://pi.example.com/piwebapi`. How many
of them go out, and how fast, the [budget](configuration.md#sourcebudget) says.

Headers: `Accept`, `Accept-Encoding`, `User-Agent`, `Authorization` where the configuration names an identity; with a POST
`Content-Type` and `X-Requested-With`, which the server asks of a POST. With `source.auth.kind: oidc` its issuer is asked for
`/.well-known/openid-configuration` and, by POST, for a token; without `source.auth.issuer` the former goes to PI Web API.

| for | request | parameters | documented in |
|---|---|---|---|
)";
  for (const RequestForm& form : AllRequests()) page += Row(form);
  page += "\n## As they go out\n\nWith WebIDs of an invented server.\n\n";
  for (const RequestForm& form : AllRequests()) page += Example(form);
  return page;
}

TEST(RequestsPage, IsWhatTheDocsHold) {
  constexpr const char* kPage = PILAKE_SOURCE_DIR "/docs/requests.md";
  if (std::getenv("PILAKE_WRITE_DOCS") != nullptr) std::ofstream(kPage) << RequestsPage();
  std::ifstream in(kPage);
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(page, RequestsPage()) << "docs/requests.md is stale; run `make docs`";
}

TEST(AllRequests, ListsEveryBuilderOfTheHeader) {
  std::ifstream file(PILAKE_SOURCE_DIR "/src/pi/request.h");
  const std::string header{std::istreambuf_iterator<char>(file), {}};
  std::set<std::string> declared, listed;
  const std::regex builder(R"(\nHttpRequest (Build\w+)\()");
  for (std::sregex_iterator it(header.begin(), header.end(), builder), end; it != end; ++it) {
    declared.insert((*it)[1]);
  }
  for (const RequestForm& form : AllRequests()) listed.insert(std::string(form.name));
  EXPECT_EQ(declared, listed);
  EXPECT_GT(declared.size(), 10u);
}

}  // namespace
}  // namespace pilake::pi
