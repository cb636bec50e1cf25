#include "tasks/inputs.h"

#include "core/error.h"
#include "core/files.h"
#include "io/checkpoint.h"
#include "tasks/model_folder.h"

namespace attnlab {

namespace fs = std::filesystem;

Input model_input(const fs::path& model) {
  return {"model", model.string(), model.string(), [=] { return checksum_of_model(model_folder(model)); }};
}

Input file_input(const std::string& name, const fs::path& file) {
  return {name, file.string(), file.string(), [=] { return sha256(MappedFile(file).bytes()); }};
}

Input settings_input(const fs::path& folder) {
  return {"settings", folder.string(), folder.string(), [=] { return checksum_of_settings(folder); }};
}

std::vector<Input> weights_input(const RunContext& context) {
  if (context.init_from.empty()) return {};
  return {{"weights", context.init_from.string(), context.init_from.string(),
           [from = context.init_from] { return sha256(MappedFile(weights_file(from)).bytes()); }}};
}

std::filesystem::path evaluated_weights(bool trains, EvaluateWith with, const RunContext& context) {
  if (!trains) return context.init_from;
  // By name, for earlier versions kept the best weights of every run.
  const std::filesystem::path last = last_checkpoint(context.folder);
  return with == EvaluateWith::last && std::filesystem::exists(last) ? last : context.folder;
}

std::vector<Input> pretrained_inputs(const PretrainedOptions& options) {
  const fs::path folder = model_folder(options.model);
  const fs::path pieces = tokenizer_file(tokenizer_place(options.tokenizer, folder));
  std::vector<Input> all{model_input(options.model), file_input("tokenizer", pieces), settings_input(folder)};
  if (pieces.parent_path() != folder) {
    all.push_back(settings_input(pieces.parent_path()));
    all.back().name = "tokenizer_settings";
  }
  return all;
}

void refuse_init_from(const RunContext& context, std::string_view task) {
  if (!context.init_from.empty())
    user_error("task {} reads its weights from `model`, not from init_from", task);
}

void refuse_weights(const RunContext& context, std::string_view task) {
  if (!context.init_from.empty()) user_error("task {} draws its weights and reads none from init_from", task);
}

Checksums checksums_of(const std::vector<Input>& inputs) {
  Checksums checksums;
  for (const Input& input : inputs) checksums[input.name] = input.checksum();
  return checksums;
}

void record_checksums(const Checksums& checksums, RecordSink& record) {
  for (const auto& [name, checksum] : checksums) record.attribute(name + "_checksum", checksum);
}

void record_inputs(const std::vector<Input>& inputs, RecordSink& record) {
  record_checksums(checksums_of(inputs), record);
}

}  // namespace attnlab
