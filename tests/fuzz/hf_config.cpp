#include "io/hf_config.h"

#include "fuzz/input_folder.h"
#include "fuzz/targets.h"

namespace attnlab {

void fuzz_hf_config(std::string_view bytes) {
  static const InputFolder folder, copy;
  folder.write("config.json", bytes);
  // The same bytes: both files have keys of bos and eos.
  folder.write("generation_config.json", bytes);
  read_or_refuse(folder, [&] {
    const HfConfig config = read_hf_config(folder.path());
    const DecoderOptions& o = config.decoder;
    ensure(o.layers > 0 && o.vocabulary > 0 && o.head_dim > 0 && o.heads % o.kv_heads == 0,
           "sizes that agree");
    write_hf_config(copy.path(), config);
    ensure(read_hf_config(copy.path()).decoder.dim == o.dim, "what was read to be written and read again");
  });
}

}  // namespace attnlab
