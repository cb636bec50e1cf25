#include "models/generate.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "kernels/on_device.h"

namespace attnlab {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// What the decoder is fed next, on the host; columns are steps.
struct Feed {
  Tensor ids_BT, positions_BT, padding_BT;
};

/// Prompts from their id `read` on, padded on the left; `padding` is undefined where all are equally long.
Feed prompts_as_feed(const std::vector<std::vector<int64_t>>& prompts, int64_t read) {
  std::size_t longest = 0, shortest = prompts.front().size();
  for (const auto& prompt : prompts) {
    ensure(static_cast<int64_t>(prompt.size()) > read, "a prompt of more than {} ids", read);
    longest = std::max(longest, prompt.size());
    shortest = std::min(shortest, prompt.size());
  }
  const auto batch = static_cast<int64_t>(prompts.size()), t = static_cast<int64_t>(longest) - read;
  Feed feed{torch::zeros({batch, t}, torch::kLong), torch::zeros({batch, t}, torch::kLong),
            torch::ones({batch, t}, torch::kBool)};
  for (int64_t b = 0; b < batch; ++b) {
    const auto n = static_cast<int64_t>(prompts[b].size()) - read;
    feed.ids_BT[b].narrow(0, t - n, n).copy_(torch::tensor(prompts[b]).narrow(0, read, n));
    feed.positions_BT[b].narrow(0, t - n, n).copy_(torch::arange(read, read + n));
    feed.padding_BT[b].narrow(0, t - n, n).fill_(false);
  }
  if (shortest == longest) feed.padding_BT.reset();
  return feed;
}

Feed columns(const Feed& feed, int64_t first, int64_t count) {
  Tensor padding_BT;
  if (feed.padding_BT.defined()) padding_BT = feed.padding_BT.narrow(1, first, count);
  if (padding_BT.defined() && !padding_BT.any().item<bool>()) padding_BT.reset();
  return {feed.ids_BT.narrow(1, first, count), feed.positions_BT.narrow(1, first, count), padding_BT};
}

/// The decoder with its states, fed from the host.
class Reader {
 public:
  Reader(Decoder& decoder, DecoderState& states) : decoder_(decoder), states_(states) {}

  /// fp32 logits [B, V] after the last column, where the decoder is.
  Tensor read(const Feed& feed, const Tensor& surprisal_BT) {
    const torch::Device device = decoder_->tensors().device();
    const auto there = [&](const Tensor& x) { return x.defined() ? x.to(device) : x; };
    const Tensor hidden_BTD = decoder_->forward(there(feed.ids_BT), there(feed.positions_BT),
                                                there(feed.padding_BT), states_, there(surprisal_BT));
    return decoder_->logits(hidden_BTD.select(1, -1)).to(torch::kFloat).contiguous();
  }

