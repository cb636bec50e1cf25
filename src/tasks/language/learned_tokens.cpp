#include "tasks/language/learned_tokens.h"

#include <algorithm>

#include "core/error.h"
#include "kernels/on_device.h"

namespace attnlab {

LearnedTokens LearnedTokens::to(torch::Device device) const {
  const auto there = [device](const torch::Tensor& x) { return x.defined() ? on_device(x, device) : x; };
  return {there(ids_BT), there(learned_N), read, there(real_BT)};
}

LearnedTokens all_learned(const std::vector<std::vector<int64_t>>& texts) {
  const auto columns = static_cast<int64_t>(texts.front().size());
  torch::Tensor ids = torch::empty({static_cast<int64_t>(texts.size()), columns}, torch::kLong);
  auto* out = ids.mutable_data_ptr<int64_t>();
  for (const auto& text : texts) {
    ensure(static_cast<int64_t>(text.size()) == columns, "texts of one length");
    out = std::ranges::copy(text, out).out;
  }
  return {ids, {}, ids.size(0) * (columns - 1)};
}

LearnedTokens ends_learned(const std::vector<std::vector<int64_t>>& texts,
                           const std::vector<int64_t>& learned) {
  size_t longest = 0;
  for (const auto& text : texts) longest = std::max(longest, text.size());
  torch::Tensor ids = torch::zeros({std::ssize(texts), static_cast<int64_t>(longest)}, torch::kLong);
  torch::Tensor real = torch::zeros({ids.size(0), ids.size(1) - 1});
  std::vector<int64_t> places;
  int64_t read = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    std::ranges::copy(texts[i], ids.mutable_data_ptr<int64_t>() + i * longest);
    // What follows place t is token t + 1.
    const auto row = static_cast<int64_t>(i * (longest - 1)), end = std::ssize(texts[i]) - 1;
    for (int64_t t = end - learned[i]; t < end; ++t) places.push_back(row + t);
    std::fill_n(real.mutable_data_ptr<float>() + row, end, 1.0F);
    read += end;
  }
  return {ids, torch::tensor(places), read, real};
}

}  // namespace attnlab
