#include "tasks/language/perplexity_progress.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/json_text.h"

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

void check_identity(const Json& kept, const std::map<std::string, std::string>& identity,
                    const std::filesystem::path& file) {
  for (const auto& [name, checksum] : identity)
    if (kept.value(name, std::string()) != checksum)
      user_error("the {} is not the one with which this run began ({}); --fresh starts it over", name,
                 file.string());
}

}  // namespace

PerplexityProgress PerplexityProgress::open(const std::filesystem::path& file,
                                            const std::map<std::string, std::string>& identity,
                                            PositionCurve empty, RecordSink& record,
                                            std::vector<std::string> tables) {
  PerplexityProgress progress{.documents = {}, .curve = std::move(empty), .tables = std::move(tables)};
  Json kept;
  if (std::filesystem::exists(file)) {
    kept = Json::parse(read_file(file));
    check_identity(kept.at("identity"), identity, file);
    progress.next = kept.at("next");
    progress.chunks_done = kept.at("chunks_done");
    progress.tokens_read = kept.at("tokens_read");
    progress.seconds = kept.at("seconds");
    progress.cache_bytes = kept.at("cache_bytes");
    for (const Json& d : kept.at("documents")) progress.documents.push_back(document_of(d));
    const Json& curve = kept.at("curve");
    if (curve.size() == progress.curve.ranges().size())
      for (std::size_t i = 0; i < curve.size(); ++i) {
        progress.curve.ranges()[i].tokens = curve[i].at(0);
        progress.curve.ranges()[i].nll = curve[i].at(1);
      }
    else
      user_error("position_ranges has changed since this run began ({}); --fresh starts it over",
                 file.string());
  }
  for (const std::string& table : progress.tables)
    record.truncate(table, kept.is_null() ? 0 : kept.at("rows").value(table, int64_t{0}));
  return progress;
}

void PerplexityProgress::save(const std::filesystem::path& file,
                              const std::map<std::string, std::string>& identity, RecordSink& record) const {
  record.flush();
  Json rows = Json::object(), curve = Json::array(), done = Json::array();
  for (const std::string& table : tables) rows[table] = record.rows(table);
  for (const auto& range : this->curve.ranges()) curve.push_back({range.tokens, range.nll});
  for (const ScoredDocument& d : documents) done.push_back(to_json(d));
  std::filesystem::create_directories(file.parent_path());
  write_atomically(file, json_text(Json{{"identity", identity},
                                        {"next", next},
                                        {"chunks_done", chunks_done},
                                        {"tokens_read", tokens_read},
                                        {"seconds", seconds},
                                        {"cache_bytes", cache_bytes},
                                        {"documents", done},
                                        {"curve", curve},
                                        {"rows", rows}}));
}

std::vector<DocumentScore> PerplexityProgress::scores() const {
  std::vector<DocumentScore> all;
  for (const ScoredDocument& d : documents) all.push_back(d.score);
  return all;
}

}  // namespace attnlab
