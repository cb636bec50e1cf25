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

Json to_json(const KeptChunk& chunk) {
  Json layers = Json::array(), classes = Json::array();
  for (const KeptLayer& l : chunk.layers)
    layers.push_back({l.layer, l.life, l.censored, l.first_life, l.steps, l.recent});
  for (const KeptClass& c : chunk.classes) classes.push_back({c.tokens, c.life});
  return {chunk.tokens, layers, classes};
}

KeptChunk chunk_of(const Json& j) {
  KeptChunk chunk{j.at(0), {}, {}};
  for (const Json& l : j.at(1))
    chunk.layers.push_back({l.at(0), l.at(1), l.at(2), l.at(3), l.at(4), l.at(5)});
  for (const Json& c : j.at(2)) chunk.classes.push_back({c.at(0), c.at(1)});
  return chunk;
}

}  // namespace

PerplexityProgress PerplexityProgress::open(const ProgressFile& file, PositionCurve empty,
                                            RecordSink& record) {
  PerplexityProgress progress{.documents = {}, .curve = std::move(empty), .kept = {}};
  const Json kept = file.open(record);
  if (kept.is_null()) return progress;
  progress.next = kept.at("next");
  progress.chunks_done = kept.at("chunks_done");
  progress.tokens_read = kept.at("tokens_read");
  progress.seconds = kept.at("seconds");
  progress.cache_bytes = kept.at("cache_bytes");
  for (const Json& d : kept.at("documents")) progress.documents.push_back(document_of(d));
  for (const Json& chunk : kept.value("kept", Json::array())) progress.kept.push_back(chunk_of(chunk));
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
  Json curve = Json::array(), done = Json::array(), lives = Json::array();
  for (const auto& range : this->curve.ranges()) curve.push_back({range.tokens, range.nll});
  for (const ScoredDocument& d : documents) done.push_back(to_json(d));
  for (const KeptChunk& chunk : kept) lives.push_back(to_json(chunk));
  file.save({{"next", next},
             {"chunks_done", chunks_done},
             {"tokens_read", tokens_read},
             {"seconds", seconds},
             {"cache_bytes", cache_bytes},
             {"documents", done},
             {"curve", curve},
             {"kept", lives}},
            record);
}

std::vector<DocumentScore> PerplexityProgress::scores() const {
  std::vector<DocumentScore> all;
  for (const ScoredDocument& d : documents) all.push_back(d.score);
  return all;
}

}  // namespace attnlab
