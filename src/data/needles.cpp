#include "data/needles.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "core/error.h"
#include "core/random.h"
#include "data/text_files.h"

namespace attnlab {
namespace {

#include "data/needle_words.inc"

enum class Hay { noise, essay, needles };
enum class Magic { words, numbers, uuids };

/// A row of RULER's synthetic.yaml; there is one value a key, and one key is asked for.
struct NeedleRecipe {
  const char* name;
  Hay hay;
  Magic keys, values;
  int64_t needles;
};

constexpr NeedleRecipe kRecipes[] = {{"single_1", Hay::noise, Magic::words, Magic::numbers, 1},
                                     {"single_2", Hay::essay, Magic::words, Magic::numbers, 1},
                                     {"single_3", Hay::essay, Magic::words, Magic::uuids, 1},
                                     {"multikey_1", Hay::essay, Magic::words, Magic::numbers, 4},
                                     {"multikey_2", Hay::needles, Magic::words, Magic::numbers, 1},
                                     {"multikey_3", Hay::needles, Magic::uuids, Magic::uuids, 1}};

const NeedleRecipe& recipe_of(NeedleVariant variant) { return kRecipes[static_cast<std::size_t>(variant)]; }

constexpr const char* kNoise =
    "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.";

std::string draw_uuid(Random& random) {
  const uint64_t high = (random.next() & ~uint64_t{0xf000}) | 0x4000;               // version 4
  const uint64_t low = (random.next() & ~(uint64_t{3} << 62)) | uint64_t{1} << 63;  // RFC 4122
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff, high & 0xffff,
                     low >> 48, low & 0xffff'ffff'ffff);
}

std::string draw_magic(Magic kind, Random& random) {
  if (kind == Magic::numbers) return std::to_string(1'000'000 + random.below(9'000'000));
  if (kind == Magic::uuids) return draw_uuid(random);
  const auto adjective = needle_adjectives[random.below(std::size(needle_adjectives))];
  return fmt::format("{}-{}", adjective, needle_nouns[random.below(std::size(needle_nouns))]);
}

std::string needle_sentence(Magic values, const std::string& key, const std::string& value) {
  return fmt::format("One of the special magic {} for {} is: {}.",
                     values == Magic::uuids ? "uuids" : "numbers", key, value);
}

/// Where needles stand, as shares of the haystack: the first one's is `depth` per cent unless that is drawn.
/// Between sentences RULER draws different ones of 40 depths, np.round(np.linspace(0, 100, 40)), between
/// lines any line.
std::vector<double> draw_places(const NeedleRecipe& recipe, int64_t depth, Random& random) {
  if (recipe.hay != Hay::essay) return {depth < 0 ? random.uniform() : static_cast<double>(depth) / 100};
  std::vector<int64_t> depths;
  for (int i = 0; i < 40; ++i) depths.push_back(std::lround(i * 100 / 39.0));
  std::erase(depths, depth);
  shuffle(std::span(depths), random);
  if (depth >= 0) depths.insert(depths.begin(), depth);
  std::vector<double> places;
  for (int64_t i = 0; i < recipe.needles; ++i)
    places.push_back(static_cast<double>(depths[static_cast<std::size_t>(i)]) / 100);
  return places;
}

/// One sample, its haystack in any size. What is drawn for a purpose has a stream of its own.
class NeedleDraw {
 public:
  NeedleDraw(const NeedleOptions& o, const Essay* essay, int64_t index)
      : recipe_(recipe_of(o.variant)), essay_(essay), line_random_(stream(o, "needle lines", index)) {
    Random magic = stream(o, "needles", index), places = stream(o, "needle places", index);
    for (const double place : draw_places(recipe_, o.depth, places)) {
      const std::string new_key = draw_key(magic), new_value = draw_magic(recipe_.values, magic);
      if (needles_.empty()) key = new_key, value = new_value, place_ = place;
      needles_.push_back({place, needle_sentence(recipe_.values, new_key, new_value)});
    }
    std::ranges::stable_sort(needles_, {}, &Needle::place);
  }

