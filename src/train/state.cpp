#include "train/state.h"

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace attnlab {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Interval, updates, tokens, loss, gradient_norm, seconds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Stopwatches, steps, harness, validation, checkpoints)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Validation, value, standard_error, loss, n)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainState, seed, update, micro_batch, examples, tokens, interval, seconds,
                                   validated_update, best_update, best, validations_without_better, rows)

std::string to_text(const TrainState& state) { return nlohmann::json(state).dump(); }

TrainState state_from_text(const std::string& text, const std::string& file) {
  try {
    return nlohmann::json::parse(text).get<TrainState>();
  } catch (const nlohmann::json::exception& failure) {
    user_error("{} does not hold the state of a training run: {}", file, failure.what());
  }
}

}  // namespace attnlab
