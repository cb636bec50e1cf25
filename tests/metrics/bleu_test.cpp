// BLEU and chrF against sacreBLEU 2.6.0 (tests/golden/make_bleu.py).
#include "metrics/bleu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "metrics/bootstrap.h"
#include "metrics/chrf.h"
#include "metrics/compound_split.h"
#include "metrics/python/text.h"

namespace attnlab {
namespace {

using nlohmann::json;
using Lines = std::vector<std::string>;

const json& golden_bleu() {
  static const auto all = json::parse(std::ifstream(ATTNLAB_SOURCE_DIR "/tests/golden/bleu.json"));
  return all;
}

Lines words(const std::string& line, BleuTokenizer tokenizer) {
  Lines all;
  for (const std::u32string& word : bleu_words(python::decoded(line), tokenizer))
    all.push_back(python::encoded(word));
  return all;
}

BleuTokenizer tokenizer_of(const std::string& name) {
  for (const auto t : {BleuTokenizer::mteval_13a, BleuTokenizer::international, BleuTokenizer::none})
    if (name == name_of(t)) return t;
  return BleuTokenizer::compound_split;
}

BleuSmoothing smoothing_of(const std::string& name) {
  return name == "exp"     ? BleuSmoothing::exponential
         : name == "floor" ? BleuSmoothing::floor
         : name == "add-k" ? BleuSmoothing::add_k
                           : BleuSmoothing::none;
}

BleuOptions bleu_options(const json& of) {
  BleuOptions options{.tokenizer = tokenizer_of(of["tokenize"]),
                      .smoothing = smoothing_of(of.value("smooth_method", "exp")),
                      .lowercase = of.value("lowercase", false),
                      .effective_order = of.value("effective_order", false)};
  if (of.contains("smooth_value")) options.smoothing_value = of["smooth_value"].get<double>();
  return options;
}

BleuStatistics bleu_statistics_in(const std::vector<int64_t>& n) {
  return {n[0], n[1], {n[2], n[3], n[4], n[5]}, {n[6], n[7], n[8], n[9]}};
}

ChrfStatistics chrf_statistics_in(const std::vector<int64_t>& n) {
  ChrfStatistics all;
  for (std::size_t i = 0; 3 * i < n.size(); ++i) all.orders[i] = {n[3 * i], n[3 * i + 1], n[3 * i + 2]};
  return all;
}

/// sacreBLEU's signature but for what is ours: a count of lines where it has its version.
std::string ours(const std::string& signature, std::size_t lines) {
  return signature.substr(0, signature.find("|version:")) + "|lines:" + std::to_string(lines);
}

TEST(Bleu, TokenizersAreSacreBleusAndFairseqs) {
  const json& texts = golden_bleu()["texts"];
  for (const auto& [name, tokens] : golden_bleu()["tokens"].items())
    for (std::size_t i = 0; i < texts.size(); ++i)
      EXPECT_EQ(words(texts[i], tokenizer_of(name)), tokens[i].get<Lines>()) << name << ": " << texts[i];
}

TEST(Bleu, EqualsSacreBleu) {
  for (const json& corpus : golden_bleu()["corpora"])
    for (const json& golden : corpus["bleu"]) {
      const BleuOptions options = bleu_options(golden["options"]);
      const std::size_t lines = corpus["predictions"].size();
      BleuStatistics sum;
      for (std::size_t i = 0; i < lines; ++i) {
        const auto references = corpus["references"][i].get<Lines>();
        const BleuStatistics found =
            bleu_statistics(corpus["predictions"][i].get<std::string>(), references, options);
        EXPECT_EQ(found, bleu_statistics_in(golden["sentences"][i])) << corpus["predictions"][i];
        EXPECT_NEAR(bleu_score(found, options).bleu, golden["each"][i].get<double>(), 1e-9);
        sum += found;
      }
      const BleuScore score = bleu_score(sum, options);
      EXPECT_NEAR(score.bleu, golden["score"].get<double>(), 1e-9) << golden["options"];
      EXPECT_NEAR(score.brevity_penalty, golden["bp"].get<double>(), 1e-12);
      for (std::size_t n = 0; n < bleu_orders; ++n)
        EXPECT_NEAR(score.precisions[n], golden["precisions"][n].get<double>(), 1e-9);
      const auto references = static_cast<int64_t>(corpus["references"][0].size());
      EXPECT_EQ(bleu_signature(options, references, static_cast<int64_t>(lines)),
                ours(golden["signature"], lines));
    }
}

TEST(Chrf, EqualsSacreBleu) {
  for (const json& corpus : golden_bleu()["corpora"])
    for (const json& golden : corpus["chrf"]) {
      const ChrfOptions options{.word_orders = golden["options"]["word_order"],
                                .lowercase = golden["options"].value("lowercase", false)};
      const std::size_t lines = corpus["predictions"].size();
      ChrfStatistics sum;
      for (std::size_t i = 0; i < lines; ++i) {
        const auto references = corpus["references"][i].get<Lines>();
        const ChrfStatistics found =
            chrf_statistics(corpus["predictions"][i].get<std::string>(), references, options);
        EXPECT_EQ(found, chrf_statistics_in(golden["sentences"][i])) << corpus["predictions"][i];
        EXPECT_NEAR(chrf_score(found), golden["each"][i].get<double>(), 1e-9);
        sum += found;
      }
      EXPECT_NEAR(chrf_score(sum), golden["score"].get<double>(), 1e-9) << golden["options"];
      const auto references = static_cast<int64_t>(corpus["references"][0].size());
      EXPECT_EQ(chrf_signature(options, references, static_cast<int64_t>(lines)),
                ours(golden["signature"], lines));
    }
}

double bleu_of(const std::string& prediction, const std::string& reference) {
  return bleu_score(bleu_statistics(prediction, Lines{reference}, {}), {}).bleu;
}

TEST(Bleu, PublishedValuesOfSingleLines) {
  EXPECT_NEAR(bleu_of("the the the the the", "the cat sat on a"), 10.682175, 1e-6);
  EXPECT_NEAR(bleu_of("a b c d", "a b c d"), 100, 1e-12);
  EXPECT_EQ(bleu_of("a b c", "a b c"), 0) << "no 4-grams";
}

std::string compounds_split(const std::string& line) {
  return python::encoded(compound_split(python::decoded(line)));
}

/// The rule of fairseq's scripts/compound_split_bleu.sh, s{(\S)-(\S)}{$1 ##AT##-##AT## $2}g.
TEST(CompoundSplit, SplitsAtHyphensWithinWords) {
  EXPECT_EQ(compounds_split("a-b"), "a ##AT##-##AT## b");
  EXPECT_EQ(compounds_split("a-b-c"), "a ##AT##-##AT## b-c") << "matches do not overlap";
  EXPECT_EQ(compounds_split("ab-cd-ef"), "ab ##AT##-##AT## cd ##AT##-##AT## ef");
  EXPECT_EQ(compounds_split("a--b"), "a ##AT##-##AT## -b");
  EXPECT_EQ(compounds_split("a - b -c d- -"), "a - b -c d- -");
  EXPECT_EQ(compounds_split("x @-@ y"), "x @ ##AT##-##AT## @ y");
  EXPECT_EQ(compounds_split("ü\u00a0-ü"), "ü\u00a0 ##AT##-##AT## ü") << "white space is ASCII's";
}

TEST(CompoundSplit, JoinsSubwordsBefore) {
  EXPECT_EQ(compounds_split("der 12@@ -@@ Jähri@@ ge"), "der 12 ##AT##-##AT## Jährige");
  EXPECT_EQ(compounds_split("cut sho@@"), "cut sho");
  EXPECT_EQ(compounds_split("@@@ a@@b"), "@a@@b");
}

TEST(CompoundSplit, IsScoredWithoutSmoothing) {
  const BleuOptions options = compound_split_bleu();
  const BleuStatistics found =
      bleu_statistics("ein E-Mail-Konto .", Lines{"ein E-Mail , ein Konto ."}, options);
  EXPECT_EQ(found.prediction_length, 7);  // ein E ## Mail ## Konto .
  EXPECT_EQ(found.reference_length, 8);
  EXPECT_EQ(found.matches, (std::array<int64_t, 4>{6, 4, 2, 1}));
  const double logs = std::log(6.0 / 7) + std::log(4.0 / 6) + std::log(2.0 / 5) + std::log(1.0 / 4);
  EXPECT_NEAR(bleu_score(found, options).bleu, 100 * std::exp(logs / 4 + 1 - 8.0 / 7), 1e-9);
  EXPECT_EQ(bleu_score(bleu_statistics("a b c x", Lines{"a b c d"}, options), options).bleu, 0);
  EXPECT_EQ(bleu_signature(options, 1, 3003),
            "nrefs:1|case:mixed|eff:no|tok:compound-split|smooth:none|lines:3003");
}

TEST(Bootstrap, PairedDifferenceIsSacreBleus) {
  for (const json& one : golden_bleu()["paired"]) {
    const auto a = one["resampled_a"].get<std::vector<double>>(),
               b = one["resampled_b"].get<std::vector<double>>();
    const PairedDifference found = paired_difference(one["a"], one["b"], a, b);
    EXPECT_NEAR(found.p, one["p"].get<double>(), 1e-12);
    EXPECT_NEAR(found.difference, one["b"].get<double>() - one["a"].get<double>(), 1e-12);
  }
}

struct Total {
  double sum = 0;
  Total& operator+=(const Total& other) {
    sum += other.sum;
    return *this;
  }
};

/// Of a mean the standard error is known: sd / sqrt(n).
TEST(Bootstrap, FindsTheStandardErrorOfAMean) {
  std::vector<Total> all;
  Random random(3);
  double mean = 0, squares = 0;
  for (int i = 0; i < 400; ++i) {
    all.push_back({random.uniform()});
    mean += all.back().sum / 400;
    squares += all.back().sum * all.back().sum / 400;
  }
  const auto score = [](const Total& t) { return t.sum / 400; };
  const std::vector<double> scores = resampled<Total>(all, score);
  ASSERT_EQ(scores.size(), 1000u);
  EXPECT_EQ(scores, resampled<Total>(all, score)) << "the same seed draws the same";
  EXPECT_NE(scores, resampled<Total>(all, score, {.seed = 4}));
  double deviation = 0;
  for (const double s : scores) deviation += (s - mean) * (s - mean) / 1000;
  const double expected = std::sqrt((squares - mean * mean) / 400);
  EXPECT_NEAR(std::sqrt(deviation), expected, 0.1 * expected);
}

}  // namespace
}  // namespace attnlab
