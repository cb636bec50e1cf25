#include "data/translation/fairseq_file.h"

#include <cstring>

#include "core/error.h"
#include "data/translation/pairs.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic{"MMIDIDX\0\0", 9};
constexpr std::size_t version_at = 9, type_at = 17, count_at = 18, lengths_at = 26;

template <class T>
T value_at(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// Bytes of an id by the type's code; negative for a signed one; 0: no type of integers.
int bytes_of_type(uint8_t code) {
  constexpr int types[] = {0, 1, -1, -2, -4, -8, 0, 0, 2, 4, 8};
  return code < std::size(types) ? types[code] : 0;
}

MappedFile mapped(const fs::path& file) {
  if (!fs::is_regular_file(file))
    user_error("there is no file {}; fairseq-preprocess --dataset-impl mmap writes it", file.string());
  return MappedFile(file);
}

fs::path beside(const fs::path& stem, const char* extension) { return stem.string() + extension; }

}  // namespace

FairseqFile::FairseqFile(const fs::path& stem, int64_t vocabulary)
    : index_name_(beside(stem, ".idx").string()),
      bytes_name_(beside(stem, ".bin").string()),
      index_(mapped(index_name_)),
      bytes_(mapped(bytes_name_)) {
  read_header();
  check_places();
  check_ids(vocabulary);
}

void FairseqFile::read_header() {
  const std::string_view index = index_.bytes();
  if (index.starts_with("TNTIDX"))
    user_error(
        "{} is of fairseq's older format; fairseq-preprocess --dataset-impl mmap writes the one that is read",
        index_name_);
  if (!index.starts_with(magic)) user_error("{} is no index of fairseq's memory-mapped format", index_name_);
  if (index.size() < lengths_at) user_error("{} is cut short", index_name_);
  if (const auto version = value_at<uint64_t>(index, version_at); version != 1)
    user_error("{} has version {} of fairseq's memory-mapped format, not 1", index_name_, version);
  const auto type = value_at<uint8_t>(index, type_at);
  id_bytes_ = std::abs(bytes_of_type(type));
  is_signed_ = bytes_of_type(type) < 0;
  if (id_bytes_ == 0) user_error("{} has ids of type {}, which is no type of integers", index_name_, type);
  const auto count = value_at<uint64_t>(index, count_at);
  constexpr std::size_t each = sizeof(int32_t) + sizeof(int64_t);
  if (count > index.size() / each || lengths_at + count * each != index.size())
    user_error("{} is cut short or damaged: {} bytes are not those of {} sentences", index_name_,
               index.size(), count);
  count_ = static_cast<int64_t>(count);
}

int64_t FairseqFile::length(int64_t i) const {
  return value_at<int32_t>(index_.bytes(), lengths_at + static_cast<std::size_t>(i) * sizeof(int32_t));
}

int64_t FairseqFile::offset(int64_t i) const {
  const auto offsets_at = lengths_at + static_cast<std::size_t>(count_) * sizeof(int32_t);
  return value_at<int64_t>(index_.bytes(), offsets_at + static_cast<std::size_t>(i) * sizeof(int64_t));
}

/// Sentences lie end to end and fill the .bin.
void FairseqFile::check_places() const {
  int64_t end = 0;
  const auto size = static_cast<int64_t>(bytes_.bytes().size());
  for (int64_t i = 0; i < count_; ++i) {
    if (length(i) < 1 || offset(i) != end || length(i) > (size - end) / id_bytes_)
      user_error(
          "{}: sentence {} has {} tokens at byte {}, where {} has {} bytes and the sentence before ends at "
          "{}",
          index_name_, i, length(i), offset(i), bytes_name_, size, end);
    end += length(i) * id_bytes_;
  }
  if (end != size) user_error("{} has {} bytes where its index has {}", bytes_name_, size, end);
}

int64_t FairseqFile::id_at(std::size_t byte) const {
  const std::string_view bytes = bytes_.bytes();
  switch (id_bytes_) {
    case 1:
      return is_signed_ ? value_at<int8_t>(bytes, byte) : value_at<uint8_t>(bytes, byte);
    case 2:
      return is_signed_ ? value_at<int16_t>(bytes, byte) : value_at<uint16_t>(bytes, byte);
    case 4:
      return is_signed_ ? value_at<int32_t>(bytes, byte) : value_at<uint32_t>(bytes, byte);
    default:
      return value_at<int64_t>(bytes, byte);
  }
}

void FairseqFile::check_ids(int64_t vocabulary) const {
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < count_; ++i) {
    read(i, ids);
    for (const int64_t id : ids) {
      if (id < 0 || id >= vocabulary)
        user_error("{}: sentence {} holds the id {}, and the dictionary has {}: was another one used?",
                   bytes_name_, i, id, vocabulary);
      if (id == TranslationVocabulary::bos || id == TranslationVocabulary::pad)
        user_error("{}: sentence {} holds {} ({}), which no sentence of fairseq-preprocess has", bytes_name_,
                   i, id == TranslationVocabulary::pad ? "<pad>" : "<s>", id);
    }
    if (ids.back() != TranslationVocabulary::eos)
      user_error("{}: sentence {} does not end with </s> ({})", bytes_name_, i, TranslationVocabulary::eos);
  }
}

void FairseqFile::read(int64_t i, std::vector<int64_t>& ids) const {
  ids.resize(static_cast<std::size_t>(length(i)));
  auto byte = static_cast<std::size_t>(offset(i));
  for (int64_t& id : ids) {
    id = id_at(byte);
    byte += static_cast<std::size_t>(id_bytes_);
  }
}

}  // namespace attnlab
