// Every set of documents. Adding one: a pair of files, and a line here.
#include "data/documents.h"

#include <algorithm>

#include "core/files.h"
#include "core/plain_text.h"
#include "core/stop.h"
#include "data/pg19.h"
#include "data/text_files.h"
#include "data/text_lines.h"
#include "data/token_lines.h"

namespace attnlab {

template <>
const std::vector<Entry<DocumentDataOptions>>& registry<DocumentDataOptions>() {
  static const std::vector<Entry<DocumentDataOptions>> table = {
      entry<DocumentDataOptions, Pg19Options>(
          "pg19", "books of Project Gutenberg from before 1919 (Rae et al. 2019)"),
      entry<DocumentDataOptions, TextFilesOptions>("texts", "a folder of .txt files, one document each"),
      entry<DocumentDataOptions, TextLinesOptions>(
          "text_lines", "files of running text with a sentence a line, cut into documents"),
      entry<DocumentDataOptions, TokenLinesOptions>(
          "token_lines", "a .jsonl file of token ids, one chunk a line, scored as it stands"),
  };
  return table;
}

int64_t count_of(const Documents& documents, int64_t most) {
  return most > 0 ? std::min(most, documents.size()) : documents.size();
}

std::string checksum_of(const Documents& documents, int64_t count) {
  std::string lines;
  StrayBytes stray;
  for (int64_t i = 0; i < count; ++i) {
    stop_here_if_requested();
    const Document one = documents.read(i);
    const std::string_view ids(reinterpret_cast<const char*>(one.ids.data()),
                               one.ids.size() * sizeof(int32_t));
    stray.look_at(one.text, one.origin);
    lines += one.id + " " + sha256(one.ids.empty() ? std::string_view(one.text) : ids) + "\n";
  }
  stray.tell("documents", as_replacement);
  return sha256(lines);
}

}  // namespace attnlab
