#include <cstring>

#include "fuzz/input_folder.h"
#include "fuzz/targets.h"
#include "io/safetensors.h"

namespace attnlab {

void fuzz_safetensors(std::string_view bytes) {
  static const InputFolder folder;
  const auto path = folder.write("input.safetensors", bytes);
  read_or_refuse(folder, [&] {
    const SafetensorsHeader header = parse_safetensors_header(bytes, path.string());
    const SafetensorsFile file = SafetensorsFile::open(path);
    ensure(file.entries().size() == header.tensors.size(), "one answer to the same bytes");
    const std::string_view data = bytes.substr(header.data_start);
    for (const SafetensorsEntry& entry : file.entries()) {
      const torch::Tensor tensor = file.tensor(entry.name);
      ensure(tensor.sizes() == torch::IntArrayRef(entry.shape), "the shape of the header");
      ensure(entry.end <= data.size() && tensor.nbytes() == entry.end - entry.begin,
             "tensors inside the file");
      if (tensor.nbytes() > 0)
        ensure(std::memcmp(tensor.const_data_ptr(), data.data() + entry.begin, tensor.nbytes()) == 0,
               "the bytes of the file");
    }
    const std::string written = format_safetensors_header(header.tensors, header.metadata);
    const SafetensorsHeader again = parse_safetensors_header(written + std::string(data), path.string());
    ensure(again.tensors.size() == header.tensors.size() && again.metadata == header.metadata,
           "what was read to be written and read again");
  });
}

}  // namespace attnlab
