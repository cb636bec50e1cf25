// `attnlab score`: what files it takes, and what it says of others. The figures are those of
// tests/metrics/rouge_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "lab.h"

namespace attnlab {
namespace {

using nlohmann::json;
using namespace std::literals;
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
  EXPECT_THAT(plain["signature"].get<std::string>(), HasSubstr("(tested equal to rouge-score 0.1.2)"));
}

TEST(Score, APlainTextThatBeginsLikeJsonIsPlain) {
  const Lab lab;
  for (const char* first : {"\"yes\"", "[1]", "[\"a\", 2]", "null", "7"}) {
    lab.write("p", first + std::string("\nthe cat\n"));
    const json told = scored(lab, {"p", "p"});
    EXPECT_EQ(told["n"], 2) << first;
    EXPECT_EQ(told, scored(lab, {"p", "p", "--format", "plain"})) << first;
  }
  lab.write("p", "\"yes, a\\nb\"\n[\"no\"]\n");
  lab.write("r", "yes a b\nno\n");
  EXPECT_EQ(scored(lab, {"p", "r"})["rouge1"]["f"], 1.0) << "all lines are JSON texts";
  EXPECT_LT(scored(lab, {"p", "r", "--format", "plain"})["rouge1"]["f"], 1.0) << "\\n is an n";
}

TEST(Score, ABrokenFirstLineOfJsonLinesIsRefused) {
  const Lab lab;
  lab.write("good", "{\"text\": \"a\"}\n");
  const auto refused = [&](const Words& words) {
    const Finished done = lab.attnlab(words);
    EXPECT_EQ(done.status, 2) << done.out;
    return done.err;
  };
  for (const char* metric : {"rouge", "token_f1"}) {
    lab.write("p", "{\"text\": \"caf\xE9\"}\n");
    EXPECT_THAT(refused({"score", metric, "p", "good"}),
                testing::AllOf(HasSubstr("p, line 1 is not UTF-8: byte 0xE9 at column 14"),
                               HasSubstr("--format plain takes the file as plain text")));
  }
  lab.write("p", " {\"text\": \"a\"\n{}\n");
  EXPECT_THAT(refused({"score", "rouge", "p", "good"}), HasSubstr("p, line 1 is no valid JSON"));
  EXPECT_THAT(refused({"score", "bleu", "p", "good"}), HasSubstr("p, line 1 is no valid JSON"));
  lab.write("p", "{a} b\n");
  EXPECT_EQ(scored(lab, {"p", "p", "--format", "plain"})["rouge1"]["f"], 1.0);
}

TEST(Score, ExamplesWithIdsAreJoinedByThem) {
  const Lab lab;
  lab.write("p", R"({"question_id": "b", "predicted_answer": "a dog", "predicted_evidence": []})"
                 "\n"
                 R"({"question_id": "z", "predicted_answer": "nobody asked"})"
                 "\n"
                 R"({"question_id": "a", "predicted_answer": "the cat"})"
                 "\n");
  lab.write("r", R"({"question_id": "a", "answers": ["cat", "x"]})"
                 "\n"
                 R"({"question_id": "b", "answers": ["dog"]})"
                 "\n"
                 R"({"question_id": "c", "answers": ["a bird"]})"
                 "\n");
  const Finished done = lab.attnlab({"score", "token_f1", "p", "r"});
  ASSERT_EQ(done.status, 0) << done.err;
  const json told = json::parse(done.out);
  EXPECT_EQ(told["n"], 3);
  EXPECT_EQ(told["joined_by"], "question_id");
  EXPECT_EQ(told["missing_predictions"], 1);
  EXPECT_EQ(told["predictions_without_reference"], 1);
  EXPECT_NEAR(told["f1"].get<double>(), 2.0 / 3, 1e-12)
      << "a missing one counts 0, as QASPER's evaluator has it";
  const Finished each = lab.attnlab({"score", "rouge", "p", "r", "--each"});
  EXPECT_EQ(json::parse(each.out.substr(0, each.out.find('\n')))["id"], "a") << "in the references' order";
}

TEST(Score, LinesOfTheSameIdsMayRepeatThem) {
  const Lab lab;
  lab.write("p", "{\"id\": 1, \"text\": \"a\"}\n{\"id\": 1, \"text\": \"b\"}\n");
  lab.write("r", "{\"id\": \"1\", \"answer\": \"x\"}\n{\"id\": \"1\", \"answer\": \"b\"}\n");
  const json told = scored(lab, {"p", "r"});
  EXPECT_EQ(told["rouge1"]["f"], 0.5);
  EXPECT_EQ(told["missing_predictions"], 0);
  lab.write("q", "{\"_id\": 2, \"answer\": \"a\"}\n{\"_id\": 1, \"answer\": \"b\"}\n");
  EXPECT_EQ(scored(lab, {"p", "q"})["rouge1"]["f"], 1.0) << "ids of another kind join nothing";
}

TEST(Score, IdsThatDoNotFitAreRefused) {
  const Lab lab;
  const auto ids = [&](const char* name, const std::vector<std::string>& all) {
    std::string text;
    for (const std::string& id : all) text += R"({"id": ")" + id + R"(", "text": "a", "answer": "a"})" + "\n";
    lab.write(name, text);
  };
  ids("p", {"a", "b"});
  ids("twice", {"b", "a", "b"});
  ids("others", {"c", "d"});
  ids("turned", {"b", "a"});
  ids("more", {"b", "a", "c"});
  const auto refused = [&](const Words& words) {
    const Finished done = lab.attnlab(words);
    EXPECT_EQ(done.status, 2) << done.out;
    return done.err;
  };
  EXPECT_THAT(refused({"score", "rouge", "p", "twice"}),
              HasSubstr("twice, line 3: the id 'b' is there twice, in twice, line 1 too"));
  EXPECT_THAT(refused({"score", "rouge", "p", "others"}), HasSubstr("p and others have no id in common"));
  EXPECT_THAT(refused({"score", "rouge", "p", "turned", "more"}),
              HasSubstr("turned and more are not of the same id"));
  EXPECT_THAT(refused({"score", "bleu", "p", "more"}), HasSubstr("p has no prediction for the id 'c'"))
      << "of translations no convention says what a missing one counts";
}

TEST(Score, OutputThatIsLostIsAFailure) {
  const Lab lab;
  lab.write("p", "a\n");
  const std::string binary = ATTNLAB_BINARY;
  for (const std::string& words : {"score rouge p p"s, "score bleu p p --each"s, "show tiny.yaml"s,
                                   "list tiny.yaml"s, "table tiny.yaml"s, "explain"s, "explain --all"s}) {
    const std::string command =
        "cd '" + lab.path().string() + "' && '" + binary + "' " + words + " > /dev/full 2> err";
    const int status = std::system(command.c_str());
    EXPECT_EQ(WEXITSTATUS(status), 1) << words;
    EXPECT_THAT(contents_of(lab.path() / "err"),
                HasSubstr("error: cannot write standard output: No space left on device"))
        << words;
  }
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
  EXPECT_THAT(told["signature"].get<std::string>(), HasSubstr("(tested equal to the rules of QASPER's"));
  EXPECT_THAT(lab.attnlab({"score", "token_f1", "p", "r", "--stemmer"}).err,
              HasSubstr("--stemmer goes with rouge"));
}

TEST(Score, AnswersThatAreNotUtf8AreTold) {
  const Lab lab;
  lab.write("latin", "caf\xe9 noir\nno\n");
  lab.write("plain", "caf\u00e9 noir\nno\n");
  const Finished done = lab.attnlab({"score", "token_f1", "latin", "plain"});
  EXPECT_EQ(json::parse(done.out)["f1"], 0.75);
  EXPECT_THAT(done.err, HasSubstr("1 of 2 lines are not UTF-8 (the first: latin, line 1: byte 0xe9); such "
                                  "bytes are read as U+FFFD each"));
}

TEST(Score, FilesOfLongBenchAndRulerAreReadAsTheyAre) {
  const Lab lab;
  lab.write("longbench", R"({"pred": "A girl.", "answers": ["a girl", "she"], "all_classes": null})");
  lab.write("ruler", R"({"index": 0, "pred": "7421", "outputs": ["7421"]})");
  for (const char* file : {"longbench", "ruler"})
    EXPECT_EQ(json::parse(lab.attnlab({"score", "token_f1", file, file}).out)["f1"], 1.0) << file;
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
  EXPECT_THAT(refused({"score", "rouge", "p", "broken", "--format", "json"}),
              HasSubstr("p, line 1 is no valid JSON"));
  EXPECT_THAT(refused({"score", "rouge", "broken", "p", "--format", "json"}),
              HasSubstr("broken, line 2 is no valid JSON"));
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

// sacreBLEU leaves them out, and has no score where none is left.
TEST(Score, AnEmptyReferenceCountsAsNone) {
  const Lab lab;
  lab.write("p", "yes it is so\nthe cat sat on it\n");
  lab.write("one", "\nthe cat sat on a mat\n");
  lab.write("two", "yes it was so\n \n");
  lab.write("both", "yes it was so\nthe cat sat on a mat\n");
  for (const char* metric : {"bleu", "chrf"}) {
    const json told = translated(lab, {"score", metric, "p", "one", "two"});
    EXPECT_EQ(told, translated(lab, {"score", metric, "p", "both"})) << metric;
    EXPECT_THAT(told["signature"].get<std::string>(), HasSubstr("nrefs:1|"));
  }
  const Finished alone = lab.attnlab({"score", "bleu", "p", "one"});
  EXPECT_EQ(alone.status, 2);
  EXPECT_THAT(alone.err, HasSubstr("the prediction of line 1 has no reference; an empty one counts as none"));
  EXPECT_EQ(lab.attnlab({"score", "token_f1", "p", "one"}).status, 0) << "an answer may be empty";
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

TEST(Score, AByteOrderMarkIsAPartOfTheTextAsBySacreBleu) {
  const Lab lab;
  lab.write("marked", "\xEF\xBB\xBFthe dog runs to the house\nan old man\n");
  lab.write("plain", "the dog runs to the house\nan old man\n");
  lab.write("json", "\xEF\xBB\xBF{\"text\": \"the dog runs to the house\"}\n{\"text\": \"an old man\"}\n");
  const auto figure = [&](const char* metric, const char* predictions, const char* references) {
    const Finished done = lab.attnlab({"score", metric, predictions, references});
    EXPECT_EQ(done.status, 0) << done.err;
    return json::parse(done.out)[metric].get<double>();
  };
  // sacreBLEU 2.6.0 of these files
  EXPECT_NEAR(figure("bleu", "marked", "plain"), 79.84079523098933, 1e-9);
  EXPECT_NEAR(figure("bleu", "plain", "marked"), 79.84079523098933, 1e-9);
  EXPECT_NEAR(figure("chrf", "marked", "plain"), 99.11919446255504, 1e-9);
  EXPECT_NEAR(figure("chrf", "plain", "marked"), 96.56747934619808, 1e-9);
  EXPECT_NEAR(figure("bleu", "marked", "marked"), 100, 1e-9);
  EXPECT_NEAR(figure("bleu", "json", "plain"), 100, 1e-9) << "where it can be no part of the text";
  EXPECT_THAT(lab.attnlab({"score", "bleu", "marked", "plain"}).err,
              HasSubstr("marked begins with a byte order mark, which is scored as a part of its first word"));
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
