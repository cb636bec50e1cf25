// Prompts: what is cut, and what several share.
#include "tasks/generation/prompts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace attnlab {
namespace {

using Ids = std::vector<int64_t>;

const std::string tale =
    "Once upon a time there was a little dog. He saw a big red ball in the park — très joli — and said yes. "
    "The ball was not his, so he went home, and the little girl was happy.";
const PromptFrame frame{"Read this:\n", "\nWhat did he see?\n", " [cut]"};

PromptRule rule_of(int64_t most_tokens, Cut cut = Cut::end) {
  PromptRule rule;
  rule.tokenizer = Tokenizer::open(ATTNLAB_SOURCE_DIR "/tests/golden/small_tokenizer.model");
  rule.most_tokens = most_tokens;
  rule.cut = cut;
  return rule;
}

Ids encoded(const PromptRule& rule, const std::string& text) { return rule.tokenizer.encode(text, true); }

std::string refused(const PromptRule& rule) {
  try {
    prompt_of(rule, tale, frame, "story 7");
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(Prompts, AreTheWholeTextWhereItFits) {
  const PromptRule rule = rule_of(1000);
  const QuestionPrompt prompt = prompt_of(rule, tale, frame, "story 7");
  EXPECT_EQ(prompt.ids, encoded(rule, "Read this:\n" + tale + "\nWhat did he see?\n"));
  EXPECT_FALSE(prompt.is_cut);
  EXPECT_EQ(prompt.document_share, 1.0);
}

TEST(Prompts, LoseTheDocumentsEndAndNoMoreThanTheyMust) {
  const auto whole = static_cast<int64_t>(prompt_of(rule_of(1000), tale, frame, "story 7").ids.size());
  for (int64_t most = whole - 1; most > 60; --most) {
    const PromptRule rule = rule_of(most);
    const QuestionPrompt prompt = prompt_of(rule, tale, frame, "story 7");
    ASSERT_LE(static_cast<int64_t>(prompt.ids.size()), most);
    EXPECT_TRUE(prompt.is_cut);
    const auto left =
        static_cast<std::size_t>(std::lround(prompt.document_share * static_cast<double>(tale.size())));
    EXPECT_EQ(prompt.ids, encoded(rule, frame.before + tale.substr(0, left) + frame.omitted + frame.after));
    EXPECT_NE(static_cast<unsigned char>(tale[left]) & 0xc0, 0x80) << "within a character";
    // The next whole token would not fit; of a character's bytes all are needed.
    EXPECT_GE(static_cast<int64_t>(prompt.ids.size()), most - 3) << most;
  }
}

TEST(Prompts, SayWhereNothingOfTheDocumentFits) {
  EXPECT_THAT(refused(rule_of(12)),
              testing::MatchesRegex("story 7: the words around its document take [0-9]+ tokens, and with a "
                                    "length of 12 none of it is left"));
}

TEST(Prompts, HaveRoomWhereverTheyCanBeMade) {
  const auto told = [](const PromptRule& rule, const std::string& document) {
    try {
      require_room(rule, document, frame, "story 7");
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  for (int64_t most = 2; most < 60; ++most)
    EXPECT_EQ(told(rule_of(most), tale), refused(rule_of(most))) << most;
  EXPECT_THAT(refused(rule_of(2)), testing::HasSubstr("none of it is left"));
  const auto around = encoded(rule_of(1000), frame.before + frame.after).size();
  const PromptRule short_rule = rule_of(static_cast<int64_t>(around) + 1);
  EXPECT_EQ(told(short_rule, "x"), "") << "whole, it needs no mark of a cut";
  EXPECT_EQ(told(rule_of(2, Cut::middle), tale), "") << "words around it are cut too";
}

TEST(Prompts, LoseTheirMiddleAsLongBenchHasIt) {
  const PromptRule rule = rule_of(40, Cut::middle);
  const Ids all = encoded(rule, frame.before + tale + frame.after);
  const std::string first = rule.tokenizer.decode(Ids(all.begin(), all.begin() + 20));
  const std::string last = rule.tokenizer.decode(Ids(all.end() - 20, all.end()));
  EXPECT_EQ(prompt_of(rule, tale, frame, "story 7").ids, encoded(rule, first + last));
}

TEST(Prompts, LoseTheirMiddleForTheirTextAndNotForTheirTemplate) {
  const std::string said = frame.before + tale + frame.after;
  PromptRule rule = rule_of(static_cast<int64_t>(encoded(rule_of(1000), said).size()), Cut::middle);
  rule.chat.format = ChatFormat::llama2;
  const QuestionPrompt whole = prompt_of(rule, tale, frame, "story 7");
  EXPECT_FALSE(whole.is_cut);
  EXPECT_EQ(whole.ids, rule.tokenizer.encode(chat_text(rule.chat, {{"user", said}}), false));
  EXPECT_GT(static_cast<int64_t>(whole.ids.size()), rule.most_tokens);
  --rule.most_tokens;
  EXPECT_TRUE(prompt_of(rule, tale, frame, "story 7").is_cut);
}

TEST(Prompts, ThatMayNotBeCutAreRefused) {
  EXPECT_THAT(refused(rule_of(40, Cut::refused)),
              testing::MatchesRegex("story 7: its prompt has [0-9]+ tokens, more than the length of 40, and "
                                    "nothing of it may be cut"));
}

TEST(Prompts, StandInAChatsFormatWithTheAnswersBeginningBehindIt) {
  PromptRule rule = rule_of(1000);
  rule.chat.format = ChatFormat::llama2;
  PromptFrame with_answer = frame;
  with_answer.answer = " He saw";
  EXPECT_EQ(prompt_of(rule, tale, with_answer, "story 7").ids,
            rule.tokenizer.encode(
                chat_text(rule.chat, {{"user", frame.before + tale + frame.after}}) + " He saw", false));
}

TEST(SharedBeginning, LeavesAnIdOfEach) {
  const auto shared = [](const std::vector<Ids>& all) {
    std::vector<QuestionPrompt> prompts;
    for (const Ids& ids : all) prompts.push_back({ids});
    return shared_beginning(prompts);
  };
  EXPECT_EQ(shared({{1, 2, 3, 4}, {1, 2, 5}, {1, 2, 3}}), 2);
  EXPECT_EQ(shared({{1, 2, 3}, {1, 2, 3}}), 2);
  EXPECT_EQ(shared({{1, 2, 3, 4}, {1}}), 0);
  EXPECT_EQ(shared({{1, 2}, {3, 4}}), 0);
}

}  // namespace
}  // namespace attnlab
