#include "train/state.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_text.h"

namespace attnlab {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Interval, updates, tokens, loss, gradient_norm, seconds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Stopwatches, steps, harness, validation, checkpoints)

void to_json(nlohmann::json& json, const ValidationFigure& f) {
  json = {{"name", f.name}, {"value", f.value}};
}
void from_json(const nlohmann::json& json, ValidationFigure& f) {
  json.at("name").get_to(f.name);
  f.value = json.at("value").is_null() ? NAN : json.at("value").get<double>();
}

void to_json(nlohmann::json& json, const Validation& v) {
  json = {{"value", v.value}, {"standard_error", v.standard_error}, {"loss", v.loss}, {"n", v.n}};
  if (!v.figures.empty()) json["figures"] = v.figures;
}
void from_json(const nlohmann::json& json, Validation& v) {
  json.at("value").get_to(v.value);
  const auto& error = json.at("standard_error");
  v.standard_error =
      error.is_null() ? NAN : error.get<double>();  // JSON has no NaN: the error of one chunk alone
  json.at("loss").get_to(v.loss);
  json.at("n").get_to(v.n);
  v.figures = json.value("figures", std::vector<ValidationFigure>());
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainState, seed, update, micro_batch, examples, tokens, interval, seconds,
                                   validated_update, best_update, best, validations_without_better, rows)

std::string to_text(const TrainState& state) {
  nlohmann::json json(state);
  if (!state.snapshots.empty()) json["snapshots"] = state.snapshots;
  return json_text(json);
}

TrainState state_from_text(const std::string& text, const std::string& file) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    TrainState state = json.get<TrainState>();
    state.snapshots = json.value("snapshots", std::vector<int64_t>());
    return state;
  } catch (const nlohmann::json::exception& failure) {
    user_error("{} does not hold the state of a training run: {}", file, failure.what());
  }
}

}  // namespace attnlab
