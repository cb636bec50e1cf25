// Beam search: against all texts that a toy model can write, against running on to the limit, and against
// fairseq's rule in Python (tests/golden/make_beam_search.py).
#include "models/beam_search.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "models/toy_scorer.h"

namespace attnlab {
namespace {

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

std::vector<Hypothesis> search_one(const ToyModel& model, const BeamOptions& options,
                                   const ToyScorer::Change& change = {}, const SearchSymbols& symbols = {}) {
  ToyScorer scorer({model}, change);
  return beam_search(scorer, {.source_lengths = {0}, .symbols = symbols}, options).front();
}

BeamOptions of_limit(int64_t beam, int64_t limit) {
  BeamOptions o;
  o.beam = beam;
  o.max_length_a = 0;
  o.max_length_b = limit;
  return o;
}

/// Every text of at most `limit` tokens that has ended.
void enumerate(const ToyModel& model, const BeamOptions& o, int64_t limit, Ids text, double sum,
               std::vector<Hypothesis>& all) {
  const std::vector<double> log_p = log_probabilities(model.logits(text));
  const auto length = static_cast<int64_t>(text.size());
  if (length >= o.min_length) {
    const double ended = sum + log_p[0];
    all.push_back({text, ended, o.score(ended, length + 1), length < limit});
  }
  for (int64_t v = 1; v < model.vocabulary && length < limit; ++v) {
    Ids longer = text;
    longer.push_back(v);
    enumerate(model, o, limit, longer, sum + log_p[static_cast<std::size_t>(v)], all);
  }
}

/// The search without any stop: on to the limit, with nothing but the rule of a step.
std::vector<Hypothesis> run_on(const ToyModel& model, const BeamOptions& o, int64_t limit) {
  struct Candidate {
    double sum;
    Ids ids;
  };
  std::vector<Candidate> open{{0.0, {}}};
  std::vector<Hypothesis> finished;
  for (int64_t t = 0; t <= limit; ++t) {
    std::vector<Candidate> next;
    for (const Candidate& c : open) {
      const std::vector<double> log_p = log_probabilities(model.logits(c.ids));
      for (int64_t v = 0; v < model.vocabulary; ++v) {
        if ((t == limit && v != 0) || (t < o.min_length && v == 0)) continue;
        next.push_back({c.sum + log_p[static_cast<std::size_t>(v)], c.ids});
        next.back().ids.push_back(v);
      }
    }
    std::stable_sort(next.begin(), next.end(), [](const auto& a, const auto& b) { return a.sum > b.sum; });
    open.clear();
    for (std::size_t i = 0; i < std::min<std::size_t>(next.size(), static_cast<std::size_t>(2 * o.beam));
         ++i) {
      if (next[i].ids.back() != 0) {
        if (open.size() < static_cast<std::size_t>(o.beam)) open.push_back(next[i]);
      } else if (i < static_cast<std::size_t>(o.beam)) {
        const Ids ids(next[i].ids.begin(), next[i].ids.end() - 1);
        finished.push_back({ids, next[i].sum, o.score(next[i].sum, t + 1), t < limit});
      }
    }
  }
  return finished;
}

std::vector<Hypothesis> best_of(std::vector<Hypothesis> all, int64_t n) {
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  all.resize(std::min(all.size(), static_cast<std::size_t>(n)));
  return all;
}

void expect_same(const std::vector<Hypothesis>& found, const std::vector<Hypothesis>& wanted,
                 const std::string& where) {
  ASSERT_EQ(found.size(), wanted.size()) << where;
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].ids, wanted[i].ids) << where << ", text " << i;
    EXPECT_NEAR(found[i].log_probability, wanted[i].log_probability, 1e-6) << where << ", text " << i;
    EXPECT_NEAR(found[i].score, wanted[i].score, 1e-6) << where << ", text " << i;
    EXPECT_EQ(found[i].finished, wanted[i].finished) << where << ", text " << i;
  }
}

constexpr double alphas[] = {-1.0, -0.5, 0.0, 0.6, 1.0, 2.0};
constexpr BeamOptions::Penalty penalties[] = {BeamOptions::Penalty::fairseq, BeamOptions::Penalty::gnmt,
                                              BeamOptions::Penalty::none};

