#include "tasks/progress_file.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/files.h"
#include "core/json_map.h"
#include "core/json_text.h"

namespace attnlab {

using nlohmann::json;

namespace {

/// Null where it is not there. It was written at once: one that lacks something was damaged by others.
json read_if_there(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  json kept = read_json_map(file, "is damaged; --fresh starts the run over");
  for (const char* part : {"identity", "rows"})
    if (!kept.contains(part) || !kept[part].is_object() || !kept.contains("done"))
      user_error("{} is damaged: it lacks what a task left there; --fresh starts the run over",
                 file.string());
  return kept;
}

}  // namespace

ProgressFile::ProgressFile(std::filesystem::path file, std::map<std::string, std::string> identity,
                           std::vector<std::string> tables)
    : file_(std::move(file)), identity_(std::move(identity)), tables_(std::move(tables)) {}

json ProgressFile::open(RecordSink& record) const {
  const json kept = read_if_there(file_);
  if (!kept.is_null())
    for (const auto& [name, checksum] : identity_)
      if (kept.at("identity").value(name, std::string()) != checksum)
        user_error("the {} is not the one with which this run began ({}); --fresh starts it over", name,
                   file_.string());
  for (const std::string& table : tables_)
    record.truncate(table, kept.is_null() ? 0 : kept.at("rows").value(table, int64_t{0}));
  return kept.is_null() ? json() : kept.at("done");
}

void ProgressFile::save(const json& done, RecordSink& record) const {
  record.flush();
  json rows = json::object();
  for (const std::string& table : tables_) rows[table] = record.rows(table);
  std::filesystem::create_directories(file_.parent_path());
  write_atomically(file_, json_text(json{{"identity", identity_}, {"rows", rows}, {"done", done}}));
}

json json_of_rows(const std::vector<std::vector<double>>& rows) {
  json all = json::array();
  for (const auto& row : rows) {
    json one = json::array();
    for (const double x : row) one.push_back(std::isnan(x) ? json() : json(x));
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<std::vector<double>> rows_of_json(const json& rows) {
  std::vector<std::vector<double>> all;
  for (const json& row : rows) {
    all.emplace_back();
    for (const json& x : row)
      all.back().push_back(x.is_null() ? std::numeric_limits<double>::quiet_NaN() : x.get<double>());
  }
  return all;
}

}  // namespace attnlab
