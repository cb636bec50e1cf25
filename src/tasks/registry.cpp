// Every task. Adding one: a pair of files, and a line here.
#include "core/error.h"
#include "tasks/classification/classify.h"
#include "tasks/generation/long_generation.h"
#include "tasks/generation/question_answering.h"
#include "tasks/language/perplexity.h"
#include "tasks/language/train_lm.h"
#include "tasks/speed/causal_speed.h"
#include "tasks/speed/decode_speed.h"
#include "tasks/speed/device_rates.h"
#include "tasks/speed/score_speed.h"
#include "tasks/speed/speed.h"
#include "tasks/speed/step_speed.h"
#include "tasks/speed/translation_speed.h"
#include "tasks/task.h"
#include "tasks/translation/translate.h"

namespace attnlab {

template <>
const std::vector<Entry<TaskOptions>>& registry<TaskOptions>() {
  static const std::vector<Entry<TaskOptions>> table = {
      entry<TaskOptions, CausalSpeedOptions>(
          "causal_speed", "time and memory of causal Luna by itself, form beside form (Luna §3.2)"),
      entry<TaskOptions, ClassifyOptions>("classify",
                                          "train and evaluate a sequence classifier (Luna §4.1, LRA text)"),
      entry<TaskOptions, DecodeSpeedOptions>(
          "decode_speed",
          "speed and memory of decoding at a held depth, by cache policy and batch (TOVA §5)"),
      entry<TaskOptions, DeviceRatesOptions>(
          "device_rates", "what the device can do at most: products, reading, copying, starting operators"),
      entry<TaskOptions, LongGenerationOptions>(
          "long_generation", "long texts from a prompt under a bounded cache, each described (TOVA §5)"),
      entry<TaskOptions, PerplexityOptions>(
          "perplexity", "perplexity of texts under a pre-trained decoder and a bounded cache (TOVA §5)"),
      entry<TaskOptions, QuestionAnsweringOptions>(
          "question_answering",
          "answers to questions about long documents under a bounded cache: SQuALITY, QASPER (TOVA §5)"),
      entry<TaskOptions, ScoreSpeedOptions>(
          "score_speed", "speed of scoring given text layer by layer, beside a full cache (TOVA §5)"),
      entry<TaskOptions, SpeedOptions>(
          "speed", "time and memory of one model at one length, training and inference (Luna §4.1)"),
      entry<TaskOptions, StepSpeedOptions>(
          "step_speed", "time and memory of one training step, model beside model (Luna §4.1)"),
      entry<TaskOptions, TrainLmOptions>("train_lm",
                                         "train a language model of the Llama family on running text"),
      entry<TaskOptions, TranslateOptions>(
          "translate", "train a translator on sentence pairs and score its translations (Luna §4.2)"),
      entry<TaskOptions, TranslationSpeedOptions>(
          "translation_speed", "time of a translator's training step and of its beam search (Luna §4.2)"),
  };
  return table;
}

int64_t TaskOptions::predict(const RunContext&, std::istream&, std::ostream&) const {
  user_error(
      "this task makes no predictions; `attnlab predict` needs a run of task classify or translate, or a "
      "model's folder, "
      "as task train_lm leaves in RUN/model");
}

}  // namespace attnlab
