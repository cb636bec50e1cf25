#include "data/qasper.h"

#include "fuzz/input_folder.h"
#include "fuzz/targets.h"
#include "fuzz/use_questions.h"

namespace attnlab {

void fuzz_qasper(std::string_view bytes) {
  static const InputFolder folder;
  for (const char* name : {"input.json", "input.jsonl"}) {
    const auto file = folder.write(name, bytes);
    read_or_refuse(folder, [&] { ensure_sound(*open_qasper(file)); });
  }
}

}  // namespace attnlab
