#include "data/token_lines.h"

#include "fuzz/input_folder.h"
#include "fuzz/targets.h"

namespace attnlab {

void fuzz_token_lines(std::string_view bytes) {
  static const InputFolder folder;
  TokenLinesOptions options;
  options.path = folder.write("input.jsonl", bytes).string();
  read_or_refuse(folder, [&] {
    const auto chunks = options.open({});
    ensure(chunks->size() > 0, "refusal of a file without tokens");
    for (int64_t i = 0; i < chunks->size(); ++i) {
      const Document chunk = chunks->read(i);
      ensure(!chunk.ids.empty() && chunk.text.empty(), "chunks of ids");
      for (const int32_t id : chunk.ids) ensure(id >= 0, "ids of 0 and above, not {}", id);
      check_ids(chunk, 1000);
    }
  });
}

}  // namespace attnlab
