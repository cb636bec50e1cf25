// Conversations as texts, against published templates rendered by jinja2
// (tests/golden/make_chat_templates.py).
#include "data/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace attnlab {
namespace {

using testing::HasSubstr;

TEST(ChatTemplate, TextsAreThoseOfThePublishedTemplates) {
  std::ifstream in(ATTNLAB_SOURCE_DIR "/tests/golden/chat_templates.json");
  const auto goldens = nlohmann::json::parse(in);
  ASSERT_GE(goldens.size(), 58U);
  for (const auto& golden : goldens) {
    const ChatTemplate how = recognised(golden["jinja"].get<std::string>(), {golden["bos"], golden["eos"]});
    EXPECT_EQ(name_of(how.format), golden["format"].get<std::string>());
    std::vector<ChatMessage> messages;
    for (const auto& m : golden["messages"]) messages.push_back({m["role"], m["content"]});
    EXPECT_EQ(chat_text(how, messages), golden["text"].get<std::string>())
        << golden["template"] << ", " << golden["talk"];
  }
}

TEST(ChatTemplate, IsNoneWithoutKnownMarkers) {
  EXPECT_EQ(recognised("{{ messages }}").format, ChatFormat::none);
  EXPECT_EQ(recognised("<|im_start|>system\n' + system + '<|im_end|>").system, "")
      << "an expression, not a text";
}

TEST(ChatTemplate, ChosenByNameBeginsWithTheModelsOwnBos) {
  const std::vector<ChatMessage> hello{{"user", "Hi."}};
  EXPECT_EQ(chat_text(usual_template(ChatFormat::llama2), hello), "<s>[INST] Hi. [/INST]");
  EXPECT_EQ(chat_text(usual_template(ChatFormat::llama2, {.bos = "[BOS]"}), hello),
            "[BOS][INST] Hi. [/INST]");
  EXPECT_TRUE(chat_text(usual_template(ChatFormat::llama3), hello).starts_with("<|begin_of_text|><|start"));
  EXPECT_TRUE(
      chat_text(usual_template(ChatFormat::chatml, {.bos = "<s>"}), hello).starts_with("<|im_start|>"));
}

TEST(ChatTemplate, OfALaterModelIsNotTakenForAnEarlierOnes) {
  for (const char* jinja :
       {"{{ '[INST]' + message['content'] + '[/INST]' }}", "{{ '[INST] ' + message['content'] + '[/INST]' }}",
        "{{ '<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023' }}",
        "{{ '<|im_start|>assistant\n' }}{% if not enable_thinking %}{{ '<think>\n\n</think>\n\n' }}{% endif "
        "%}",
        "{{ system_message }}{% for m in messages %}{{ '<|im_start|>user\n' + m['content'] + '<|im_end|>\n' "
        "}}{% endfor %}",
        "{{ ' [INST] ' + message['content'] + ' [/INST]' }}"})
    EXPECT_EQ(recognised(jinja).format, ChatFormat::none) << jinja;
}

std::string chat_refusal(ChatFormat format, const std::vector<ChatMessage>& messages) {
  try {
    chat_text({format}, messages);
  } catch (const UserError& e) {
    return e.what();
  }
  return "";
}

TEST(ChatTemplate, ConversationsWithoutAPlaceAreRefused) {
  EXPECT_THAT(chat_refusal(ChatFormat::none, {{"user", "x"}}),
              HasSubstr("no chat template of a known format"));
  EXPECT_THAT(chat_refusal(ChatFormat::chatml, {}), HasSubstr("no messages to answer"));
  EXPECT_THAT(chat_refusal(ChatFormat::chatml, {{"robot", "x"}}),
              HasSubstr("the role of message 1 is 'robot'"));
  EXPECT_THAT(chat_refusal(ChatFormat::chatml, {{"user", "x"}, {"system", "y"}}),
              HasSubstr("message 2 is the system's"));
  EXPECT_THAT(chat_refusal(ChatFormat::chatml, {{"user", "x"}, {"assistant", "y"}}),
              HasSubstr("nothing to answer"));
  EXPECT_THAT(chat_refusal(ChatFormat::llama2, {{"user", "x"}, {"user", "y"}}), HasSubstr("take turns"));
  EXPECT_THAT(chat_refusal(ChatFormat::mistral, {{"system", "x"}, {"user", "y"}}),
              HasSubstr("no place for a system's"));
}

}  // namespace
}  // namespace attnlab
