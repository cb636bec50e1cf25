#include "run/trained_model.h"

#include "config/problems.h"
#include "config/trained_keys.h"
#include "core/error.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view file_end = ".yaml";

void name_at(const char* trained_key, Config& config, const FolderOfRow& folder_of_row) {
  const Tree* model = config.tree.find(trained_key);
  if (!model || model->kind != Tree::Kind::scalar) return;
  const std::size_t hash = model->text.find('#');
  if (hash == std::string::npos || !model->text.substr(0, hash).ends_with(file_end)) return;
  const fs::path beside = model->mark.line > 0 ? fs::path(model->mark.file).parent_path() : fs::path();
  Tree folder = *model;
  try {
    folder.text = folder_of_row(beside / model->text.substr(0, hash), model->text.substr(hash + 1)).string();
  } catch (const UserError& e) {
    config.problems.push_back(problem_line(model->mark, trained_key, e.what()));
    return;
  }
  folder.quoted = true;
  set_member(config.tree, trained_key, model->key_mark, std::move(folder));
}

}  // namespace

void name_trained_model(Config& config, const FolderOfRow& folder_of_row) {
  for (const char* key : trained_keys) name_at(key, config, folder_of_row);
}

}  // namespace attnlab
