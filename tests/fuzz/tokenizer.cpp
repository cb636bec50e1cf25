#include "data/tokenizer.h"

#include "fuzz/input_folder.h"
#include "fuzz/targets.h"
#include "fuzz/use_tokenizer.h"

namespace attnlab {

void fuzz_tokenizer(std::string_view bytes) {
  static const InputFolder folder;
  const auto path = folder.write("tokenizer.model", bytes);
  read_or_refuse(folder, [&] { use_tokenizer(Tokenizer::open(path)); });
}

}  // namespace attnlab
