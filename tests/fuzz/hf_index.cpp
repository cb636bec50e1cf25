#include "fuzz/input_folder.h"
#include "fuzz/targets.h"
#include "io/hf_shards.h"

namespace attnlab {

void fuzz_hf_index(std::string_view bytes) {
  static const InputFolder folder;
  static const auto shard = [] {
    save_safetensors(folder.path() / "a.safetensors", {{"w", torch::zeros({2})}, {"x.y", torch::zeros({3})}});
    return folder.path() / "a.safetensors";
  }();
  folder.write("model.safetensors.index.json", bytes);
  read_or_refuse(folder, [&] {
    const HfShards shards = HfShards::open(folder.path());
    for (const std::string& name : shards.names()) {
      ensure(shards.holds(name) && shards.file_of(name).find(name), "a shard that holds '{}'", name);
      shards.file_of(name).tensor(name);
    }
  });
}

}  // namespace attnlab