  std::string haystack(int64_t units) { return essay_ ? sentences(units) : lines(units); }
  /// Of the needle that is asked for.
  double depth(int64_t units) const {
    const int64_t all = essay_ ? essay_->sentences(units) : units;
    return static_cast<double>(position(place_, all)) / static_cast<double>(all);
  }

  std::string key, value;

 private:
  struct Needle {
    double place;
    std::string text;
  };
  static Random stream(const NeedleOptions& o, const char* purpose, int64_t index) {
    return Random(derive_seed(static_cast<uint64_t>(o.seed), purpose, static_cast<uint64_t>(index)));
  }
  static int64_t position(double place, int64_t all) {
    return static_cast<int64_t>(static_cast<double>(all) * place);
  }

  std::string draw_key(Random& random) {
    for (;;)
      if (std::string drawn = draw_magic(recipe_.keys, random); keys_.insert(drawn).second) return drawn;
  }

  const std::string& line(int64_t i) {
    while (static_cast<int64_t>(lines_.size()) <= i) {
      const std::string its_key = draw_key(line_random_);
      lines_.push_back(needle_sentence(recipe_.values, its_key, draw_magic(recipe_.values, line_random_)));
    }
    return lines_[static_cast<std::size_t>(i)];
  }

  std::string lines(int64_t count) {
    const int64_t at = position(place_, count);
    std::string text;
    for (int64_t i = 0; i <= count; ++i) {
      if (i == at) text += needles_.front().text + "\n";
      if (i < count) text += (recipe_.hay == Hay::noise ? kNoise : line(i)) + "\n";
    }
    text.pop_back();
    return text;
  }

  /// A needle that stands before or behind all sentences has a second space on that side, as in RULER, which
  /// joins what is empty too.
  std::string sentences(int64_t words) const {
    const int64_t all = essay_->sentences(words);
    std::string text;
    int64_t done = 0;
    for (const Needle& needle : needles_) {
      const int64_t at = position(needle.place, all);
      text.append(essay_->part(done, at, words)).append(" ").append(needle.text).append(" ");
      done = at;
    }
    return text.append(essay_->part(done, all, words));
  }

  const NeedleRecipe& recipe_;
  const Essay* essay_;
  Random line_random_;
  std::vector<Needle> needles_;  ///< in the order of their places
  double place_ = 0;
  std::set<std::string> keys_;      ///< none is drawn twice
  std::vector<std::string> lines_;  ///< of a haystack of needles, as far as they were needed
};

struct Filling {
  int64_t units, tokens;
};

/// The units of which one more would exceed `most` tokens; `tokens_of` counts a number of units, each of
/// which is at least a token. `one` of them fits.
Filling fill(int64_t most, Filling one, const std::function<int64_t(int64_t)>& tokens_of) {
  constexpr int64_t kProbe = 64, kPatience = 12;
  Filling fits = one;
  double per_unit = 1;  // by the last count
  for (int64_t too_many = most + 1, tries = 0; fits.units + 1 < too_many; ++tries) {
    const auto ahead = static_cast<int64_t>(static_cast<double>(most - fits.tokens) / per_unit);
    const int64_t guess = tries == 0          ? kProbe
                          : tries < kPatience ? fits.units + ahead
                                              : (fits.units + too_many) / 2;
    const Filling tried{std::clamp(guess, fits.units + 1, too_many - 1), 0};
    const int64_t tokens = tokens_of(tried.units);
    per_unit = std::max(
        1.0, static_cast<double>(tokens - one.tokens) / static_cast<double>(tried.units - one.units));
    if (tokens <= most)
      fits = {tried.units, tokens};
    else
      too_many = tried.units;
  }
  return fits;
}

}  // namespace

