#include "tasks/inputs.h"

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

std::vector<Input> weights_input(const RunContext& context) {
  if (context.init_from.empty()) return {};
  return {{"weights", context.init_from.string(), context.init_from.string(),
           [from = context.init_from] { return sha256(MappedFile(weights_file(from)).bytes()); }}};
}

void record_inputs(const std::vector<Input>& inputs, RecordSink& record) {
  for (const Input& input : inputs) record.attribute(input.name + "_checksum", input.checksum());
}

}  // namespace attnlab
