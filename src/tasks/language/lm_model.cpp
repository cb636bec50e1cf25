#include "tasks/language/lm_model.h"

#include "core/error.h"
#include "core/files.h"
#include "core/json_map.h"
#include "core/json_text.h"
#include "core/random.h"
#include "tasks/model_folder.h"

namespace attnlab {
namespace {

void save_tokenizer(const std::filesystem::path& folder, const Tokenizer& tokenizer, const std::string& bytes,
                    bool add_bos) {
  const std::filesystem::path file = tokenizer.path(), config = "tokenizer_config.json";
  const bool json = file.extension() == ".json";
  write_atomically(folder / (json ? "tokenizer.json" : "tokenizer.model"), bytes);
  for (const char* beside : {"added_tokens.json", "special_tokens_map.json", "chat_template.jinja"})
    if (std::filesystem::exists(file.parent_path() / beside))
      write_atomically(folder / beside, read_file(file.parent_path() / beside));
  nlohmann::json names;
  if (std::filesystem::exists(file.parent_path() / config)) {
    names = read_json_map(file.parent_path() / config, "is no valid JSON");
  } else if (json) {
    names["tokenizer_class"] = "PreTrainedTokenizerFast";
    if (const auto bos = tokenizer.bos_id()) names["bos_token"] = tokenizer.piece(*bos);
    if (const auto eos = tokenizer.eos_id()) names["eos_token"] = tokenizer.piece(*eos);
  } else {
    return;  // what the model's folder has already says all
  }
  names["add_bos_token"] = add_bos;
  write_atomically(folder / config, json_text(names, 2) + "\n");
}

}  // namespace

HfModel random_model(DecoderOptions sizes, const Tokenizer& tokenizer, uint64_t seed, torch::Device device) {
  if (sizes.vocabulary == 0) sizes.vocabulary = tokenizer.size();
  torch::manual_seed(derive_seed(seed, "initialise"));
  HfModel model{{}, Decoder(sizes)};
  model.decoder->to(device);
  model.config.bos_id = tokenizer.bos_id();
  if (const auto eos = tokenizer.eos_id()) model.config.eos_ids = {*eos};
  model.config.add_bos = tokenizer.bos_id().has_value();
  return model;
}

HfModel model_to_tune(const std::filesystem::path& start_from, const Tokenizer& tokenizer,
                      torch::Device device) {
  const std::filesystem::path folder = model_folder(start_from);
  HfModel model = load_hf_folder(folder, {.type = torch::kFloat, .device = device, .trainable = true});
  model.config.stored_as.clear();  // no longer what was stored
  const int64_t vocabulary = model.config.decoder.vocabulary;
  if (tokenizer.size() > vocabulary)
    user_error("start_from: the tokenizer in {} has {} ids, the model there {}", folder.string(),
               tokenizer.size(), vocabulary);
  return model;
}

void save_language_model(const std::filesystem::path& folder, const HfModel& model,
                         const Tokenizer& tokenizer, const std::string& tokenizer_bytes) {
  save_hf_folder(folder, model.decoder, model.config);
  save_tokenizer(folder, tokenizer, tokenizer_bytes, model.config.add_bos);
}

}  // namespace attnlab
