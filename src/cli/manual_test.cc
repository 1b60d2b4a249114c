// SPDX-License-Identifier: Apache-2.0
#include "cli/manual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pilake::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// `toy` with a command that has a command, and one of every kind of option.
class ToyManual : public testing::Test {
 protected:
  ToyManual() : app_("Plays.", "toy") {
    app_.set_version_flag("--version", "toy 1");
    app_.add_flag_callback("--secret", [] {})->group("");
    CLI::App* fetch = app_.add_subcommand("fetch", "Brings what isn't here: a \\ or so.");
    fetch->footer("Examples:\n.toy fetch");
    fetch->add_option("-f,--from", from_, "Where it is")->type_name("FILE")->capture_default_str();
    fetch->add_option("--how", how_, "How")->check(CLI::IsMember({"fast", "slow"}));
    fetch->add_option("what", what_, "What to bring");
    CLI::App* back = fetch->add_subcommand("back", "Brings it back");
    back->add_flag_callback("--soon", [] {}, "Not later");
    app_.add_subcommand("hidden", "Nobody's business")->group("");
  }

  Manual manual() const { return ReadManual(app_); }

  std::string from_ = "here", how_, what_;
  CLI::App app_;
};

TEST_F(ToyManual, HasCommandsWithinCommandsUnderTheirFullNames) {
  const Manual toy = manual();
  ASSERT_EQ(toy.commands.size(), 1U);
  EXPECT_EQ(toy.commands[0].name, "toy fetch");
  ASSERT_EQ(toy.commands[0].commands.size(), 1U);
  EXPECT_EQ(toy.commands[0].commands[0].name, "toy fetch back");
  EXPECT_EQ(toy.commands[0].commands[0].word(), "back");
}

TEST_F(ToyManual, KnowsWhatStandsBehindAnOption) {
  const std::vector<Flag> flags = manual().commands[0].flags;
  ASSERT_EQ(flags.size(), 4U);
  EXPECT_EQ(flags[0].value, "");  // --help
  EXPECT_THAT(flags[1].names, ElementsAre("-f", "--from"));
  EXPECT_EQ(flags[1].value, "FILE");
  EXPECT_EQ(flags[1].by_default, "here");
  EXPECT_EQ(flags[2].value, "TEXT");
  EXPECT_THAT(flags[2].choices, ElementsAre("fast", "slow"));
  EXPECT_TRUE(flags[3].is_positional);
  EXPECT_THAT(flags[3].names, ElementsAre("what"));
}

TEST_F(ToyManual, TellsNobodyOfWhatIsHidden) {
  for (const auto page : {ManPage, BashCompletion, ZshCompletion, FishCompletion}) {
    EXPECT_THAT(page(manual()), Not(HasSubstr("secret")));
    EXPECT_THAT(page(manual()), Not(HasSubstr("hidden")));
  }
}

TEST_F(ToyManual, IsAManPageWhoseTextCannotBeTakenForMacros) {
  const std::string page = ManPage(manual());
  EXPECT_THAT(page, HasSubstr(".SS toy fetch back\n"));
  EXPECT_THAT(
      page, HasSubstr(".TP\n\\fB\\-f, \\-\\-from\\fR \\fIFILE\\fR\nWhere it is Default: here.\n"));
  EXPECT_THAT(page, HasSubstr("a \\e or so"));
  EXPECT_THAT(page, HasSubstr("\n\\&.toy fetch\n"));
}

TEST_F(ToyManual, OffersFilesOnlyWhereOneIsWanted) {
  const std::string bash = BashCompletion(manual());
  EXPECT_THAT(bash, HasSubstr("'toy fetch -f'|'toy fetch --from') compopt -o filenames"));
  EXPECT_THAT(bash,
              HasSubstr("'toy fetch --how') mapfile -t COMPREPLY < <(compgen -W 'fast slow'"));
  EXPECT_THAT(FishCompletion(manual()), HasSubstr(" -s f -l from -r -F -d 'Where it is'"));
}

TEST_F(ToyManual, KeepsQuotesAndColonsOfDescriptionsApartFromTheShells) {
  EXPECT_THAT(ZshCompletion(manual()),
              HasSubstr(R"('fetch:Brings what isn'\''t here: a \ or so.')"));
  EXPECT_THAT(FishCompletion(manual()), HasSubstr(R"('Brings what isn\'t here: a \\ or so.')"));
}

}  // namespace
}  // namespace pilake::cli
