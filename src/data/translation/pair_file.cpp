#include "data/translation/pair_file.h"

#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>

#include "core/error.h"
#include "core/log.h"
#include "data/prepared.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
static_assert(std::endian::native == std::endian::little, "prepared files are little-endian");

constexpr uint64_t kPairVersion = 1;
constexpr std::size_t kPairHash = 64;
constexpr std::string_view kPairMagic = "attnpair";
constexpr std::size_t kPairHead = kPairMagic.size() + sizeof kPairVersion;
constexpr int64_t kNarrowVocabulary = int64_t{1} << 16;

struct Trailer {
  uint64_t pairs = 0, id_bytes = 2, ids_size = 0, note_size = 0, vocabulary = 0;
  char fingerprint[kPairHash] = {};
  char sha256[kPairHash] = {};
};
static_assert(std::is_trivially_copyable_v<Trailer> && sizeof(Trailer) == 168);
constexpr std::size_t kSummed = offsetof(Trailer, fingerprint);  ///< bytes of it under the sum

template <class T>
T number_at(std::string_view array, uint64_t i) {
  T value;
  std::memcpy(&value, array.data() + i * sizeof value, sizeof value);
  return value;
}

template <class T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

template <class T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// Whether the parts that the trailer announces fill the file: each part alone first, so that damaged numbers
/// cannot overflow the sum.
bool parts_fit(const Trailer& t, uint64_t payload) {
  constexpr uint64_t each = sizeof(uint64_t) + sizeof(int32_t);
  return (t.id_bytes == 2 || t.id_bytes == 4) && t.pairs <= payload / each && t.ids_size <= payload &&
         t.note_size <= payload && t.ids_size % t.id_bytes == 0 &&
         t.pairs * each + t.ids_size + t.note_size == payload;
}

/// Why `bytes` is not a prepared file made from these sources; empty when it is.
std::string fault_of_pairs(std::string_view bytes, std::string_view fingerprint, Trailer& trailer) {
  if (bytes.size() < kPairHead + sizeof trailer) return "is cut short";
  if (!bytes.starts_with(kPairMagic)) return "is no file of prepared pairs";
  if (const auto version = number_at<uint64_t>(bytes.substr(kPairMagic.size()), 0); version != kPairVersion)
    return fmt::format("has format version {}, not {}", version, kPairVersion);
  std::memcpy(&trailer, bytes.data() + bytes.size() - sizeof trailer, sizeof trailer);
  if (!parts_fit(trailer, bytes.size() - kPairHead - sizeof trailer)) return "is cut short or damaged";
  if (sha256(bytes.substr(0, bytes.size() - sizeof trailer + kSummed)) !=
      std::string_view(trailer.sha256, kPairHash))
    return "is damaged";
  if (fingerprint != std::string_view(trailer.fingerprint, kPairHash)) return "was made from other sources";
  return "";
}

/// Whether every pair has both sides and together they are all the ids.
bool lengths_fit(std::string_view ends, std::string_view source_lengths, const Trailer& trailer) {
  uint64_t begin = 0;
  for (uint64_t i = 0; i < trailer.pairs; ++i) {
    const auto end = number_at<uint64_t>(ends, i);
    const auto source = number_at<int32_t>(source_lengths, i);
    if (source < 1 || end <= begin || end - begin <= static_cast<uint64_t>(source)) return false;
    begin = end;
  }
  return begin == trailer.ids_size / trailer.id_bytes;
}

}  // namespace

std::shared_ptr<PairFile> PairFile::open(const fs::path& file, std::string_view fingerprint,
                                         std::string& reason) {
  reason.clear();
  if (!fs::exists(file)) return nullptr;
  std::shared_ptr<PairFile> data(new PairFile(MappedFile(file)));
  const std::string_view bytes = data->file_.bytes();
  Trailer trailer;
  reason = fault_of_pairs(bytes, fingerprint, trailer);
  if (!reason.empty()) return nullptr;

  std::string_view rest = bytes.substr(kPairHead);
  const auto take = [&rest](uint64_t size) {
    const std::string_view taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  };
  data->count_ = static_cast<int64_t>(trailer.pairs);
  data->wide_ = trailer.id_bytes == 4;
  data->ids_ = take(trailer.ids_size);
  data->note_ = take(trailer.note_size);
  data->ends_ = take(trailer.pairs * sizeof(uint64_t));
  data->source_lengths_ = take(trailer.pairs * sizeof(int32_t));
  data->sha256_ = bytes.substr(bytes.size() - kPairHash);
  if (lengths_fit(data->ends_, data->source_lengths_, trailer)) return data;
  reason = "has lengths that its ids do not have";
  return nullptr;
}

