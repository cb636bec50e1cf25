// `attnlab score`: what files it takes, and what it says of others. The figures are those of
// tests/metrics/rouge_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "lab.h"

namespace attnlab {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json scored(const Lab& lab, const Words& more) {
  Words words{"score", "rouge"};
  words.insert(words.end(), more.begin(), more.end());
  const Finished done = lab.attnlab(words);
  EXPECT_EQ(done.status, 0) << done.err;
  return json::parse(done.out);
}

TEST(Score, PlainLinesAndJsonLinesAreTheSame) {
  const Lab lab;
  lab.write("plain", "the cat sat\r\na dog\n");
  lab.write("text", R"({"id": 1, "text": "the cat sat"})"
                    "\n"
                    R"({"text": "a dog"})"
                    "\n");
  lab.write("one", "the cat\nno dogs\n");
  lab.write("two", "a hat\na dog\n");
  lab.write("both", R"({"references": ["the cat", "a hat"]})"
                    "\n"
                    R"(["no dogs", "a dog"])"
                    "\n");
  const json plain = scored(lab, {"plain", "one", "two"});
  EXPECT_EQ(plain, scored(lab, {"text", "both"}));
  EXPECT_EQ(plain["n"], 2);
  EXPECT_NEAR(plain["rouge1"]["f"].get<double>(), (0.8 + 1.0) / 2, 1e-12);
  EXPECT_NEAR(plain["rouge1"]["f_standard_error"].get<double>(), 0.1, 1e-12);
  const double f1 = plain["rouge1"]["f"], f2 = plain["rouge2"]["f"], fl = plain["rougeL"]["f"];
  EXPECT_NEAR(plain["geometric_mean"].get<double>(), std::cbrt(f1 * f2 * fl), 1e-12);
  EXPECT_THAT(plain["signature"].get<std::string>(), HasSubstr("stemmer:no"));
}

TEST(Score, StemsOnRequestAndShowsEachExample) {
  const Lab lab;
  lab.write("p", "running dogs\n\n");
  lab.write("r", "run dog\nsomething\n");
  EXPECT_EQ(scored(lab, {"p", "r"})["rouge1"]["f"], 0.0);
  const Finished done = lab.attnlab({"score", "rouge", "p", "r", "--stemmer", "--each"});
  std::istringstream lines(done.out);
  std::string first, second, summary;
  std::getline(lines, first), std::getline(lines, second), std::getline(lines, summary);
  EXPECT_EQ(json::parse(first)["rouge1"]["f"], 1.0);
  EXPECT_EQ(json::parse(second)["rougeLsum"]["f"], 0.0);
  EXPECT_EQ(json::parse(summary)["n"], 2);
}

TEST(Score, TokenF1TakesTheBestAnswer) {
  const Lab lab;
  lab.write("p", "The cat.\nno\n");
  lab.write("r", R"({"answers": ["a dog", "cat"]})"
                 "\n"
                 R"({"answer": "Yes"})"
                 "\n");
  const Finished done = lab.attnlab({"score", "token_f1", "p", "r"});
  EXPECT_EQ(done.status, 0) << done.err;
  const json told = json::parse(done.out);
  EXPECT_EQ(told["f1"], 0.5);
  EXPECT_EQ(told["f1_standard_error"], 0.5);
  EXPECT_THAT(told["signature"].get<std::string>(), HasSubstr("words:SQuAD"));
  EXPECT_THAT(lab.attnlab({"score", "token_f1", "p", "r", "--stemmer"}).err,
              HasSubstr("--stemmer goes with rouge"));
}

TEST(Score, MistakesAreSentences) {
  const Lab lab;
  lab.write("p", "a\nb\n");
  lab.write("short", "a\n");
  lab.write("none", "[\"a\"]\n[]\n");
  lab.write("broken", "\"a\"\n{\n");
  lab.write("keys", "{\"x\": 1}\n{}\n");
  lab.write("empty", "");
  const auto refused = [&](const Words& words) {
    const Finished done = lab.attnlab(words);
    EXPECT_EQ(done.status, 2) << done.out;
    return done.err;
  };
  EXPECT_THAT(refused({"score", "rouge", "p", "short"}), HasSubstr("p has 2 lines and short has 1"));
  EXPECT_THAT(refused({"score", "rouge", "p", "none"}),
              HasSubstr("the prediction of line 2 has no reference"));
  EXPECT_THAT(refused({"score", "rouge", "p", "broken"}), HasSubstr("broken, line 2 is no JSON"));
  EXPECT_THAT(refused({"score", "rouge", "p", "keys"}),
              HasSubstr("keys, line 1 has none of the keys references, reference, answers, answer"));
  EXPECT_THAT(refused({"score", "rouge", "empty", "p"}), HasSubstr("empty holds no prediction"));
  EXPECT_THAT(refused({"score", "rouge", "p", "missing"}), HasSubstr("cannot read missing"));
  EXPECT_THAT(refused({"score", "meteor", "p", "p"}), HasSubstr("meteor"));
}

json translated(const Lab& lab, const Words& words) {
  const Finished done = lab.attnlab(words);
  EXPECT_EQ(done.status, 0) << done.err;
  return json::parse(done.out);
}

TEST(Score, BleuOfACorpus) {
  const Lab lab;
  lab.write("p", "the the the the the\n\"A cat\rsat on it.\"\n");
  lab.write("one", "the cat sat on a\r\n\"A cat sat on it\"\r\n");
  lab.write("two", R"({"reference": "a cat"})"
                   "\n"
                   R"({"references": ["\"A cat sat on it.\"", "x"]})"
                   "\n");
  const json plain = translated(lab, {"score", "bleu", "p", "one"});
  EXPECT_EQ(plain["n"], 2) << "a CR ends no line";
  EXPECT_EQ(plain["prediction_length"], 5 + 8);
  EXPECT_EQ(plain["reference_length"], 5 + 7);
  EXPECT_GT(plain["bleu"].get<double>(), plain["bleu_standard_error"].get<double>());
  EXPECT_EQ(plain["standard_error_over"], "bs:1000|seed:12345");
  const std::string signature = plain["signature"];
  EXPECT_THAT(signature, HasSubstr("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|lines:2|attnlab "));
  EXPECT_THAT(signature, HasSubstr("(tested equal to sacreBLEU 2.6.0)"));
  const json several = translated(
      lab, {"score", "bleu", "p", "one", "two", "--tokenize", "none", "--lowercase", "--smooth", "floor"});
  EXPECT_THAT(several["signature"].get<std::string>(),
              HasSubstr("nrefs:var|case:lc|eff:no|tok:none|smooth:floor[0.10]|lines:2|"));
  EXPECT_EQ(translated(lab, {"score", "chrf++", "p", "p"})["chrf++"], 100.0);
}