TEST(BeamSearch, ABeamThatHoldsAllTextsFindsTheBestOfAll) {
  for (uint64_t seed = 0; seed < 10; ++seed)
    for (const double alpha : alphas)
      for (const auto penalty : penalties) {
        BeamOptions o = of_limit(64, 3);  // 3³ texts are open at most, and 4 · 27 continuations
        o.alpha = alpha;
        o.length_penalty = penalty;
        o.n_best = 9;
        o.min_length = static_cast<int64_t>(seed % 3);
        const ToyModel model{.seed = seed, .vocabulary = 4};
        std::vector<Hypothesis> all;
        enumerate(model, o, 3, {}, 0, all);
        expect_same(search_one(model, o), best_of(all, 9), fmt::format("model {}, α {}", seed, alpha));
      }
}

/// The stop is safe: not one of these differs from running on to the limit, while many differ where a
/// sentence ends with its k-th text.
TEST(BeamSearch, ASafeStopFindsWhatRunningOnFinds) {
  int64_t differ_at_k = 0, steps = 0, steps_on = 0;
  for (uint64_t seed = 0; seed < 2160; ++seed) {
    const auto pick = static_cast<int64_t>(seed / 18);
    const int64_t limit = 4 + pick % 9;
    BeamOptions o = of_limit(2 + pick % 3, limit);
    o.alpha = alphas[seed % 6];
    o.length_penalty = penalties[seed / 6 % 3];
    o.n_best = 1 + pick % 3 % o.beam;
    const ToyModel model{
        .seed = seed, .vocabulary = 3 + pick % 5, .spread = 1.0 + pick % 3, .end_bonus = 0.5};
    const std::vector<Hypothesis> wanted = best_of(run_on(model, o, limit), o.n_best);
    ToyScorer scorer({model});
    expect_same(beam_search(scorer, {.source_lengths = {1}}, o).front(), wanted,
                fmt::format("model {}", seed));
    steps += static_cast<int64_t>(scorer.rows_read.size());
    steps_on += limit + 1;
    o.stop = BeamOptions::Stop::fairseq;
    differ_at_k += search_one(model, o).front().ids != wanted.front().ids;
  }
  EXPECT_LT(steps, steps_on * 9 / 10);  // it does stop
  EXPECT_GT(differ_at_k, 50);           // and these models do tell one stop from another
}

TEST(BeamSearch, FindsWhatFairseqFinds) {
  struct Table final : NextTokenScorer {
    explicit Table(const nlohmann::json& c) : table(rows_of(c["table"])), drift(rows_of(c["drift"])) {}
    static torch::Tensor rows_of(const nlohmann::json& rows) {
      std::vector<torch::Tensor> all;
      for (const auto& row : rows)
        all.push_back(torch::tensor(row.get<std::vector<double>>(), torch::kDouble));
      return torch::stack(all);
    }
    torch::Tensor read(const torch::Tensor& ids_R) override {
      return table.index_select(0, ids_R) + drift[step++];
    }
    void select(const torch::Tensor&, int64_t) override {}
    torch::Tensor table, drift;
    int64_t step = 0;
  };
  const auto cases =
      nlohmann::json::parse(std::ifstream(ATTNLAB_SOURCE_DIR "/tests/golden/beam_search.json"));
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto& c = cases[i];
    BeamOptions o = of_limit(c["beam"], c["max_len"]);
    o.stop = BeamOptions::Stop::fairseq;
    o.n_best = o.beam;
    o.alpha = c["alpha"];
    o.min_length = c["min_len"];
    std::vector<Hypothesis> wanted;
    for (const auto& f : c["found"]) {
      const Ids ids = f[2];
      const bool forced = static_cast<int64_t>(ids.size()) == c["max_len"].get<int64_t>();
      wanted.push_back({ids, f[1], f[0], !forced});
    }
    Table scorer(c);
    const SearchBatch batch{.source_lengths = {7}, .symbols = {.start = 0, .end = 0, .padding = 1}};
    expect_same(beam_search(scorer, batch, o).front(), wanted, fmt::format("case {}", i));
  }
  EXPECT_GE(cases.size(), 100u);
}

struct ManySentences {
  std::vector<ToyModel> models;
  SearchBatch batch;
};
ManySentences many_sentences() {
  ManySentences all;
  for (uint64_t i = 0; i < 24; ++i) {
    all.models.push_back({.seed = 100 + i, .vocabulary = 9, .end_bonus = static_cast<double>(i % 5) - 1});
    all.batch.source_lengths.push_back(static_cast<int64_t>(i * 7 % 11));
    all.batch.seeds.push_back(i);
  }
  return all;
}

