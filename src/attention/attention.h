// Bidirectional attention: one contract for all, whatever their cost and whether they carry a state.
//
// Shapes: B batch, N queries, M context positions, D model width, L rows of the carried state (Luna's P).
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>

#include "core/options.h"

namespace attnlab {

using torch::Tensor;

/// What the layer that owns an attention says about itself.
struct AttentionShape {
  int64_t dim = 0;    ///< D
  int64_t heads = 1;  ///< H; divides D
  int64_t max_length =
      0;                 ///< longest sequence; only fixed-length attentions (Linformer, Synthesizer) need it
  double dropout = 0.0;  ///< on attention weights
};

/// Padding masks: bool, true where a position is padding; undefined where there is none. Every sentence has
/// at least one position that is not (the encoder sees to it).
struct Masks {
  Tensor query_BN{};
  Tensor context_BM{};
  Tensor state_BL{};  ///< rows of the state that a sentence must not read, from state_extent()
};

/// How much of the carried state a batch uses.
struct StateExtent {
  int64_t rows = 0;  ///< the first rows of the state; the others are left out for the whole batch
  Tensor masked_BL;  ///< bool, true where a sentence must not read a row; undefined where all may be read
};

/// What attention weights take while a model computes, in bytes at batch 1: the part that decides at long
/// lengths whether a run fits a machine.
struct WeightMemory {
  double kept = 0;     ///< by each layer, from a training step's forward to its backward
  double passing = 0;  ///< beside that, while one layer computes
};

struct AttentionOutput {
  Tensor y_BND;
  Tensor state_BLD;  ///< the state's update before residual and norm (Luna's Y_P); undefined without a state
};

/// A context that queries to come read, step after step, as decoding does with a source; without dropout.
class OpenedContext {
 public:
  virtual ~OpenedContext() = default;
  /// What forward() would return as y for these queries, [B, N, D].
  virtual Tensor read(const Tensor& query_BND) = 0;
  /// The state's update as forward() would return it, before residual and norm; undefined without a state.
  virtual Tensor state_update() const { return {}; }
  /// Keeps these members of the batch, int64.
  virtual void select(const Tensor& members_B) = 0;
  /// Bytes held for all members.
  virtual int64_t bytes() const = 0;
};

/// An implementation names its output projection, where it has one, `output`; every other Linear in it counts
/// as an input projection when weights are initialised (models/initialise.h).
class AttentionImpl : public torch::nn::Module {
 public:
  /// forward(query [B,N,D], context [B,M,D], masks, state [B,L,D] or undefined). Rows of y at padded queries
  /// are unspecified but finite.
  virtual AttentionOutput forward(const Tensor& query_BND, const Tensor& context_BMD, const Masks& masks,
                                  const Tensor& state_BLD) = 0;
  /// Reads what of the context does not depend on the query. The default keeps the context and calls
  /// forward(); it is for attentions without a state, to which it is all one at which row a query stands.
  virtual std::unique_ptr<OpenedContext> open(const Tensor& context_BMD, const Masks& masks,
                                              const Tensor& state_BLD);
  /// Rows L of the state that the encoder carries from layer to layer; 0 for none.
  virtual int64_t state_length() const { return 0; }
  /// What of the state is used by a batch of sentences padded to n tokens; padding is bool [B, n] or
  /// undefined. The state handed to forward() has `rows` rows, and masks.state_BL is `masked_BL`.
  virtual StateExtent state_extent(const Tensor& padding_BN, int64_t n) const;
  /// Floating-point operations of one forward at batch 1, multiply and add counted apart, as really executed.
  virtual double flops(int64_t n, int64_t m) const = 0;
  /// The weights of n queries over m positions on `device`, in fp32, for estimates of what a run needs. The
  /// default, none to speak of, is right where memory grows with n alone.
  virtual WeightMemory weight_memory(int64_t n, int64_t m, torch::DeviceType device) const;
};

/// Options of one kind of attention; `type` in YAML picks it from the table in registry.cpp.
struct AttentionOptions : Component {
  /// A fresh module. Throws UserError where shape and options contradict each other.
  virtual std::shared_ptr<AttentionImpl> build(const AttentionShape& shape) const = 0;
  /// As the module's.
  virtual int64_t state_length() const { return 0; }
  /// Whether what a query reads depends on the row at which it stands, so that queries cannot come one by
  /// one.
  virtual bool counts_queries() const { return false; }
};

template <>
const std::vector<Entry<AttentionOptions>>& registry<AttentionOptions>();

}  // namespace attnlab
