// Translating standard input line by line.
#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "core/error.h"
#include "core/json_text.h"
#include "core/output.h"
#include "core/plain_text.h"
#include "core/random.h"
#include "core/stop.h"
#include "io/checkpoint.h"
#include "tasks/inputs.h"
#include "tasks/translation/translate.h"
#include "tasks/translation/translations.h"
#include "tasks/translation/vocabulary_of_weights.h"

namespace attnlab {
namespace {

using nlohmann::ordered_json;

/// Lines that are translated together where more than one is waiting.
constexpr std::size_t most_lines = 256;

class LineTranslator {
 public:
  LineTranslator(const TranslateOptions& options, const RunContext& context)
      : options_(options),
        context_(context),
        vocabulary_(open_saved_vocabulary(context.folder / "vocabulary")),
        model_(options.build_model(vocabulary_->size(), context.seed, context.device)) {
    const std::filesystem::path weights =
        evaluated_weights(options.trains, options.train.evaluate_with, context);
    check_vocabulary(weights, *vocabulary_, (context.folder / "vocabulary").string());
    load_weights(*model_, weights);
    model_->eval();
  }

  /// One answer a line, in their order; `first` is the number of the first.
  std::vector<ordered_json> answers(const std::vector<std::string>& lines, int64_t first) {
    std::vector<ordered_json> all(lines.size());
    NumberedSources sources;
    std::vector<std::size_t> whose;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      try {
        sources.ids.push_back(encoded(lines[i]));
        sources.numbers.push_back(first + static_cast<int64_t>(i));
        whose.push_back(i);
      } catch (const UserError& e) {
        all[i] = {{"error", e.what()}};
      }
    }
    const auto found = translate_all(model_, options_.decoding, sources,
                                     derive_seed(context_.seed, "predict"), context_.device);
    for (std::size_t j = 0; j < found.size(); ++j) all[whose[j]] = answer(found[j]);
    return all;
  }

 private:
  std::vector<int64_t> encoded(const std::string& line) const {
    refuse_wide_encoding(line, "the line");
    std::vector<int64_t> ids = vocabulary_->encode(line);
    ids.push_back(TranslationVocabulary::eos);
    if (std::ssize(ids) > options_.batching.max_positions)
      user_error("a sentence of {} tokens is longer than the model's {} positions", ids.size(),
                 options_.batching.max_positions);
    return ids;
  }

  ordered_json one(const Hypothesis& h) const {
    return {{"text", vocabulary_->decode(h.ids)},
            {"score", h.score},
            {"log_probability", h.log_probability},
            {"tokens", h.ids.size() + 1}};
  }

  ordered_json answer(const std::vector<Hypothesis>& best) const {
    ordered_json made = one(best.front());
    if (options_.decoding.search.n_best > 1)
      for (const Hypothesis& h : best) made["n_best"].push_back(one(h));
    return made;
  }

  const TranslateOptions& options_;
  const RunContext& context_;
  std::shared_ptr<const TranslationVocabulary> vocabulary_;
  Translator model_;
};

}  // namespace

int64_t TranslateOptions::predict(const RunContext& context, std::istream& in, std::ostream& out) const {
  LineTranslator translator(*this, context);
  TextLines lines(in, "standard input", {.lone_cr = false, .by_nuls = false});
  StrayBytes stray;
  int64_t refused = 0, number = 0;
  std::vector<std::string> waiting;
  const auto answer_all = [&] {
    for (ordered_json& answer : translator.answers(waiting, number + 1)) {
      refused += answer.contains("error") ? 1 : 0;
      answer["line"] = ++number;
      out << json_text(answer) << '\n';
    }
    flush_output(out);
    waiting.clear();
  };
  for (std::string line; lines.next(line);) {
    stop_here_if_requested();
    stray.look_at(line, fmt::format("line {}", lines.number()));
    waiting.push_back(line);
    // Somebody who types waits for an answer; a file's lines go together.
    if (waiting.size() >= most_lines || in.rdbuf()->in_avail() <= 0) answer_all();
  }
  if (!waiting.empty()) answer_all();
  stray.tell("lines", "read as characters that no vocabulary has");
  return refused;
}

}  // namespace attnlab