void expect_independence(const BeamOptions& o) {
  const ManySentences all = many_sentences();
  ToyScorer together(all.models);
  const auto found = beam_search(together, all.batch, o);
  ManySentences reversed = all;
  std::reverse(reversed.models.begin(), reversed.models.end());
  std::reverse(reversed.batch.source_lengths.begin(), reversed.batch.source_lengths.end());
  std::reverse(reversed.batch.seeds.begin(), reversed.batch.seeds.end());
  ToyScorer backwards(reversed.models);
  auto turned = beam_search(backwards, reversed.batch, o);
  std::reverse(turned.begin(), turned.end());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ToyScorer alone({all.models[i]});
    const SearchBatch one{.source_lengths = {all.batch.source_lengths[i]}, .seeds = {all.batch.seeds[i]}};
    const auto apart = beam_search(alone, one, o).front();
    expect_same(found[i], apart, fmt::format("sentence {}", i));
    expect_same(turned[i], apart, fmt::format("sentence {} of the reversed batch", i));
    for (std::size_t n = 0; n < apart.size(); ++n) EXPECT_EQ(found[i][n].score, apart[n].score);
  }
}

TEST(BeamSearch, NoSentenceDependsOnTheOthersOfItsBatch) {
  for (const auto stop : {BeamOptions::Stop::safe, BeamOptions::Stop::fairseq}) {
    BeamOptions o;
    o.beam = 3;
    o.n_best = 3;
    o.stop = stop;
    o.max_length_a = 1.5;
    o.max_length_b = 2;
    expect_independence(o);
  }
  BeamOptions draws;
  draws.beam = 1;
  draws.sampling = {.temperature = 1.0, .top_k = 6};
  expect_independence(draws);
}

TEST(BeamSearch, SentencesAreReadOnceAtFirstAndLeaveWhenTheyAreDone) {
  const ManySentences all = many_sentences();
  BeamOptions o;
  o.beam = 4;
  o.max_length_a = 1;
  o.max_length_b = 1;
  ToyScorer scorer(all.models);
  const auto found = beam_search(scorer, all.batch, o);
  ASSERT_GT(scorer.rows_read.size(), 6u);
  EXPECT_EQ(scorer.rows_read[0], 24);
  for (std::size_t t = 1; t < scorer.rows_read.size(); ++t) {
    EXPECT_EQ(scorer.rows_read[t] % 4, 0);
    EXPECT_LE(scorer.rows_read[t], t > 1 ? scorer.rows_read[t - 1] : 4 * 24);
    int64_t may_go_on = 0;  // a sentence of limit n + 1 reads n + 2 tokens at most
    for (const int64_t n : all.batch.source_lengths) may_go_on += static_cast<int64_t>(t) <= n + 1;
    EXPECT_LE(scorer.rows_read[t], 4 * may_go_on);
  }
  EXPECT_LE(scorer.rows_read.back(), 8);
}

TEST(BeamSearch, ABeamOfOneIsGreedy) {
  for (uint64_t seed = 0; seed < 50; ++seed)
    for (const auto stop : {BeamOptions::Stop::safe, BeamOptions::Stop::fairseq}) {
      const ToyModel model{.seed = seed, .vocabulary = 7, .end_bonus = 1};
      Ids text;
      for (int64_t id = 1; text.size() < 10; text.push_back(id)) {
        std::vector<float> logits = model.logits(text);
        if (text.empty()) logits[0] = minus_infinity;  // none is empty
        id = std::max_element(logits.begin(), logits.end()) - logits.begin();
        if (id == 0) break;
      }
      BeamOptions o = of_limit(1, 10);
      o.stop = stop;
      EXPECT_EQ(search_one(model, o).front().ids, text) << "model " << seed;
    }
}

