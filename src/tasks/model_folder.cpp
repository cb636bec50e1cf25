#include "tasks/model_folder.h"

#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/stop.h"
#include "data/tokenizers/special_names.h"
#include "io/hf_config.h"
#include "io/not_a_model.h"

namespace attnlab {

namespace fs = std::filesystem;

std::optional<torch::ScalarType> type_of(WeightType precision) {
  if (precision == WeightType::fp32) return torch::kFloat;
  if (precision == WeightType::bf16) return torch::kBFloat16;
  return std::nullopt;
}

void PretrainedOptions::visit_pretrained(Fields& f) {
  f("model", model, OneOf{},
    "folder with config.json and *.safetensors as on Hugging Face, or the folder of a run that trained one; "
    "in an experiment also EXPERIMENT.yaml#ROW, the run in that row as `attnlab list` shows it");
  f("tokenizer", tokenizer, OneOf{},
    "tokenizer.json, tokenizer.model or the folder of either; empty: the model's folder");
  f("precision", precision, weight_types,
    "type of weights and activations; saved: as in the folder. Softmax and losses are in fp32 in any case");
}

fs::path model_folder(const fs::path& path) {
  if (path.empty()) user_error("model is empty: name the folder of a pre-trained model, model=FOLDER");
  if (is_hf_folder(path)) return path;
  if (is_hf_folder(path / "model")) return path / "model";
  if (const auto mistake = mistaken_for_model(path)) throw UserError(*mistake);
  if (!fs::is_directory(path))
    user_error(
        "there is no folder {} to read a model from: `scripts/fetch_data` fetches models, and where it is "
        "a run's, that run comes first",
        path.string());
  user_error("{} holds no model: there is no config.json in it, nor in a folder model/ below it",
             path.string());
}

fs::path tokenizer_place(const std::string& named, const fs::path& folder) {
  return named.empty() ? folder : fs::path(named);
}

OneOf chat_words() {
  OneOf words{{"none", "folder"}};
  for (const auto& [name, format] : chat_formats) words.words.push_back(name);
  return words;
}

ChatTemplate chat_of(ChatFormat wanted, const HfConfig& config, const fs::path& folder) {
  const SpecialNames names = read_special_names(folder / "tokenizer_config.json");
  const SpecialTexts tokens{names.bos.value_or(""), names.eos.value_or("")};
  const ChatTemplate own = recognised(config.chat_template, tokens);
  return wanted == ChatFormat::none || wanted == own.format ? own : usual_template(wanted, tokens);
}

ChatTemplate chat_of(const std::string& word, const HfConfig& config, const fs::path& folder) {
  if (word == "none") return {};
  for (const auto& [name, format] : chat_formats)
    if (name == word) return chat_of(format, config, folder);
  const ChatTemplate own = chat_of(ChatFormat::none, config, folder);
  if (own.format == ChatFormat::none)
    user_error(
        "{} declares no chat template that is known here; template=none asks it as a base model, and chatml, "
        "llama2, llama3 or mistral says which format comes nearest",
        folder.string());
  return own;
}

std::vector<int64_t> protected_ids(const Tokenizer& tokenizer, const std::vector<std::string>& strings) {
  std::vector<int64_t> all;
  for (const std::string& text : strings) {
    const std::vector<int64_t> ids = tokenizer.ids_of_text(text);
    if (ids.empty()) user_error("cache.protect: {} has no piece that is '{}'", tokenizer.path(), text);
    all.insert(all.end(), ids.begin(), ids.end());
  }
  return all;
}

std::string checksum_of_model(const fs::path& folder) {
  std::string lines = sha256(read_file(folder / "config.json")) + "\n";
  for (const fs::path& file : files_in(folder, ".safetensors")) {
    stop_here_if_requested();
    const MappedFile content(file);
    lines +=
        fmt::format("{} {} {}\n", file.filename().string(), content.bytes().size(), sha256(content.bytes()));
  }
  return sha256(lines);
}

}  // namespace attnlab
