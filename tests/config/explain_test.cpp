#include "config/explain.h"

#include <gmock/gmock.h>

#include "sample.h"

namespace attnlab {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string about(std::string_view what) { return explain(describe(SampleOptions{}), what); }

TEST(Explain, TellsTypeDefaultBoundsAndMeaning) {
  EXPECT_EQ(about("model.heads"),
            "model.heads\n"
            "  heads = 8  (whole number, between 1 and 1024)\n"
            "      heads; divide dim\n");
  EXPECT_EQ(about("model.norm"),
            "model.norm\n"
            "  norm = post  (word: pre, post)\n"
            "      where the layer norm stands\n");
  EXPECT_THAT(about("threads"), HasSubstr("cannot change a result"));
  EXPECT_THAT(about("splits"), HasSubstr("splits = [train, test]  (list of words: train, validation, test)"));
}

TEST(Explain, OfAComponentTellsItsKeysAndWhereItStands) {
  EXPECT_EQ(about("packed"),
            "model.mixer: packed\n"
            "  packed: mixes through a short sequence\n"
            "    rows = 16  (whole number, between 1 and 65536)\n"
            "        rows of the packed sequence\n"
            "    tie = false  (true or false)\n"
            "        one projection for keys and values\n");
  EXPECT_THAT(about("plain"), HasSubstr("(no keys of its own)"));
}

TEST(Explain, OfAChoiceTellsEveryComponentWithItsKeys) {
  const std::string text = about("model.mixer");
  for (const char* part :
       {"plain: mixes by the textbook", "packed: mixes through", "rows = 16", "nested: mixes twice"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST(Explain, FindsASectionByTheEndOfItsPath) {
  EXPECT_THAT(about("train"), HasSubstr("learning_rate = 0.0001  (number, between 0 and 10)"));
  EXPECT_EQ(about("mixer"), about("model.mixer"));
}

TEST(Explain, OverviewHoldsEveryKeyOfEveryJob) {
  const std::string text = about("");
  for (const char* key :
       {"seed = 1", "Keys of job classify", "betas = [0.9, 0.98]", "Keys of job count", "unit = bytes"})
    EXPECT_THAT(text, HasSubstr(key));
}

TEST(Explain, OfSomethingUnknownNamesTheNearest) {
  EXPECT_THAT([] { about("paked"); }, testing::ThrowsMessage<UserError>(
                                          "there is no key or component 'paked'; did you mean 'packed'?"));
  EXPECT_THAT([] { about("model.haeds"); },
              testing::ThrowsMessage<UserError>(
                  "there is no key or component 'model.haeds'; did you mean 'model.heads'?"));
}

TEST(Reference, HasATableForEachComponent) {
  const std::string page = reference_page(describe(SampleOptions{}));
  EXPECT_THAT(page, HasSubstr("## `model.mixer`, `model.mixer.inner`\n"));
  EXPECT_THAT(
      page,
      HasSubstr("### `packed`\n\nmixes through a short sequence\n\n| key | type | default | meaning |\n"
                "|---|---|---|---|\n"
                "| `rows` | whole number: between 1 and 65536 | `16` | rows of the packed sequence |\n"));
  EXPECT_THAT(page, HasSubstr("| `train.betas` | list of numbers: between 0 and 1 | `[0.9, 0.98]` |"));
  EXPECT_THAT(
      page,
      HasSubstr("| `model.mixer` | component: `plain`, `packed`, `nested` | `packed` | how positions mix |"));
}

TEST(Reference, APartForASectionOutsideConfigurationFiles) {
  const auto model = describe(SampleOptions{}).back().components.front().fields.front();
  EXPECT_THAT(reference_part(model),
              HasSubstr("\n## model\n\nthe network\n\n| key | type | default | meaning |\n"));
  EXPECT_THAT(reference_part(model),
              HasSubstr("| `norm` | word: pre, post | `post` | where the layer norm stands |\n"));
}

}  // namespace
}  // namespace attnlab