TEST(BeamSearch, AtTheLimitTheEndIsForcedAndItsProbabilityCounts) {
  const ToyModel model{.seed = 3, .vocabulary = 4, .end_bonus = -9};
  const Hypothesis found = search_one(model, of_limit(2, 4)).front();
  ASSERT_EQ(found.ids.size(), 4u);
  EXPECT_FALSE(found.finished);
  double sum = log_probabilities(model.logits(found.ids))[0];
  for (std::size_t i = 0; i < 4; ++i)
    sum += log_probabilities(model.logits(
        {found.ids.begin(),
         found.ids.begin() + static_cast<std::ptrdiff_t>(i)}))[static_cast<std::size_t>(found.ids[i])];
  EXPECT_NEAR(found.log_probability, sum, 1e-6);
  EXPECT_NEAR(found.score, sum / 5, 1e-6);
}

TEST(BeamSearch, LimitsAreEachSentencesOwn) {
  BeamOptions o;
  o.max_length_a = 1.25;
  o.max_length_b = 3;
  o.max_length = 50;
  EXPECT_EQ(o.limit(0), 3);
  EXPECT_EQ(o.limit(7), 11);  // 11.75
  EXPECT_EQ(o.limit(1000), 50);
  o.max_length_a = o.max_length_b = 0;
  EXPECT_EQ(o.limit(9), 1);  // not below min_length
}

TEST(BeamSearch, AVocabularySmallerThanTheCandidatesWillDo) {
  BeamOptions o = of_limit(8, 5);
  o.n_best = 8;
  o.length_penalty = BeamOptions::Penalty::none;
  const auto found = search_one({.seed = 1, .vocabulary = 2}, o);  // one text of each length
  ASSERT_EQ(found.size(), 5u);
  std::vector<Hypothesis> all;
  enumerate({.seed = 1, .vocabulary = 2}, o, 5, {}, 0, all);
  expect_same(found, best_of(all, 8), "one symbol and the end");
}

TEST(BeamSearch, PaddingIsNeverChosenAndNaNHasNoProbability) {
  const ToyModel model{.seed = 5, .vocabulary = 6};
  const auto favour_padding = [](const Ids&, std::vector<float>& logits) { logits[2] = 30; };
  BeamOptions o = of_limit(3, 6);
  o.n_best = 3;
  for (const Hypothesis& h : search_one(model, o, favour_padding, {.padding = 2}))
    for (const int64_t id : h.ids) EXPECT_NE(id, 2);
  const auto spoil_fours = [](const Ids& text, std::vector<float>& logits) {
    if (!text.empty() && text.back() == 4) logits[1] = std::nanf("");
  };
  for (const Hypothesis& h : search_one(model, o, spoil_fours))
    for (const int64_t id : h.ids) EXPECT_NE(id, 4);  // nothing goes on from there, not even to its end
}

TEST(BeamSearch, AModelWithoutProbabilitiesIsNamed) {
  const auto spoil = [](const Ids&, std::vector<float>& logits) { logits[3] = std::nanf(""); };
  for (const double temperature : {0.0, 1.0}) {
    BeamOptions o = of_limit(1, 4);
    o.sampling.temperature = temperature;
    const std::vector<ToyModel> models{{.seed = 1}};
    ToyScorer scorer(models, spoil);
    EXPECT_THROW(beam_search(scorer, {.source_lengths = {1}, .seeds = {1}}, o), RunError);
  }
}

TEST(BeamSearch, DrawsTextsAsOftenAsTheyAreProbable) {
  const ToyModel model{.seed = 8, .vocabulary = 4, .spread = 1};
  BeamOptions o = of_limit(1, 2);
  o.sampling.temperature = 1;
  o.length_penalty = BeamOptions::Penalty::none;
  o.min_length = 0;
  constexpr std::size_t draws = 4000;
  const std::vector<ToyModel> models(draws, model);
  SearchBatch batch{.source_lengths = Ids(draws, 0)};
  for (uint64_t i = 0; i < draws; ++i) batch.seeds.push_back(derive_seed(1, "draw", i));
  ToyScorer scorer(models);
  std::map<Ids, double> counts;
  for (const auto& found : beam_search(scorer, batch, o)) counts[found.front().ids] += 1.0 / draws;
  std::vector<Hypothesis> all;
  enumerate(model, o, 2, {}, 0, all);
  for (const Hypothesis& h : all)  // a text that was cut is drawn before its end is forced
    EXPECT_NEAR(h.finished ? counts[h.ids] : 0, h.finished ? std::exp(h.log_probability) : 0, 0.03);
}

}  // namespace
}  // namespace attnlab
