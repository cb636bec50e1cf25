#include "data/prepared.h"

#include <bit>
#include <chrono>
#include <cstring>
#include <thread>
#include <type_traits>

#include "core/error.h"
#include "core/log.h"
#include "core/stop.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
static_assert(std::endian::native == std::endian::little, "prepared files are little-endian");

constexpr uint64_t kVersion = 1;
constexpr std::size_t kHashLength = 64;

struct Header {
  char magic[8] = {'a', 't', 't', 'n', 's', 'e', 'q', '\n'};
  uint64_t version = kVersion;
  uint64_t count = 0, id_bytes = 0, symbol_bytes = 0;
  char fingerprint[kHashLength] = {};
  char sha256[kHashLength] = {};
};
static_assert(std::is_trivially_copyable_v<Header> && sizeof(Header) == 168);

template <class T>
void put(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// The i-th number of an array that need not be aligned.
template <class T>
T get(std::string_view array, int64_t i) {
  T value;
  std::memcpy(&value, array.data() + static_cast<std::size_t>(i) * sizeof value, sizeof value);
  return value;
}

/// The i-th of the pieces that lie end to end in `bytes`.
std::string_view piece(std::string_view bytes, std::string_view ends, int64_t i) {
  const uint64_t begin = i == 0 ? 0 : get<uint64_t>(ends, i - 1);
  return bytes.substr(begin, get<uint64_t>(ends, i) - begin);
}

std::string_view take(std::string_view& rest, uint64_t size) {
  const std::string_view taken = rest.substr(0, size);
  rest.remove_prefix(size);
  return taken;
}

/// Why `bytes` is not a prepared file made from this source, or from any where none is named; empty when it
/// is.
std::string fault(std::string_view bytes, std::string_view fingerprint, Header& header) {
  if (bytes.size() < sizeof header) return "is cut short";
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, Header().magic, sizeof header.magic) != 0)
    return "is not a prepared data file";
  if (header.version != kVersion)
    return fmt::format("has format version {}, not {}", header.version, kVersion);
  const uint64_t payload = bytes.size() - sizeof header;
  constexpr uint64_t kPerExample = 2 * sizeof(uint64_t) + sizeof(int32_t);
  // each part alone first, so that damaged counts cannot overflow the sum
  if (header.count > payload / kPerExample || header.id_bytes > payload || header.symbol_bytes > payload ||
      header.count * kPerExample + header.id_bytes + header.symbol_bytes != payload)
    return "is cut short or damaged";
  if (sha256(bytes.substr(sizeof header)) != std::string_view(header.sha256, kHashLength))
    return "is damaged";
  if (!fingerprint.empty() && fingerprint != std::string_view(header.fingerprint, kHashLength))
    return "was made from other source files";
  return "";
}

/// Waits for the lock, looking every 50 ms.
FileLock wait_for_lock(const fs::path& path) {
  bool told = false;
  for (;;) {
    if (auto lock = FileLock::try_acquire(path)) return std::move(*lock);
    if (!std::exchange(told, true))
      log_info("waiting for another process that prepares {}", path.stem().string());
    stop_here_if_requested();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

std::shared_ptr<PreparedSequences> PreparedSequences::open(const fs::path& file, std::string_view fingerprint,
                                                           std::string& reason) {
  ensure(fingerprint.size() == kHashLength, "a fingerprint of {} characters", kHashLength);
  return open_as(file, fingerprint, reason);
}

std::shared_ptr<PreparedSequences> PreparedSequences::open_carried(const fs::path& file,
                                                                   std::string& reason) {
  return open_as(file, "", reason);
}

std::shared_ptr<PreparedSequences> PreparedSequences::open_as(const fs::path& file,
                                                              std::string_view fingerprint,
                                                              std::string& reason) {
  reason.clear();
  if (!fs::exists(file)) return nullptr;
  std::shared_ptr<PreparedSequences> data(new PreparedSequences(MappedFile(file)));
  Header header;
  const std::string_view bytes = data->file_.bytes();
  reason = fault(bytes, fingerprint, header);
  if (!reason.empty()) return nullptr;

  data->count_ = static_cast<int64_t>(header.count);
  data->sha256_ = bytes.substr(offsetof(Header, sha256), kHashLength);
  std::string_view rest = bytes.substr(sizeof header);
  data->id_ends_ = take(rest, header.count * sizeof(uint64_t));
  data->symbol_ends_ = take(rest, header.count * sizeof(uint64_t));
  data->labels_ = take(rest, header.count * sizeof(int32_t));
  data->ids_ = take(rest, header.id_bytes);
  data->symbols_ = rest;
  return data;
}

std::span<const uint8_t> PreparedSequences::symbols(int64_t i) const {
  const std::string_view bytes = piece(symbols_, symbol_ends_, i);
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

int32_t PreparedSequences::label(int64_t i) const { return get<int32_t>(labels_, i); }

std::string_view PreparedSequences::id(int64_t i) const { return piece(ids_, id_ends_, i); }

std::string serialize(const std::vector<SequenceExample>& examples, std::string_view fingerprint) {
  ensure(fingerprint.size() == kHashLength, "a fingerprint of {} characters", kHashLength);
  Header header;
  header.count = examples.size();
  std::string payload;
  for (const auto& e : examples) put(payload, header.id_bytes += e.id.size());
  for (const auto& e : examples) put(payload, header.symbol_bytes += e.symbols.size());
  payload.reserve(payload.size() + header.count * sizeof(int32_t) + header.id_bytes + header.symbol_bytes);
  for (const auto& e : examples) put(payload, e.label);
  for (const auto& e : examples) payload += e.id;
  for (const auto& e : examples) payload += e.symbols;
  fingerprint.copy(header.fingerprint, kHashLength);
  sha256(payload).copy(header.sha256, kHashLength);
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += payload;
  return bytes;
}

FileLock lock_prepared(const fs::path& file) {
  std::error_code failed;
  fs::create_directories(file.parent_path(), failed);
  if (failed) run_error("cannot create the folder {}: {}", file.parent_path().string(), failed.message());
  return wait_for_lock(file.string() + ".lock");
}

std::shared_ptr<PreparedSequences> open_or_prepare(
    const fs::path& file, const std::string& fingerprint,
    const std::function<std::vector<SequenceExample>()>& make) {
  std::string reason;
  if (auto data = PreparedSequences::open(file, fingerprint, reason)) return data;

  const FileLock lock = lock_prepared(file);
  if (auto data = PreparedSequences::open(file, fingerprint, reason)) return data;  // made while we waited
  if (!reason.empty()) log_info("{} {}: preparing it again", file.string(), reason);
  write_atomically(file, serialize(make(), fingerprint));
  auto data = PreparedSequences::open(file, fingerprint, reason);
  if (!data) run_error("{} {} although it has just been written", file.string(), reason);
  return data;
}

}  // namespace attnlab
