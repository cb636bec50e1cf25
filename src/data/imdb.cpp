#include "data/imdb.h"

#include <algorithm>
#include <future>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/plain_text.h"
#include "core/shown.h"
#include "core/stop.h"
#include "data/prepared.h"
#include "data/subset.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

struct SourceFile {
  std::string id;
  int32_t label;
  fs::path path;
  uint64_t size;
  int64_t written;  ///< when, in the file clock's ticks
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
  for (const fs::path& path : files_in(folder, ".txt")) {
    const uint64_t size = fs::file_size(path, failed);
    const auto written = failed ? fs::file_time_type() : fs::last_write_time(path, failed);
    if (failed) run_error("cannot read {}: {}", path.string(), failed.message());
    files.push_back({half + "/" + name + "/" + shown_name(path.stem().string()), label, path, size,
                     static_cast<int64_t>(written.time_since_epoch().count())});
  }
  if (files.empty())
    user_error("the IMDb folder {} holds no reviews (*.txt); scripts/fetch_data imdb fetches them",
               folder.string());
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return files;
}

/// Both classes of "train" or "test". Listing takes 0.1 s: cheap enough to do at each start, and it finds
/// files added, lost, renamed, cut short or written since.
std::vector<SourceFile> list_half(const DataPlace& place, const std::string& half) {
  auto files = list_class(place, half, "neg", 0);
  for (auto& file : list_class(place, half, "pos", 1)) files.push_back(std::move(file));
  return files;
}

std::string fingerprint_of(const std::vector<SourceFile>& files) {
  std::string listing;
  for (const auto& file : files) listing += fmt::format("{} {} {}\n", file.id, file.size, file.written);
  return sha256(listing);
}

std::vector<SequenceExample> read_all(const std::vector<SourceFile>& files, const std::string& half) {
  std::vector<SequenceExample> examples;
  std::size_t bytes = 0;
  StrayBytes stray;
  for (const auto& file : files) {
    stop_here_if_requested();
    std::string text = plain_text(read_file(file.path), file.path.string());
    if (text.empty())
      user_error(
          "the review {} is empty: was the download cut short? scripts/fetch_data imdb fetches it again",
          file.path.string());
    bytes += text.size();
    stray.look_at(text, file.path.string());
    examples.push_back({file.id, file.label, std::move(text)});
  }
  log_info("imdb: prepared {} {} reviews, {} bytes", examples.size(), half, bytes);
  stray.tell((half + " reviews").c_str(), "read as they are");
  return examples;
}

std::shared_ptr<PreparedSequences> open_half(const DataPlace& place, const std::string& half,
                                             const std::vector<SourceFile>& files) {
  return open_or_prepare(place.cache / ("imdb-" + half + ".seq"), fingerprint_of(files),
                         [&] { return read_all(files, half); });
}

fs::path carried(const DataPlace& place, const std::string& half) {
  return place.root / "imdb" / "prepared" / (half + ".seq");
}

std::shared_ptr<PreparedSequences> open_carried(const DataPlace& place, const std::string& half) {
  const fs::path file = carried(place, half);
  std::string reason;
  auto data = PreparedSequences::open_carried(file, reason);
  if (!data)
    user_error("{} {}", file.string(), reason.empty() ? "is not there, and the other half is" : reason);
  log_info("imdb: the reviews themselves are not here; read as {} holds them, {} of {}", file.string(),
           data->size(), half);
  return data;
}

/// The publisher's two halves, worked on side by side: listing, reading and hashing 25,000 reviews each is
/// most of a run's start. What goes wrong in both is told of train.
struct Halves {
  std::vector<SourceFile> train_files, test_files;
  std::shared_ptr<PreparedSequences> train, test;

  explicit Halves(const DataPlace& place) {
    if (!fs::exists(home(place)) &&
        (fs::exists(carried(place, "train")) || fs::exists(carried(place, "test")))) {
      train = open_carried(place, "train");
      test = open_carried(place, "test");
      return;
    }
    side_by_side([&] { train_files = list_half(place, "train"); },
                 [&] { test_files = list_half(place, "test"); });
    // Only now, so that a folder that is missing is told of before minutes are spent on the other half.
    side_by_side([&] { train = open_half(place, "train", train_files); },
                 [&] { test = open_half(place, "test", test_files); });
  }

 private:
  template <class First, class Second>
  static void side_by_side(First first, Second second) {
    auto other = std::async(std::launch::async, second);
    first();
    other.get();
  }
};

/// The first `count` of an order; all for 0.
std::vector<int64_t> first(std::vector<int64_t> order, int64_t count) {
  if (count > 0 && count < static_cast<int64_t>(order.size())) order.resize(static_cast<std::size_t>(count));
  return order;
}

}  // namespace

void ImdbOptions::visit(Fields& f) {
  f("validation_fraction", validation_fraction, Range{0, 0.9},
    "share of the publisher's training half held out to select on; stratified by class, chosen by a hash of "
    "the review's id");
  f("validation_seed", validation_seed, Range{0, 1e9}, "which reviews are held out");
  f("train_on_held_out", train_on_held_out,
    "train on the reviews that are held out as well, all 25,000 of the publisher's training half: validation "
    "then selects nothing, and the last update is evaluated (train.evaluate_with: last)");
  f("train_examples", train_examples, Range{0, 25000},
    "train on this many reviews only, class-balanced and chosen by hash; 0: all");
  f("test_examples", test_examples, Range{0, 25000},
    "test on this many reviews only, class-balanced, always the same; 0: all 25,000");
}

LabelledSplits ImdbOptions::open(const DataPlace& place) const {
  const Halves halves(place);
  const auto order = balanced_order(*halves.train, static_cast<uint64_t>(validation_seed));
  auto parts = hold_out(*halves.train, order, validation_fraction);
  for (const auto& [part, purpose] : {std::pair(&parts.rest, "train"), std::pair(&parts.held, "select")})
    if (part->empty())
      user_error("validation_fraction {} of {} training reviews leaves none to {} on", validation_fraction,
                 halves.train->size(), purpose);
  if (train_on_held_out) parts.rest = order;
  return {select(halves.train, first(std::move(parts.rest), train_examples)),
          select(halves.train, std::move(parts.held)),
          select(halves.test, first(balanced_order(*halves.test, 0), test_examples)),
          sha256(fmt::format("{}{}", halves.train->content_sha256(), halves.test->content_sha256()))};
}

std::vector<uint8_t> ImdbOptions::encode(std::string_view text) const { return {text.begin(), text.end()}; }

}  // namespace attnlab
