#include "tasks/translation/vocabulary_of_weights.h"

#include "core/error.h"
#include "io/checkpoint.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

/// Empty where nothing tells.
std::string checksum_of_vocabulary(const fs::path& weights) {
  const Metadata said = said_of_weights(weights);
  if (const auto found = said.find(vocabulary_of_weights); found != said.end()) return found->second;
  const fs::path folder = run_of_weights(weights) / "vocabulary";
  return fs::is_directory(folder) ? open_saved_vocabulary(folder)->checksum() : "";
}

}  // namespace

void check_vocabulary(const fs::path& weights, const TranslationVocabulary& here, const std::string& whose) {
  const std::string theirs = checksum_of_vocabulary(weights);
  if (!theirs.empty() && theirs != here.checksum())
    user_error("the weights in {} were trained with another vocabulary than {}",
               weights_file(weights).string(), whose);
}

}  // namespace attnlab
