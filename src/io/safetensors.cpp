#include "io/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/atomic_writer.h"
#include "core/error.h"

namespace attnlab {
namespace {

constexpr std::array<std::pair<const char*, torch::ScalarType>, 10> types{{
    {"F64", torch::kFloat64},
    {"F32", torch::kFloat32},
    {"F16", torch::kFloat16},
    {"BF16", torch::kBFloat16},
    {"I64", torch::kInt64},
    {"I32", torch::kInt32},
    {"I16", torch::kInt16},
    {"I8", torch::kInt8},
    {"U8", torch::kUInt8},
    {"BOOL", torch::kBool},
}};

std::string dtype_of(const std::string& name, const torch::Tensor& tensor) {
  for (const auto& [text, type] : types)
    if (type == tensor.scalar_type()) return text;
  ensure(false, "a type that safetensors can hold in '{}', not {}", name,
         c10::toString(tensor.scalar_type()));
  return {};
}

torch::ScalarType type_of(const SafetensorsEntry& entry) {
  for (const auto& [text, type] : types)
    if (text == entry.dtype) return type;
  return torch::kByte;  // unreachable: the header was checked
}

/// Larger elements first, so that each tensor lies at a multiple of its element's size (as the reference
/// does).
NamedTensors aligned_order(NamedTensors tensors) {
  std::stable_sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });
  return tensors;
}

}  // namespace

void save_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                      const Metadata& metadata) {
  const NamedTensors ordered = aligned_order(tensors);
  std::vector<SafetensorsEntry> entries;
  uint64_t at = 0;
  for (const auto& [name, tensor] : ordered) {
    const auto bytes = static_cast<uint64_t>(tensor.numel() * tensor.element_size());
    entries.push_back({name, dtype_of(name, tensor), tensor.sizes().vec(), at, at + bytes});
    at += bytes;
  }
  AtomicWriter out(path);
  out.write(format_safetensors_header(entries, metadata));
  for (const auto& [name, tensor] : ordered) {
    const torch::Tensor host = tensor.detach().to(torch::kCPU).contiguous();
    out.write({static_cast<const char*>(host.const_data_ptr()), host.nbytes()});
  }
  out.commit();
}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  SafetensorsFile file;
  file.path_ = path.string();
  try {
    file.file_ = std::make_shared<MappedFile>(path);
  } catch (const RunError& failure) {
    throw UserError(failure.what());  // a file that the user named and that cannot be opened
  }
  file.header_ = parse_safetensors_header(file.file_->bytes(), file.path_);
  for (std::size_t i = 0; i < file.header_.tensors.size(); ++i) file.index_[file.header_.tensors[i].name] = i;
  return file;
}

const SafetensorsEntry* SafetensorsFile::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &header_.tensors[found->second];
}

torch::Tensor SafetensorsFile::tensor(const std::string& name) const {
  const SafetensorsEntry* entry = find(name);
  if (!entry) user_error("{} holds no tensor '{}'", path_, name);
  const torch::ScalarType type = type_of(*entry);
  const std::string_view bytes =
      file_->bytes().substr(header_.data_start + entry->begin, entry->end - entry->begin);
  if (bytes.empty()) return torch::empty(entry->shape, type);
  // A file may put a tensor at any byte; a view must lie at a multiple of its element's size.
  if (reinterpret_cast<uintptr_t>(bytes.data()) % static_cast<uintptr_t>(c10::elementSize(type)) != 0) {
    torch::Tensor copy = torch::empty(entry->shape, type);
    std::memcpy(copy.mutable_data_ptr(), bytes.data(), bytes.size());
    return copy;
  }
  return torch::from_blob(
      const_cast<char*>(bytes.data()), entry->shape, [keep = file_](void*) {}, type);
}

}  // namespace attnlab
