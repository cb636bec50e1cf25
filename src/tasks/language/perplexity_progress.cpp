#include "tasks/language/perplexity_progress.h"

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace attnlab {
namespace {

using Json = nlohmann::json;

Json to_json(const ScoredDocument& d) {
  return {d.index,       d.id,          d.length,    d.chunks, d.score.tokens,
          d.score.bytes, d.score.words, d.score.nll, d.seconds};
}

ScoredDocument document_of(const Json& j) {
  return {j.at(0), j.at(1), j.at(2), j.at(3), {j.at(4), j.at(5), j.at(6), j.at(7)}, j.at(8)};
}

}  // namespace

PerplexityProgress PerplexityProgress::open(const ProgressFile& file, PositionCurve empty,
                                            RecordSink& record) {
  PerplexityProgress progress{.documents = {}, .curve = std::move(empty)};
  const Json kept = file.open(record);
  if (kept.is_null()) return progress;
  progress.next = kept.at("next");
  progress.chunks_done = kept.at("chunks_done");
  progress.tokens_read = kept.at("tokens_read");
  progress.seconds = kept.at("seconds");
  progress.cache_bytes = kept.at("cache_bytes");
  for (const Json& d : kept.at("documents")) progress.documents.push_back(document_of(d));
  const Json& curve = kept.at("curve");
  if (curve.size() != progress.curve.ranges().size())
    user_error("position_ranges has changed since this run began ({}); --fresh starts it over",
               file.path().string());
  for (std::size_t i = 0; i < curve.size(); ++i) {
    progress.curve.ranges()[i].tokens = curve[i].at(0);
    progress.curve.ranges()[i].nll = curve[i].at(1);
  }
  return progress;
}

void PerplexityProgress::save(const ProgressFile& file, RecordSink& record) const {
  Json curve = Json::array(), done = Json::array();
  for (const auto& range : this->curve.ranges()) curve.push_back({range.tokens, range.nll});
  for (const ScoredDocument& d : documents) done.push_back(to_json(d));
  file.save({{"next", next},
             {"chunks_done", chunks_done},
             {"tokens_read", tokens_read},
             {"seconds", seconds},
             {"cache_bytes", cache_bytes},
             {"documents", done},
             {"curve", curve}},
            record);
}

std::vector<DocumentScore> PerplexityProgress::scores() const {
  std::vector<DocumentScore> all;
  for (const ScoredDocument& d : documents) all.push_back(d.score);
  return all;
}

}  // namespace attnlab