TEST(Score, EachSentenceHasItsBleu) {
  const Lab lab;
  lab.write("p", "a b c\na b c d\n");
  const Finished done = lab.attnlab({"score", "bleu", "p", "p", "--each"});
  std::istringstream lines(done.out);
  std::string first;
  std::getline(lines, first);
  EXPECT_NEAR(json::parse(first)["bleu"].get<double>(), 100, 1e-9) << "no 4-grams are asked of three words";
}

TEST(Score, CompoundSplitIsFairseqs) {
  const Lab lab;
  lab.write("p", "der 12@@ -jährige x\n");
  lab.write("r", "der 12-jährige x\n");
  const json told = translated(lab, {"score", "bleu", "p", "r", "--compound-split"});
  EXPECT_NEAR(told["bleu"].get<double>(), 100, 1e-9);
  EXPECT_EQ(told["prediction_length"], 5);
  const std::string signature = told["signature"];
  EXPECT_THAT(signature, HasSubstr("tok:compound-split|smooth:none"));
  EXPECT_THAT(signature, testing::Not(HasSubstr("sacreBLEU")));
}

TEST(Score, MistakesWithTranslationsAreSentences) {
  const Lab lab;
  lab.write("p", "a\nb\n");
  lab.write("short", "a\n");
  lab.write("latin", "a\ncaf\xe9\n");
  lab.write("wide", std::string("\xff\xfe"
                                "a\0\n\0",
                                6));
  const auto refused = [&](const Words& words) {
    const Finished done = lab.attnlab(words);
    EXPECT_EQ(done.status, 2) << done.out;
    return done.err;
  };
  EXPECT_THAT(refused({"score", "bleu", "p", "short"}), HasSubstr("p has 2 lines and short has 1"));
  EXPECT_THAT(refused({"score", "chrf", "p", "latin"}), HasSubstr("latin, line 2 is not UTF-8"));
  EXPECT_THAT(refused({"score", "bleu", "p", "wide"}), HasSubstr("UTF-16"));
  EXPECT_THAT(refused({"score", "chrf", "p", "p", "--tokenize", "intl"}),
              HasSubstr("--tokenize goes with bleu"));
  EXPECT_THAT(refused({"score", "rouge", "p", "p", "--lowercase"}),
              HasSubstr("--lowercase goes with bleu, chrf and chrf++; rouge has none"));
  EXPECT_THAT(refused({"score", "bleu", "p", "p", "--stemmer"}), HasSubstr("--stemmer goes with rouge"));
}

}  // namespace
}  // namespace attnlab
