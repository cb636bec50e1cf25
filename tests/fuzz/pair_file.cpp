#include "data/translation/pair_file.h"

#include <cstring>

#include "fuzz/input_folder.h"
#include "fuzz/targets.h"

namespace attnlab {

/// The bytes as they come, and with the SHA-256 that they should have, so that what lies behind is reached.
void fuzz_pair_file(std::string_view bytes) {
  static const InputFolder folder;
  constexpr std::size_t hash = 64;
  std::string file(bytes);
  const auto read = [&] {
    std::string reason;
    const std::string fingerprint = file.size() < 2 * hash ? "" : file.substr(file.size() - 2 * hash, hash);
    const auto pairs = PairFile::open(folder.write("pairs.bin", file), fingerprint, reason);
    ensure(pairs || !reason.empty(), "a reason for what is not used");
    std::vector<int64_t> ids;
    for (int64_t i = 0; pairs && i < pairs->size(); ++i) {
      pairs->source(i, ids);
      ensure(static_cast<int64_t>(ids.size()) == pairs->source_length(i), "as many ids as were told");
      pairs->target(i, ids);
      ensure(static_cast<int64_t>(ids.size()) == pairs->target_length(i), "as many ids as were told");
    }
  };
  read_or_refuse(folder, read);
  if (file.size() < 2 * hash) return;
  file.replace(file.size() - hash, hash, sha256(std::string_view(file).substr(0, file.size() - 2 * hash)));
  read_or_refuse(folder, read);
}

}  // namespace attnlab
