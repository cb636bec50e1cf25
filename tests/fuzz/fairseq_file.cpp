#include "data/translation/fairseq_file.h"

#include <cstring>

#include "data/translation/pairs.h"
#include "fuzz/input_folder.h"
#include "fuzz/targets.h"

namespace attnlab {

/// Two bytes say how long the .idx is, which comes first; the rest is the .bin.
void fuzz_fairseq_file(std::string_view bytes) {
  static const InputFolder folder;
  uint16_t index = 0;
  if (bytes.size() < sizeof index) return;
  std::memcpy(&index, bytes.data(), sizeof index);
  bytes.remove_prefix(sizeof index);
  folder.write("part.idx", bytes.substr(0, index));
  folder.write("part.bin", bytes.substr(std::min<std::size_t>(index, bytes.size())));
  read_or_refuse(folder, [&] {
    constexpr int64_t vocabulary = 1000;
    const FairseqFile file(folder.path() / "part", vocabulary);
    std::vector<int64_t> ids;
    for (int64_t i = 0; i < file.size(); ++i) {
      file.read(i, ids);
      ensure(static_cast<int64_t>(ids.size()) == file.length(i), "{} ids", file.length(i));
      ensure(ids.back() == TranslationVocabulary::eos, "EOS at the end of a sentence");
      for (const int64_t id : ids) ensure(id >= 0 && id < vocabulary, "ids of the vocabulary, not {}", id);
    }
  });
}

}  // namespace attnlab
