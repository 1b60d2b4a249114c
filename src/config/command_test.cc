// SPDX-License-Identifier: Apache-2.0
#include "config/command.h"

#include <chrono>

#include <gmock/gmock.h>

#include "core/matchers.h"

namespace pilake::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string MessageOf(const Result<std::string>& result) {
  EXPECT_THAT(result, FailsWith(ErrorKind::kInvalid));
  return result ? "" : result.error().message;
}

TEST(CommandWords, AreWhatStandsBetweenSpaces) {
  EXPECT_THAT(CommandWords("  pass  show\tpi/reader "), ElementsAre("pass", "show", "pi/reader"));
  EXPECT_THAT(CommandWords(" "), ElementsAre());
}

TEST(RunCommand, GivesWhatIsPrintedWithoutTheSpaceAroundIt) {
  EXPECT_EQ(*RunCommand({"printf", " a b\n\n"}), "a b");
}

TEST(RunCommand, HasNoShellThatWouldReadTheWords) {
  EXPECT_EQ(*RunCommand({"echo", "$HOME; `id`", "*"}), "$HOME; `id` *");
}

TEST(RunCommand, GivesNoInput) {
  EXPECT_THAT(MessageOf(RunCommand({"cat"})), HasSubstr("'cat' printed nothing"));
}

TEST(RunCommand, SaysWhatFailedButNotWhatWasPrinted) {
  EXPECT_THAT(MessageOf(RunCommand({"sh", "-c", "echo s3cret; exit 7"})),
              AllOf(HasSubstr("'sh' ended with code 7"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(MessageOf(RunCommand({"sh", "-c", "kill -TERM $$"})),
              HasSubstr("'sh' ended with signal 15"));
  EXPECT_THAT(MessageOf(RunCommand({"/no/such/program", "s3cret"})),
              AllOf(HasSubstr("'/no/such/program' cannot be started: No such file"),
                    Not(HasSubstr("s3cret"))));
}

TEST(RunCommand, KillsWhatTakesTooLongWithAllThatItStarted) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(MessageOf(RunCommand({"sh", "-c", "echo s3cret; sleep 60 & sleep 60"},
                                   Duration::Millis(100))),
              AllOf(HasSubstr("was not done within 100 ms"), Not(HasSubstr("s3cret"))));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(RunCommand, DoesNotWaitForeverForOneThatClosedItsOutput) {
  EXPECT_THAT(MessageOf(RunCommand({"sh", "-c", "exec >&-; sleep 60"}, Duration::Millis(100))),
              HasSubstr("was not done within 100 ms"));
}

TEST(RunCommand, StopsReadingWhatDoesNotEnd) {
  EXPECT_THAT(MessageOf(RunCommand({"yes"})), HasSubstr("more than 64 KiB"));
}

}  // namespace
}  // namespace pilake::config
