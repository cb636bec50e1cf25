// What a bounded cache kept of a text and for how long (Oren et al. 2024, their analysis of the tokens that
// are kept), from the expiry of every token: pure functions, without a model or a text.
//
// The life of a token is the number of steps in which it was attended to, its own step counted:
// expiry − position + 1. What was kept to the end lives until then, as the paper counts it, although it might
// have lived on: such lives are censored. A cache that always keeps k of n tokens so gives the mean life
// (k + 1) (1 − k / 2n) whatever it drops: what differs is who lives long.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace attnlab {

/// The expiry of a chunk's tokens, [layers, groups, tokens], the last dimension running fastest: the position
/// of the last token that could attend to each token, −1 where that was kept to the end.
struct Expiry {
  std::span<const int64_t> values;
  std::span<const int64_t> layers;  ///< their numbers in the model
  int64_t groups = 1;               ///< of heads that drop apart
  int64_t tokens = 0;
};

/// Sums of a layer over a chunk or several, each a mean over the layer's groups of heads.
struct KeptLayer {
  int64_t layer = 0;
  double life = 0;        ///< steps, over all tokens
  double censored = 0;    ///< tokens kept to the end
  double first_life = 0;  ///< steps, of the first token
  /// Over the steps after which anything had been dropped: how many there were, and which share of the n live
  /// states was among the n most recent tokens. Where k states are kept, n is k and those are the steps when
  /// more than k tokens had been read.
  double steps = 0, recent = 0;
};

/// Tokens of a class, and their lives in steps, each a mean over layers and groups.
struct KeptClass {
  int64_t tokens = 0;
  double life = 0;
};

struct KeptChunk {
  int64_t tokens = 0;
  std::vector<KeptLayer> layers;
  std::vector<KeptClass> classes;  ///< empty where tokens have none
};

/// `classes`: of each token, from 0 and below `class_count`; empty where they are not known.
KeptChunk kept_chunk(const Expiry& expiry, std::span<const int64_t> classes, int64_t class_count);

/// A figure over chunks. The standard error is over chunks, which are taken as a sample (those of one book
/// are alike, so that it is rather too small); NaN for fewer than two.
struct KeptFigure {
  double value = 0;           ///< NaN where there is nothing behind it
  double standard_error = 0;  ///< of a ratio of sums, linearised (Cochran 1977, §6.4)
  int64_t chunks = 0;         ///< that have something of it
};

/// Steps, mean over tokens, layers and groups.
KeptFigure mean_life(std::span<const KeptChunk> chunks);
/// 0–1: of the n states that are live after a step the share that is among the n most recent tokens; mean
/// over the steps after which anything had been dropped, layers and groups.
KeptFigure recent_share(std::span<const KeptChunk> chunks);
/// Steps, mean over chunks, layers and groups.
KeptFigure first_life(std::span<const KeptChunk> chunks);
/// The same as a share of the chunk: 1 where the first token is always kept.
KeptFigure first_life_share(std::span<const KeptChunk> chunks);
/// 0–1: tokens whose life is censored, mean over tokens, layers and groups.
KeptFigure censored_share(std::span<const KeptChunk> chunks);
/// Steps, mean over the tokens of a class, layers and groups.
KeptFigure class_life(std::span<const KeptChunk> chunks, std::size_t of_class);

/// The sums of every layer over the chunks.
std::vector<KeptLayer> sum_of_layers(std::span<const KeptChunk> chunks);
int64_t tokens_of(std::span<const KeptChunk> chunks);
int64_t tokens_of_class(std::span<const KeptChunk> chunks, std::size_t of_class);

}  // namespace attnlab
