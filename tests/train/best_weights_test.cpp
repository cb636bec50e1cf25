// The best weights and the state that says which they are, whatever a kill leaves between the two.
#include "train/best_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "io/checkpoint.h"
#include "io/temporary.h"
#include "train/toy.h"

namespace attnlab {
namespace {

using testing::HasSubstr;

struct BestOfARun : testing::Test {
  /// Every weight of the model has the number of the update.
  void keep(int64_t update) {
    const torch::NoGradGuard no_grad;
    for (torch::Tensor& weight : model->parameters()) weight.fill_(update);
    state.best_update = state.update = update;
    best.keep(*model, state, "accuracy");
  }
  double taken(const TrainState& of) {
    best.take(*model, of);
    return model->named_parameters()["out.bias"][0].item<double>();
  }
  static TrainState with_best(int64_t update) {
    TrainState state;
    state.best_update = update;
    return state;
  }

  Temporary folder;
  Toy model{0.0};
  TrainState state;
  BestWeights best{folder.path(), true, {}};
};

TEST_F(BestOfARun, AreThoseOfTheSavedStateWhereNewerOnesWereNotCountedBeforeAKill) {
  keep(10);
  best.settle(state);
  keep(20);
  BestWeights(folder.path(), true, {}).settle(with_best(10));  // the next session
  EXPECT_EQ(taken(with_best(10)), 10);
  EXPECT_THROW(best.take(*model, with_best(20)), RunError);
}

TEST_F(BestOfARun, AreTheNewerOnesWhereTheStateThatCountsThemWasSaved) {
  keep(10);
  best.settle(state);
  keep(20);
  BestWeights(folder.path(), true, {}).settle(with_best(20));
  EXPECT_EQ(taken(with_best(20)), 20);
  EXPECT_EQ(weights_file(folder.path()), best_checkpoint(folder.path()));
}

TEST_F(BestOfARun, ThatSavesNothingStayInMemory) {
  BestWeights memory(folder.path(), false, {});
  keep(5);
  state.best_update = 5;
  memory.keep(*model, state, "accuracy");
  memory.settle(state);
  keep(6);
  memory.take(*model, with_best(5));
  EXPECT_EQ(model->named_parameters()["out.bias"][0].item<double>(), 5);
}

}  // namespace
}  // namespace attnlab
