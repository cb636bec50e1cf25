#include "models/decoder_options.h"

#include "core/error.h"

namespace attnlab {
namespace {

/// The first rule that the sizes break, as a sentence; "" where they agree.
std::string contradiction(const DecoderOptions& o) {
  if (o.heads < 1 || o.dim < 1) return "";  // their own bounds say so
  const int64_t kv_heads = o.kv_heads ? o.kv_heads : o.heads;
  if (o.head_dim == 0 && o.dim % o.heads != 0)
    return fmt::format("{} heads do not divide a model width of {}, and no head size is given", o.heads,
                       o.dim);
  if (o.heads % kv_heads != 0)
    return fmt::format("{} key-value heads do not divide {} query heads", kv_heads, o.heads);
  const int64_t d = o.head_dim ? o.head_dim : o.dim / o.heads;
  if (d % 2 != 0) return fmt::format("rotary positions need an even head size, not {}", d);
  return o.attention->contradiction(o, kv_heads);
}

}  // namespace

void DecoderOptions::visit(Fields& f) {
  f("vocabulary", vocabulary, Range{0, 1 << 24}, "token ids are below it; 0: the tokenizer's");
  f("dim", dim, Range{1, 65536}, "model width D");
  f("ffn_dim", ffn_dim, Range{1, 1 << 20}, "inner width F of the feed-forward network (SwiGLU)");
  f("layers", layers, Range{1, most_layers}, "layers of attention and feed-forward");
  f("heads", heads, Range{1, 1024}, "query heads H");
  f("kv_heads", kv_heads, Range{0, 1024},
    "key-value heads, each shared by heads / kv_heads query heads (Ainslie et al. 2023); 0: as many as "
    "heads");
  f("head_dim", head_dim, Range{0, 4096}, "width of a head; 0: dim / heads");
  f("norm_eps", norm_eps, Range{0, 1}, "added to the mean square in RMSNorm");
  f("rope_theta", rope_theta, Range{1, 1e12},
    "base of the rotary frequencies (Su et al. 2021, arXiv 2104.09864)");
  f("max_positions", max_positions, Range{1, 1 << 30}, "positions that the model is trained for");
  f("sliding_window", sliding_window, Range{0, 1 << 30},
    "keys that a query may see, itself included (Mistral 7B, arXiv 2310.06825); 0: all");
  f("tied_embeddings", tied_embeddings, "the output projection is the embedding table");
  f("attention", attention, "what the tokens of a text read of those before them");
  const std::string wrong = contradiction(*this);
  f.require(wrong.empty(), "heads", wrong);
}

DecoderOptions DecoderOptions::resolved() const {
  const std::string wrong = contradiction(*this);
  if (!wrong.empty()) throw UserError(wrong);
  DecoderOptions o = *this;
  if (o.kv_heads == 0) o.kv_heads = heads;
  if (o.head_dim == 0) o.head_dim = dim / heads;
  return o;
}

}  // namespace attnlab
