#include "data/squality.h"

#include "fuzz/input_folder.h"
#include "fuzz/targets.h"
#include "fuzz/use_questions.h"

namespace attnlab {

void fuzz_squality(std::string_view bytes) {
  static const InputFolder folder;
  const auto file = folder.write("input.jsonl", bytes);
  read_or_refuse(folder, [&] { ensure_sound(*open_squality(file)); });
}

}  // namespace attnlab