void NeedleOptions::visit(Fields& f) {
  f("variant", variant,
    {{"single_1", NeedleVariant::single_1},
     {"single_2", NeedleVariant::single_2},
     {"single_3", NeedleVariant::single_3},
     {"multikey_1", NeedleVariant::multikey_1},
     {"multikey_2", NeedleVariant::multikey_2},
     {"multikey_3", NeedleVariant::multikey_3}},
    "RULER's task: a number in one repeated line (single_1) or an essay (single_2), a UUID in an essay "
    "(single_3), one of 4 needles in an essay (multikey_1), of a haystack of needles (multikey_2; of UUIDs "
    "multikey_3)");
  f("length", length, Range{needle_answer_tokens + 1, 1e6},
    "tokens of a prompt with 128 of its answer, by the model's tokenizer (RULER: 4,096 to 131,072)");
  f("samples", samples, Range{1, 1e6}, "questions (RULER: 500)");
  f("seed", seed, Range{0, 1e9}, "which needles are drawn (RULER: 42)");
  f("depth", depth, Range{-1, 100},
    "where the needle stands, in per cent of the haystack; -1: drawn, as in RULER");
  f("essays", essays, OneOf{},
    "folder of .txt files, or one file, that essays are taken from, beginning with the first; empty: PG-19's "
    "test books (RULER: essays of Paul Graham)");
}

std::string NeedleOptions::task() const { return fmt::format("niah_{}", recipe_of(variant).name); }

bool NeedleOptions::reads_essays() const { return recipe_of(variant).hay == Hay::essay; }

NeedleFrame needle_frame(NeedleVariant variant, const std::string& key) {
  // RULER's template for many, with the replacements that it makes where one value is asked for.
  const char* magic = recipe_of(variant).values == Magic::uuids ? "uuid" : "number";
  return {
      fmt::format("A special magic {0} is hidden within the following text. Make sure to memorize it. I will "
                  "quiz you about the {0} afterwards.\n",
                  magic),
      fmt::format("\nWhat is the special magic {} for {} mentioned in the provided text?", magic, key),
      fmt::format(" The special magic {} for {} mentioned in the provided text is", magic, key)};
}

std::shared_ptr<const Essay> needle_essay(const NeedleOptions& options, const DataPlace& place) {
  if (!options.reads_essays()) return nullptr;
  TextFilesOptions named;
  named.path = options.essays;
  const auto texts =
      options.essays.empty()
          ? open_text_files(
                place.root / "pg19" / "test",
                fmt::format("; {} hides its needles in running text, for which PG-19's test books "
                            "serve (scripts/fetch_data pg19) or what `essays` names",
                            options.task()))
          : named.open(place);
  return std::make_shared<const Essay>(*texts, options.length);
}

NeedleSet::NeedleSet(NeedleOptions options, Tokenizer tokenizer, const DataPlace& place,
                     int64_t template_tokens)
    : options_(std::move(options)),
      tokenizer_(std::move(tokenizer)),
      template_tokens_(template_tokens),
      essay_(needle_essay(options_, place)) {}

NeedleSample NeedleSet::read(int64_t i) const {
  ensure(0 <= i && i < size(), "a sample of {}, not {}", size(), i);
  NeedleDraw draw(options_, essay_.get(), i);
  const NeedleFrame frame = needle_frame(options_.variant, draw.key);
  const auto tokens_of = [&](int64_t units) {
    const std::string prompt = frame.before + draw.haystack(units) + frame.after + frame.answer_prefix;
    return static_cast<int64_t>(tokenizer_.encode(prompt, false, SpecialTokens::as_text).size());
  };
  const int64_t around = template_tokens_ + needle_answer_tokens;
  const Filling one{1, tokens_of(1)};
  if (one.tokens + around > options_.length)
    user_error(
        "{} needs a length of {} tokens at least: {} of the shortest prompt by {}, {} of the answer, {} of "
        "the chat format; length is {}",
        options_.task(), one.tokens + around, one.tokens, tokenizer_.path(), needle_answer_tokens,
        template_tokens_, options_.length);
  const auto [units, tokens] = fill(options_.length - around, one, tokens_of);
  return {fmt::format("{}-{}", options_.task(), i),
          draw.key,
          draw.haystack(units),
          frame,
          {draw.value},
          draw.depth(units),
          tokens};
}

}  // namespace attnlab