 private:
  Decoder& decoder_;
  DecoderState& states_;
};

/// −log p of the one column of `feed` under the logits before it; 0 where there were none.
Tensor surprisal_column(const Tensor& logits_BV, const Feed& feed) {
  if (!logits_BV.defined()) return torch::zeros(feed.ids_BT.sizes());
  const auto there = [&](const Tensor& x_B1) { return x_B1.select(1, 0).to(logits_BV.device()); };
  const Tensor surprisal_B = surprisal_of(logits_BV, there(feed.ids_BT)).to(torch::kFloat);
  return surprisal_B.masked_fill(there(feed.positions_BT).le(0), 0.0).unsqueeze(1);
}

Tensor read_prompts(Reader& reader, const Feed& feed, const GenerateOptions& options) {
  if (!options.surprisal) return reader.read(feed, {});
  Tensor logits_BV;
  for (int64_t t = 0; t < feed.ids_BT.size(1); ++t) {
    if (options.each_step) options.each_step();
    const Feed column = columns(feed, t, 1);
    logits_BV = reader.read(column, surprisal_column(logits_BV, column));
  }
  return logits_BV;
}

/// A text on its way.
struct Text {
  Continuation made;
  Random random;
  int64_t position;  ///< of its newest token
  bool ended = false;
};

void go_on_with(Text& text, int64_t id, const GenerateOptions& options) {
  text.made.ids.push_back(id);
  ++text.position;
  text.ended = true;
  if (std::find(options.eos_ids.begin(), options.eos_ids.end(), id) != options.eos_ids.end())
    text.made.stopped_by = StoppedBy::eos;
  else if (static_cast<int64_t>(text.made.ids.size()) >= options.max_new_tokens)
    text.made.stopped_by = StoppedBy::max_new_tokens;
  else if (options.last_position >= 0 && text.position > options.last_position)
    text.made.stopped_by = StoppedBy::positions;  // chosen, but it cannot be read any more
  else
    text.ended = false;
}

/// The next token of every text that has not ended.
void choose_next(std::vector<Text>& texts, const Tensor& logits_BV, const GenerateOptions& options) {
  std::vector<double> uniforms;
  for (Text& text : texts) uniforms.push_back(text.ended ? 0.0 : text.random.uniform());
  const std::vector<int64_t> ids = choose_tokens(logits_BV, options.sampling, uniforms);
  for (std::size_t b = 0; b < texts.size(); ++b)
    if (!texts[b].ended) go_on_with(texts[b], ids[b], options);
}

Feed newest(const std::vector<Text>& texts) {
  const auto batch = static_cast<int64_t>(texts.size());
  Feed feed{torch::zeros({batch, 1}, torch::kLong), torch::zeros({batch, 1}, torch::kLong), {}};
  for (int64_t b = 0; b < batch; ++b) {
    feed.ids_BT[b][0] = texts[b].made.ids.back();
    feed.positions_BT[b][0] = texts[b].position;
    if (!texts[b].ended) continue;
    if (!feed.padding_BT.defined()) feed.padding_BT = torch::zeros({batch, 1}, torch::kBool);
    feed.padding_BT[b][0] = true;
  }
  return feed;
}

}  // namespace

std::string_view name_of(StoppedBy reason) {
  switch (reason) {
    case StoppedBy::eos:
      return "eos";
    case StoppedBy::max_new_tokens:
      return "max_new_tokens";
    case StoppedBy::positions:
      return "positions";
  }
  return "";
}

void read_ahead(Decoder& decoder, DecoderState& states, const std::vector<int64_t>& ids, int64_t read) {
  const torch::InferenceMode inference;
  const auto end = static_cast<int64_t>(ids.size());
  if (read == end) return;
  const torch::Tensor ids_1T =
      torch::tensor(ids).narrow(0, read, end - read).unsqueeze(0).to(decoder->tensors().device());
  const torch::Tensor positions_1T = torch::arange(read, end, ids_1T.options()).unsqueeze(0);
  decoder->forward(ids_1T, positions_1T, {}, states, {}, /*prompt_goes_on=*/true);
  wait_for(ids_1T.device());
}

Generated generate(Decoder& decoder, DecoderState& states, const std::vector<std::vector<int64_t>>& prompts,
                   const GenerateOptions& options) {
  ensure(!prompts.empty() && options.seeds.size() == prompts.size(), "a seed for each of {} prompts, not {}",
         prompts.size(), options.seeds.size());
  ensure(options.read == 0 || !options.surprisal, "no surprisal, which needs the logits of what was read");
  const torch::InferenceMode inference;
  Reader reader(decoder, states);
  Clock::time_point start = Clock::now();
  Tensor logits_BV = read_prompts(reader, prompts_as_feed(prompts, options.read), options);
  wait_for(logits_BV.device());
  Generated all;
  all.prompt_seconds = seconds_since(start);
  start = Clock::now();

  std::vector<Text> texts;
  for (std::size_t b = 0; b < prompts.size(); ++b)
    texts.push_back({{}, Random(options.seeds[b]), static_cast<int64_t>(prompts[b].size()) - 1});
  const auto going = [](const Text& text) { return !text.ended; };
  while (true) {
    choose_next(texts, logits_BV, options);
    if (std::none_of(texts.begin(), texts.end(), going)) break;
    if (options.each_step) options.each_step();
    const Feed feed = newest(texts);
    logits_BV = reader.read(feed, options.surprisal ? surprisal_column(logits_BV, feed) : Tensor());
  }
  all.seconds = seconds_since(start);
  for (Text& text : texts) all.texts.push_back(std::move(text.made));
  return all;
}

}  // namespace attnlab