uint64_t PairFile::begin(int64_t i) const {
  return i == 0 ? 0 : number_at<uint64_t>(ends_, static_cast<uint64_t>(i) - 1);
}

int64_t PairFile::source_length(int64_t i) const {
  return number_at<int32_t>(source_lengths_, static_cast<uint64_t>(i));
}

int64_t PairFile::target_length(int64_t i) const {
  return static_cast<int64_t>(begin(i + 1) - begin(i)) - source_length(i);
}

void PairFile::copy(uint64_t first, int64_t count, std::vector<int64_t>& ids) const {
  ids.resize(static_cast<std::size_t>(count));
  for (std::size_t k = 0; k < ids.size(); ++k)
    ids[k] = wide_ ? number_at<int32_t>(ids_, first + k) : number_at<uint16_t>(ids_, first + k);
}

void PairFile::source(int64_t i, std::vector<int64_t>& ids) const { copy(begin(i), source_length(i), ids); }

void PairFile::target(int64_t i, std::vector<int64_t>& ids) const {
  copy(begin(i) + static_cast<uint64_t>(source_length(i)), target_length(i), ids);
}

PairFileWriter::PairFileWriter(const fs::path& file, int64_t vocabulary)
    : file_(file), vocabulary_(vocabulary) {
  write(kPairMagic);
  write(bytes_of(kPairVersion));
}

void PairFileWriter::write(std::string_view bytes) {
  sum_.add(bytes);
  file_.write(bytes);
}

void PairFileWriter::flush() {
  write(waiting_);
  waiting_.clear();
}

void PairFileWriter::put(const std::vector<int64_t>& ids) {
  ensure(!ids.empty() && ids.back() == TranslationVocabulary::eos, "a sentence that ends with EOS");
  for (const int64_t id : ids) {
    ensure(id >= 0 && id < vocabulary_, "ids below {}, not {}", vocabulary_, id);
    const auto narrow = static_cast<uint16_t>(id);
    const auto wide = static_cast<int32_t>(id);
    waiting_ += vocabulary_ <= kNarrowVocabulary ? bytes_of(narrow) : bytes_of(wide);
  }
  total_ += ids.size();
}

void PairFileWriter::add(const std::vector<int64_t>& source, const std::vector<int64_t>& target) {
  constexpr std::size_t most = 1 << 20;
  put(source);
  put(target);
  ends_.push_back(total_);
  source_lengths_.push_back(static_cast<int32_t>(source.size()));
  if (waiting_.size() > most) flush();
}

void PairFileWriter::finish(std::string_view note, std::string_view fingerprint) {
  ensure(fingerprint.size() == kPairHash, "a fingerprint of {} characters", kPairHash);
  flush();
  Trailer trailer;
  trailer.pairs = ends_.size();
  trailer.id_bytes = vocabulary_ <= kNarrowVocabulary ? 2 : 4;
  trailer.ids_size = total_ * trailer.id_bytes;
  trailer.note_size = note.size();
  trailer.vocabulary = static_cast<uint64_t>(vocabulary_);
  write(note);
  write(bytes_of(ends_));
  write(bytes_of(source_lengths_));
  sum_.add(bytes_of(trailer).substr(0, kSummed));
  fingerprint.copy(trailer.fingerprint, kPairHash);
  sum_.hex().copy(trailer.sha256, kPairHash);
  file_.write(bytes_of(trailer));
  file_.commit();
}

std::shared_ptr<PairFile> open_or_write_pairs(const fs::path& file, const std::string& fingerprint,
                                              int64_t vocabulary,
                                              const std::function<std::string(PairFileWriter&)>& make) {
  std::string reason;
  if (auto data = PairFile::open(file, fingerprint, reason)) return data;

  const FileLock lock = lock_prepared(file);
  if (auto data = PairFile::open(file, fingerprint, reason)) return data;  // made while we waited
  if (!reason.empty()) log_info("{} {}: preparing it again", file.string(), reason);
  PairFileWriter writer(file, vocabulary);
  const std::string note = make(writer);
  writer.finish(note, fingerprint);
  auto data = PairFile::open(file, fingerprint, reason);
  if (!data) run_error("{} {} although it has just been written", file.string(), reason);
  return data;
}

}  // namespace attnlab
