#include "tasks/classification/classify_evaluation.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "core/error.h"
#include "core/files.h"
#include "core/json_map.h"
#include "core/json_text.h"
#include "core/stop.h"
#include "metrics/statistics.h"
#include "tasks/token_tensors.h"
#include "train/autocast.h"

namespace attnlab {
namespace {

std::string path_of(Split split) { return "/eval/" + std::string(name_of(split)); }

}  // namespace

std::vector<Column> example_columns() {
  using Type = Column::Type;
  return {{"example", Type::integer, "1", "index in the split"},
          {"id", Type::text, "1", "the publisher's name of the example"},
          {"length", Type::integer, "token", "tokens read, after the cut"},
          {"label", Type::integer, "1", "true class"},
          {"predicted", Type::integer, "1", "most probable class"},
          {"correct", Type::integer, "1", "1 where predicted = label"},
          {"probability", Type::real, "1", "probability of the true class"},
          {"nll", Type::real, "nat", "negative log-probability of the true class"}};
}

Table example_table(Split split) {
  return {path_of(split), "every example of " + std::string(name_of(split)), example_columns()};
}

SplitResults ClassifierEvaluation::operator()(Classifier& model, const LabelledSequences& data) const {
  const torch::NoGradGuard no_grad;
  const Autocast autocast(options_.evaluation.precision, device_);
  const bool training = model->is_training();
  model->eval();
  std::vector<int64_t> lengths = token_lengths(data, options_.encoding);
  if (limit_ > 0 && limit_ < static_cast<int64_t>(lengths.size()))
    lengths.resize(static_cast<size_t>(limit_));
  SplitResults results;
  results.examples.resize(lengths.size());
  for (const auto& members : plan_evaluation(lengths, options_.evaluation.batch_size)) {
    stop_here_if_requested();
    const TokenBatch batch = make_batch(data, members, options_.encoding, options_.layout());
    const TokenTensors tensors = to_tensors(batch, device_);
    const torch::Tensor log_p =
        model->forward(tensors.ids_BN, tensors.padding_BN).to(torch::kDouble).log_softmax(-1).cpu();
    const torch::Tensor best = log_p.argmax(-1);
    for (int64_t i = 0; i < batch.rows; ++i) {
      const auto at = static_cast<size_t>(i);
      const double nll = -log_p[i][batch.labels[at]].item<double>();
      results.examples[static_cast<size_t>(members[at])] = {
          members[at], batch.lengths[at], batch.labels[at], best[i].item<int64_t>(), std::exp(-nll), nll};
    }
  }
  model->train(training);
  return results;
}

Headline accuracy_on(Split split) {
  if (split == Split::test)
    return {"accuracy", "1", "share of test examples classified correctly; none of them chose an update",
            Summary::Better::higher};
  return {"accuracy_validation", "1", "share of the validation examples that are classified correctly",
          Summary::Better::higher};
}

Headline accuracy_selected_on_test() {
  return {"accuracy_selected_on_test", "1", "best test accuracy of any validated update: selected on test",
          Summary::Better::higher};
}

Validation SplitResults::validation() const {
  int64_t correct = 0;
  double nll = 0;
  for (const ExampleResult& e : examples) {
    correct += e.predicted == e.label;
    nll += e.nll;
  }
  const auto n = static_cast<int64_t>(examples.size());
  const Proportion p = accuracy(correct, n);
  return {p.value, p.standard_error, nll / static_cast<double>(n), n};
}

void SplitResults::write_examples(std::string_view table, const LabelledSequences& data,
                                  RecordSink& record) const {
  record.truncate(table, 0);  // what a run killed during its evaluation left
  for (const ExampleResult& e : examples) {
    const Value row[] = {e.example,   std::string(data.id(e.example)), e.tokens,      e.label,
                         e.predicted, int64_t{e.predicted == e.label}, e.probability, e.nll};
    record.append(table, row);
  }
}

void SplitResults::write(Split split, const LabelledSequences& data, RecordSink& record) const {
  write_examples(path_of(split), data, record);
  const Validation v = validation();
  const bool test = split == Split::test;
  record.summarise(summary_of(accuracy_on(split), v.value, v.n, v.standard_error));
  record.summarise({test ? "loss_test" : "loss_validation", v.loss, "nat",
                    test ? "mean negative log-probability of the test examples"
                         : "mean negative log-probability of the validation examples",
                    Summary::Better::lower, v.n, std::numeric_limits<double>::quiet_NaN()});
}

TestCurve::TestCurve(const std::filesystem::path& run_folder)
    : file_(run_folder / "checkpoint" / "test_curve.json") {
  if (!std::filesystem::exists(file_)) return;
  const nlohmann::json kept = read_json_map(file_, "is damaged; --fresh starts the run over");
  const auto best = kept.find("best"), n = kept.find("n");
  if (best == kept.end() || !best->is_number() || n == kept.end() || !n->is_number_integer())
    user_error("{} is damaged: it lacks 'best' or 'n'; --fresh starts the run over", file_.string());
  best_ = best->get<double>();
  n_ = n->get<int64_t>();
}

void TestCurve::add(const Validation& on_test) {
  if (n_ > 0 && on_test.value <= best_) return;
  best_ = on_test.value;
  n_ = on_test.n;
  std::filesystem::create_directories(file_.parent_path());
  write_atomically(file_, json_text(nlohmann::json{{"best", best_}, {"n", n_}}));
}

void TestCurve::summarise(RecordSink& record) const {
  if (n_ == 0) return;
  const auto correct = static_cast<int64_t>(std::lround(best_ * static_cast<double>(n_)));
  record.summarise(summary_of(accuracy_selected_on_test(), best_, n_, accuracy(correct, n_).standard_error));
}

}  // namespace attnlab
