#include "data/imdb.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "core/stop.h"
#include "data/prepared.h"
#include "data/subset.h"
#include "data/utf8.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

struct SourceFile {
  std::string id;
  int32_t label;
  fs::path path;
  uint64_t size;
};

fs::path home(const DataPlace& place) { return place.root / "imdb" / "aclImdb"; }

/// The reviews of one class folder, sorted by id.
std::vector<SourceFile> list_class(const DataPlace& place, const std::string& half, const std::string& name,
                                   int32_t label) {
  const fs::path folder = home(place) / half / name;
  if (!fs::is_directory(folder))
    user_error("the IMDb data set has no folder {}; scripts/fetch_data imdb fetches it", folder.string());
  std::vector<SourceFile> files;
  std::error_code failed;
  fs::directory_iterator listing(folder, failed);
  if (failed) run_error("cannot list {}: {}", folder.string(), failed.message());
  for (const auto& found : listing) {
    if (found.path().extension() != ".txt") continue;
    const uint64_t size = found.file_size(failed);
    if (failed) run_error("cannot read {}: {}", found.path().string(), failed.message());
    files.push_back({half + "/" + name + "/" + found.path().stem().string(), label, found.path(), size});
  }
  if (files.empty())
    user_error("the IMDb folder {} holds no reviews (*.txt); scripts/fetch_data imdb fetches them",
               folder.string());
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return files;
}

/// Both classes of "train" or "test". Listing takes 0.1 s a half: cheap enough to do at each start, and it
/// finds files added, lost, renamed or cut short.
std::vector<SourceFile> list_half(const DataPlace& place, const std::string& half) {
  auto files = list_class(place, half, "neg", 0);
  for (auto& file : list_class(place, half, "pos", 1)) files.push_back(std::move(file));
  return files;
}

std::string fingerprint_of(const std::vector<SourceFile>& files) {
  std::string listing;
  for (const auto& file : files) listing += fmt::format("{} {}\n", file.id, file.size);
  return sha256(listing);
}

std::vector<SequenceExample> read_all(const std::vector<SourceFile>& files, const std::string& half) {
  std::vector<SequenceExample> examples;
  std::size_t bytes = 0, not_utf8 = 0;
  for (const auto& file : files) {
    stop_here_if_requested();
    std::string text = read_file(file.path);
    if (text.empty())
      user_error(
          "the review {} is empty: was the download cut short? scripts/fetch_data imdb fetches it again",
          file.path.string());
    bytes += text.size();
    not_utf8 += !is_utf8(text);
    examples.push_back({file.id, file.label, std::move(text)});
  }
  log_info("imdb: prepared {} {} reviews, {} bytes", examples.size(), half, bytes);
  if (not_utf8 > 0)
    log_info("imdb: {} {} reviews are not UTF-8; their bytes are read as they are", not_utf8, half);
  return examples;
}

std::shared_ptr<PreparedSequences> open_half(const DataPlace& place, const std::string& half) {
  const auto files = list_half(place, half);
  return open_or_prepare(place.cache / ("imdb-" + half + ".seq"), fingerprint_of(files),
                         [&] { return read_all(files, half); });
}

/// The first `count` of an order; all for 0.
std::vector<int64_t> first(std::vector<int64_t> order, int64_t count) {
  if (count > 0 && count < static_cast<int64_t>(order.size())) order.resize(static_cast<std::size_t>(count));
  return order;
}

}  // namespace

void ImdbOptions::visit(Fields& f) {
  f("validation_fraction", validation_fraction, Range{0, 0.9},
    "share of the publisher's training half held out to select on; stratified by class, chosen by a hash of "
    "the "
    "review's id");
  f("validation_seed", validation_seed, Range{0, 1e9}, "which reviews are held out");
  f("train_examples", train_examples, Range{0, 25000},
    "train on this many reviews only, class-balanced and chosen by hash; 0: all");
  f("test_examples", test_examples, Range{0, 25000},
    "test on this many reviews only, class-balanced, always the same; 0: all 25,000");
}

std::shared_ptr<LabelledSequences> ImdbOptions::open(Split split, const DataPlace& place) const {
  if (split == Split::test) {
    auto data = open_half(place, "test");
    return select(data, first(balanced_order(*data, 0), test_examples));
  }
  auto data = open_half(place, "train");
  const auto order = balanced_order(*data, static_cast<uint64_t>(validation_seed));
  auto parts = hold_out(*data, order, validation_fraction);
  if (split == Split::train && parts.rest.empty())
    user_error("validation_fraction {} of {} training reviews leaves none to train on", validation_fraction,
               data->size());
  if (split == Split::train) return select(data, first(std::move(parts.rest), train_examples));
  if (parts.held.empty())
    user_error("validation_fraction {} of {} training reviews leaves none to select on", validation_fraction,
               data->size());
  return select(data, std::move(parts.held));
}

std::vector<uint8_t> ImdbOptions::encode(std::string_view text) const { return {text.begin(), text.end()}; }

std::string ImdbOptions::checksum(const DataPlace& place) const {
  std::string hashes;
  for (const char* half : {"train", "test"}) hashes += open_half(place, half)->content_sha256();
  return sha256(hashes);
}

}  // namespace attnlab
