// SPDX-License-Identifier: Apache-2.0
#include "plan/failure.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>

namespace pilake::plan {
namespace {

constexpr ErrorKind kKinds[] = {
    ErrorKind::kTransient, ErrorKind::kThrottled,    ErrorKind::kTimedOut,    ErrorKind::kTooLarge,
    ErrorKind::kAuth,      ErrorKind::kNotFound,     ErrorKind::kRefused,     ErrorKind::kMalformed,
    ErrorKind::kConflict,  ErrorKind::kInvalid,      ErrorKind::kUnreachable, ErrorKind::kCancelled,
    ErrorKind::kInternal,  ErrorKind::kCommitUnknown};
constexpr SourceState kStates[] = {SourceState::kNew, SourceState::kAnswers, SourceState::kSilent,
                                   SourceState::kGone};

TEST(NextStep, FollowsTheTable) {
  using enum ErrorKind;
  using enum SourceState;
  using enum Step;
  struct Row {
    ErrorKind kind;
    int attempt;
    size_t series;
    bool is_divisible;
    SourceState source;
    Step step;
  };
  const Row rows[] = {
      // What may pass is waited out, while others are answered up to the eighth attempt.
      {kTransient, 1, 1, false, kAnswers, kWait},
      {kTransient, 7, 1, false, kAnswers, kWait},
      {kTransient, 8, 1, true, kAnswers, kLeaveOut},
      {kTransient, 1, 9, true, kAnswers, kWait},
      {kTransient, 2, 9, true, kAnswers, kSplit},
      {kTransient, 8, 0, false, kAnswers, kLeaveOut},
      {kTransient, 800, 1, true, kSilent, kWait},
      {kTransient, 2, 9, true, kGone, kStop},
      {kTransient, 5, 0, false, kNew, kWait},
      {kTransient, 6, 0, false, kNew, kStop},
      // Everybody is asked to slow down, or nobody gets through: no series is at fault.
      {kThrottled, 800, 1, false, kAnswers, kWait},
      {kThrottled, 800, 9, true, kSilent, kWait},
      {kThrottled, 2, 9, true, kGone, kStop},
      {kUnreachable, 800, 9, true, kAnswers, kWait},
      {kUnreachable, 800, 9, true, kSilent, kWait},
      {kUnreachable, 2, 9, true, kGone, kStop},
      {kUnreachable, 6, 0, false, kNew, kStop},
      // Time-outs are long: once more, then less.
      {kTimedOut, 1, 9, true, kAnswers, kWait},
      {kTimedOut, 2, 9, true, kAnswers, kSplit},
      {kTimedOut, 9, 9, true, kAnswers, kSplit},
      {kTimedOut, 2, 1, true, kSilent, kSplit},
      {kTimedOut, 8, 1, true, kSilent, kLeaveOut},
      {kTimedOut, 2, 1, false, kAnswers, kWait},
      {kTimedOut, 8, 1, false, kAnswers, kLeaveOut},
      {kTimedOut, 2, 1, true, kGone, kStop},
      // Too much was asked for.
      {kTooLarge, 1, 9, true, kAnswers, kSplit},
      {kTooLarge, 1, 1, true, kNew, kSplit},
      {kTooLarge, 1, 1, false, kAnswers, kLeaveOut},
      // One bad series fails all that travel with it.
      {kNotFound, 1, 9, true, kAnswers, kSeparate},
      {kNotFound, 1, 1, true, kAnswers, kLeaveOut},
      {kNotFound, 1, 0, false, kNew, kLeaveOut},
      {kRefused, 1, 9, true, kNew, kSeparate},
      {kRefused, 1, 1, true, kAnswers, kLeaveOut},
      // Perhaps a proxy spoke once; perhaps one series cannot be rendered.
      {kMalformed, 1, 9, true, kAnswers, kWait},
      {kMalformed, 2, 9, true, kAnswers, kSplit},
      {kMalformed, 2, 1, true, kAnswers, kWait},
      {kMalformed, 3, 1, true, kAnswers, kLeaveOut},
      {kMalformed, 3, 0, false, kNew, kStop},
      {kMalformed, 3, 9, true, kSilent, kWait},
      // A login page, a redirect, a certificate of somebody else.
      {kInvalid, 1, 0, false, kNew, kStop},
      {kInvalid, 1, 9, true, kSilent, kWait},
      {kInvalid, 1, 9, true, kGone, kStop},
      {kInvalid, 8, 1, true, kAnswers, kLeaveOut},
      // Repeated refusals lock accounts.
      {kAuth, 1, 9, true, kAnswers, kStop},
      {kConflict, 1, 1, true, kAnswers, kLeaveOut},
      {kCancelled, 1, 1, true, kAnswers, kStop},
      {kInternal, 1, 1, true, kAnswers, kStop},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(NextStep({row.kind, row.attempt, row.series, row.is_divisible, row.source}), row.step)
        << Name(row.kind) << ", attempt " << row.attempt << ", series " << row.series << ", source "
        << static_cast<int>(row.source);
  }
}

TEST(NextStep, ComesToAnEndWheneverTheSourceIsGoneOrNeverWas) {
  for (const ErrorKind kind : kKinds) {
    for (const SourceState state : {SourceState::kNew, SourceState::kGone}) {
      for (const size_t series : {0, 1, 9}) {
        EXPECT_NE(NextStep({kind, kAttemptsMax, series, series > 1, state}), Step::kWait)
            << Name(kind);
      }
    }
  }
}

TEST(NextStep, BlamesNoSeriesForWhatAllOfThemSuffer) {
  for (const ErrorKind kind :
       {ErrorKind::kTransient, ErrorKind::kThrottled, ErrorKind::kUnreachable,
        ErrorKind::kMalformed, ErrorKind::kInvalid}) {
    for (int attempt = 1; attempt < 50; ++attempt) {
      EXPECT_EQ(NextStep({kind, attempt, 1, true, SourceState::kSilent}), Step::kWait)
          << Name(kind);
    }
  }
}

TEST(NextStep, SplitsOnlyWhatCanBeSplit) {
  for (const ErrorKind kind : kKinds) {
    for (const SourceState state : kStates) {
      for (int attempt = 1; attempt < 12; ++attempt) {
        EXPECT_NE(NextStep({kind, attempt, 1, false, state}), Step::kSplit) << Name(kind);
        EXPECT_NE(NextStep({kind, attempt, 1, true, state}), Step::kSeparate) << Name(kind);
      }
    }
  }
}

/// What becomes of a call that fails so every time, in words.
std::string Course(ErrorKind kind, size_t series, SourceState source) {
  constexpr int kForEver = 100;
  int attempt = 1;
  const auto step = [&] { return NextStep({kind, attempt, series, true, source}); };
  while (attempt < kForEver && step() == Step::kWait) ++attempt;
  const int again = attempt - 1;
  if (again + 1 == kForEver) return "asked again and again";
  std::string course = again == 0   ? ""
                       : again == 1 ? "asked once more, then "
                                    : fmt::format("asked {} times more, then ", again);
  switch (step()) {
    case Step::kSplit:
      return course + (series > 1 ? "in smaller calls" : "for shorter times");
    case Step::kSeparate:
      return course + "the one at fault is found, the others are asked again";
    case Step::kLeaveOut:
      return course + "left out and named";
    case Step::kWait:
    case Step::kStop:
      break;
  }
  return course + "the run stops";
}

std::string FailureTable() {
  struct Row {
    const char* what;
    ErrorKind kind;
  };
  constexpr Row kRows[] = {
      {"429", ErrorKind::kThrottled},
      {"500, 502, 503; a connection or an answer cut short; `WebException`", ErrorKind::kTransient},
      {"504, no answer in time, a time-out between PI Web API and the archive",
       ErrorKind::kTimedOut},
      {"more asked than the server or the archive allows, 413, 414", ErrorKind::kTooLarge},
      {"404, 410", ErrorKind::kNotFound},
      {"400, 403, 409, 501", ErrorKind::kRefused},
      {"bytes that are no answer to what was asked", ErrorKind::kMalformed},
      {"a log-in page, a redirect, a gateway's own page, a certificate that is not trusted",
       ErrorKind::kInvalid},
      {"no connection, no address, no TLS", ErrorKind::kUnreachable},
      {"401, 407", ErrorKind::kAuth}};
  std::string table =
      "| the server or the network says | a call for many points | a call for one | while nothing "
      "at all is answered |\n|---|---|---|---|\n";
  for (const Row& row : kRows) {
    table += fmt::format(
        "| {} | {} | {} | {} |\n", row.what, Course(row.kind, 9, SourceState::kAnswers),
        Course(row.kind, 1, SourceState::kAnswers), Course(row.kind, 1, SourceState::kSilent));
  }
  return table;
}

TEST(NextStep, IsWhatTheAdministratorWasTold) {
  constexpr const char* kPage = PILAKE_SOURCE_DIR "/docs/gentle.md";
  constexpr std::string_view kBegin = "<!-- failures -->\n", kEnd = "<!-- end of failures -->";
  std::ifstream in(kPage);
  std::string page{std::istreambuf_iterator<char>(in), {}};
  const size_t begin = page.find(kBegin), end = page.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const size_t from = begin + kBegin.size();
  if (std::getenv("PILAKE_WRITE_DOCS") != nullptr) {
    std::ofstream(kPage) << page.substr(0, from) << FailureTable() << page.substr(end);
    return;
  }
  EXPECT_EQ(page.substr(from, end - from), FailureTable())
      << "docs/gentle.md is stale; run `make docs`";
}

TEST(RetryPause, DoublesUpToThirtySecondsWithJitterOverItsUpperHalf) {
  constexpr Duration kFirst = Duration::Millis(250);
  EXPECT_EQ(RetryPause(kFirst, 1, 0), Duration::Millis(125));
  EXPECT_EQ(RetryPause(kFirst, 2, 0), Duration::Millis(250));
  EXPECT_LT(RetryPause(kFirst, 1, 0.999), Duration::Millis(250));
  EXPECT_EQ(RetryPause(kFirst, 50, 0), Duration::Seconds(15));
}

TEST(Streak, DoubtsTheServerAfterManyFailuresWithNothingInBetween) {
  Streak streak;
  for (int i = 1; i < Streak::kDoubtedAfter; ++i) EXPECT_FALSE(streak.Failed());
  EXPECT_TRUE(streak.Failed());
  EXPECT_FALSE(streak.Failed());
  streak.Came();
  for (int i = 1; i < Streak::kDoubtedAfter; ++i) EXPECT_FALSE(streak.Failed());
  EXPECT_TRUE(streak.Failed());
}

TEST(RefusesUs, TakesTheWholeOfAServerForOneRefusal) {
  EXPECT_TRUE(RefusesUs(10, 10));
  EXPECT_TRUE(RefusesUs(10'000, 10'000));
  EXPECT_FALSE(RefusesUs(10'000, 9'999));
  EXPECT_FALSE(RefusesUs(9, 9)) << "a person reads nine names";
  EXPECT_FALSE(RefusesUs(0, 0));
}

}  // namespace
}  // namespace pilake::plan
