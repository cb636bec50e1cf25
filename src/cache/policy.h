// Cache policies: which state goes when there is one too many. A policy scores states; everything that all
// policies share (the choice of the lowest, ties, protected states, capacities) lives in lane.h.
//
// A lane is what decides together: all heads of a layer of one sequence, or one key-value head of it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/options.h"
#include "kernels/slot_figures.h"

namespace attnlab {

class Afterlife;

/// What a policy sees of a lane after its newest token has attended. The spans are by slot: slots are reused
/// in any order, and hold no state where `order` is −1.
struct StepView {
  int64_t time = 0;       ///< tokens that the sequence had read before the newest
  int64_t newest = 0;     ///< slot of the newest token
  int64_t live = 0;       ///< states held, the newest included
  int64_t remaining = 0;  ///< tokens still to come before states are dropped; 0 when they are dropped now
  /// The how-manieth token of its sequence a state is, from 0.
  std::span<const int64_t> order = {};
  /// Softmax weights of the newest query, mean over the lane's query heads. A head's weights tell states
  /// apart down to e^−153 of its largest in the native kernels, and to e^−745 in steps composed of Torch's
  /// operators; below, they are 0. Anything at all where PolicyNeeds::weights is false.
  std::span<const double> weights = {};
  /// What `PolicyNeeds::figure` asks for; empty unless needed.
  std::span<const double> figures = {};
  /// L2 norms of the keys, mean over the lane's key-value heads; empty unless needed.
  std::span<const double> key_norms = {};
  /// −log p of the token when it was read, nats; empty unless needed.
  std::span<const double> surprisal = {};
};

class Policy {
 public:
  virtual ~Policy() = default;
  /// One number a slot, larger for what should stay; read where a state is live. Called after every token,
  /// also while nothing need go, so that a policy can accumulate. The span lives until the next call.
  virtual std::span<const double> scores(const StepView& view) = 0;
  /// What was in slot `from` is now in slot `to`.
  virtual void move(int64_t /*from*/, int64_t /*to*/) {}
  /// From now on there are so many slots.
  virtual void resize(int64_t /*slots*/) {}
  /// Beside keys and values, where it is more than a few numbers a state.
  virtual int64_t bytes() const { return 0; }
  virtual std::unique_ptr<Policy> clone() const = 0;
};

/// clone() for the policy P.
template <class P>
class CloneablePolicy : public Policy {
  std::unique_ptr<Policy> clone() const final { return std::make_unique<P>(static_cast<const P&>(*this)); }
};

enum class Heads { layer_wise, head_wise };

/// What becomes of a state that is dropped.
enum class Dropped { forgotten, merged, summarised };

/// Rules that the operators can apply without asking the policy (kernels/bounded_operators.h).
enum class PlainRule { none, lowest_weight, oldest };

/// What a policy asks of the caches that run it.
struct PolicyNeeds {
  bool weights = true;  ///< the view's weights, or figures that are made of them
  bool key_norms = false;
  SlotFigure figure = SlotFigure::none;  ///< made of keys or values at every token
  bool surprisal = false;  ///< known only after the token before has passed all layers: decoding steps only
  bool prefill_only = false;  ///< drops once, after the prompt; what comes later is kept
  Dropped dropped = Dropped::forgotten;
  PlainRule plain = PlainRule::none;  ///< what the policy does, where it is one of these
};

/// What a policy is built for.
struct PolicyShape {
  int64_t size = 0;           ///< k: states kept
  int64_t protect_first = 0;  ///< that of these the policy does not choose
  uint64_t seed = 0;          ///< of this layer and head
};

struct PolicyOptions : Component {
  Heads heads = Heads::layer_wise;
  void visit(Fields&) override {}
  virtual PolicyNeeds needs() const { return {}; }
  /// True for the policy that keeps everything.
  virtual bool unbounded() const { return false; }
  virtual std::unique_ptr<Policy> build(const PolicyShape& shape) const = 0;
  /// What becomes of the states that it drops; null where they are forgotten (PolicyNeeds::dropped says the
  /// same).
  virtual std::unique_ptr<Afterlife> afterlife() const;

 protected:
  void visit_heads(Fields& f) {
    f("heads", heads, {{"layer_wise", Heads::layer_wise}, {"head_wise", Heads::head_wise}},
      "layer_wise: all heads of a layer drop the same state; head_wise: each key-value head its own");
  }
};

template <>
const std::vector<Entry<PolicyOptions>>& registry<PolicyOptions>();

}  // namespace attnlab
