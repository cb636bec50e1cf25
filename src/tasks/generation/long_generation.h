// Long texts from a prompt, text after text from its own seed (Oren et al. 2024, §5.3): what a bounded cache
// does to a model that goes on from what it has written itself. The paper had GPT-4 compare the stories pair
// by pair; here they are described by numbers and recorded, and `scripts/export_pairs` writes the pairs of
// two runs, in both orders, for whatever judge there is.
#pragma once

#include "cache/cache_options.h"
#include "models/sampling.h"
#include "tasks/model_folder.h"
#include "tasks/task.h"

namespace attnlab {

struct LongGenerationOptions final : TaskOptions, PretrainedOptions {
  std::string prompt =
      "Write a very long story (at least 4,000 words). The story should include at least 20 named "
      "characters, spans 3 countries and 9 cities, at least 10 chapters and should have a lot of plot "
      "twists.";
  std::string chat = "folder";
  int64_t texts = 100;
  int64_t max_new_tokens = 4096;
  bool ignore_eos = false;
  SamplingOptions sampling{.temperature = 1.0, .top_k = 0, .top_p = 0.95};
  bool past_training = false;
  CacheOptions cache;
  int64_t batch_size = 4;

  void visit(Fields& f) override;
  std::vector<Table> tables() const override;
  std::vector<Headline> headlines() const override;
  std::vector<Input> inputs(const RunContext& context) const override;
  /// Resumes behind the last batch of texts that is recorded.
  void run(const RunContext& context, RecordSink& record) const override;
};

}  // namespace attnlab
