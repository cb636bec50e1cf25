#include "data/translation/dictionary.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "data/translation/pairs.h"
#include "data/translation/text_pairs_reader.h"

namespace attnlab {
namespace {

constexpr std::string_view overwrite = " #fairseq:overwrite";

bool is_count(std::string_view text) {
  int64_t count = 0;
  const char* end = text.data() + text.size();
  return !text.empty() && std::from_chars(text.data(), end, count).ptr == end;
}

}  // namespace

Dictionary::Dictionary() {
  for (const char* symbol : {"<s>", "<pad>", "</s>", "<unk>"}) add(symbol, false);
}

bool Dictionary::add(std::string_view symbol, bool again) {
  const auto [place, fresh] = ids_.emplace(symbol, size());
  if (!fresh && !again) return false;
  place->second = size();
  symbols_.emplace_back(symbol);
  return true;
}

void Dictionary::add_line(std::string_view line, const std::string& origin) {
  line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
  const bool again = line.ends_with(overwrite);
  if (again) line.remove_suffix(overwrite.size());
  const std::size_t space = line.rfind(' ');
  if (space == std::string_view::npos || space == 0 || !is_count(line.substr(space + 1)))
    user_error("{} is no line of a fairseq dictionary, a symbol and its count: '{}'", origin, line);
  if (!add(line.substr(0, space), again))
    user_error("{} has the symbol '{}' a second time; fairseq refuses that too", origin,
               line.substr(0, space));
}

Dictionary Dictionary::read(const std::filesystem::path& file) {
  Dictionary dictionary;
  TextLineFile lines(file);
  for (std::string line; lines.next(line);) {
    dictionary.add_line(line, fmt::format("{}:{}", file.string(), lines.number()));
    dictionary.text_ += line + "\n";
  }
  return dictionary;
}

Dictionary Dictionary::of(const std::vector<std::string>& symbols) {
  Dictionary dictionary;
  for (const std::string& symbol : symbols)
    if (dictionary.add(symbol, false)) dictionary.text_ += symbol + " 1\n";
  return dictionary;
}

int64_t Dictionary::id_of(std::string_view symbol) const {
  const auto found = ids_.find(std::string(symbol));
  return found == ids_.end() ? TranslationVocabulary::unk
                             : std::max(found->second, TranslationVocabulary::unk);
}

}  // namespace attnlab
