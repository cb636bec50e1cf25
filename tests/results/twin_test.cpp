// metrics.jsonl holds all that run.h5 holds, line by line.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "fixture.h"
#include "results/reader.h"

namespace attnlab {
namespace {

using nlohmann::json;

std::vector<json> lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  return lines;
}

/// The rows of a table by the rules of results/README.md: a row replaces one of the same number, `truncate`
/// voids those from a number on.
std::vector<json> replay(const std::vector<json>& lines, const std::string& table) {
  std::vector<json> rows;
  for (const auto& line : lines) {
    if (line.value("table", "") != table) continue;
    if (line["event"] == "truncate") rows.resize(line["rows"].get<std::size_t>());
    if (line["event"] == "row") {
      rows.resize(line["row"].get<std::size_t>());
      rows.push_back(line["values"]);
    }
  }
  return rows;
}

TEST(Twin, HoldsTablesRowsFiguresAndAttributes) {
  const TemporaryFolder folder;
  {
    const auto record = open_record(folder.path());
    record->attribute("status", std::string("running"));
    record->define(train_table());
    append_steps(*record, 0, 2);
    record->summarise({"accuracy", 0.625, "1", "accuracy on test", Summary::Better::higher, 2000, 0.0108});
    record->summarise({"majority", 0.5, "1", "floor", Summary::Better::neither, 2000, 0.0112, "accuracy",
                       "majority class"});
  }
  const auto lines = lines_of(folder / "metrics.jsonl");
  const std::vector<json> expected = {
      json::parse(R"({"event":"attribute","name":"schema_version","value":2})"),
      json::parse(R"({"event":"attribute","name":"status","value":"running"})"),
      json::parse(R"({"event":"table","table":"/train","long_name":"one row a logging interval","columns":[
        {"name":"step","type":"integer","units":"1","long_name":"update"},
        {"name":"loss","type":"real","units":"nat","long_name":"mean training loss"},
        {"name":"note","type":"text","units":"","long_name":"remark"}]})"),
      json::parse(
          R"({"event":"row","table":"/train","row":0,"values":{"step":0,"loss":1.0,"note":"note 0"}})"),
      json::parse(
          R"({"event":"row","table":"/train","row":1,"values":{"step":1,"loss":0.5,"note":"note 1"}})"),
      json::parse(
          R"({"event":"summary","name":"accuracy","value":0.625,"units":"1","long_name":"accuracy on test",
        "better":"higher","n":2000,"standard_error":0.0108})"),
      json::parse(R"({"event":"summary","name":"majority","value":0.5,"units":"1","long_name":"floor",
        "better":"neither","n":2000,"standard_error":0.0112,"floor_of":"accuracy","row":"majority class"})")};
  EXPECT_EQ(lines, expected);
}

TEST(Twin, SaysOfAnArrayWhatItIsAndNotWhatItHolds) {
  const TemporaryFolder folder;
  open_record(folder.path())->store(array_of("/arrays/a", 258, 1));
  const std::string bytes("\x02\x01\0\0\x02\x01\0\0", 8);  // 258 twice: little-endian, 32 bits
  EXPECT_EQ(lines_of(folder / "metrics.jsonl").back(),
            json({{"event", "array"},
                  {"array", "/arrays/a/seen"},
                  {"units", "token"},
                  {"long_name", "what was seen"},
                  {"dimensions",
                   {{{"name", "layer"}, {"length", 2}, {"units", "1"}, {"long_name", "from 0"}},
                    {{"name", "token"}, {"length", 1}, {"units", "1"}, {"long_name", "token id"}}}},
                  {"type", "int32"},
                  {"sha256", sha256(bytes)}}));
}

TEST(Twin, SaysNullWhereANumberIsNotFinite) {
  const TemporaryFolder folder;
  {
    const auto record = open_record(folder.path());
    record->define(train_table());
    record->append("/train", std::vector<Value>{int64_t{0}, std::nan(""), std::string("\xFF")});
  }
  const auto row = replay(lines_of(folder / "metrics.jsonl"), "/train").at(0);
  EXPECT_TRUE(row["loss"].is_null());
  EXPECT_EQ(row["note"], "\xEF\xBF\xBD");
}

TEST(Twin, ReplaysToTheSameRowsAfterTruncationAndResuming) {
  const TemporaryFolder folder;
  {
    const auto record = open_record(folder.path());
    record->define(train_table());
    append_steps(*record, 0, 10);
    record->flush();
    record->truncate("/train", 4);
  }
  {
    const auto record = open_record(folder.path());
    record->define(train_table());
    append_steps(*record, 4, 6);
  }
  const auto rows = replay(lines_of(folder / "metrics.jsonl"), "/train");
  const auto table = read_table(folder / "run.h5", "/train");
  ASSERT_EQ(rows.size(), 6u);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(Value(rows[i]["step"].get<int64_t>()), table.at("step")[i]);
    EXPECT_EQ(Value(rows[i]["loss"].get<double>()), table.at("loss")[i]);
  }
}

TEST(Twin, GoesOnAfterItsLastWholeLine) {
  const TemporaryFolder folder;
  write_record(folder.path(), 3);
  std::ofstream(folder / "metrics.jsonl", std::ios::app)
      << R"({"event":"row","table":"/tr)";  // what a kill leaves
  {
    const auto record = open_record(folder.path());
    record->define(train_table());
    append_steps(*record, 3, 4);
  }
  EXPECT_EQ(replay(lines_of(folder / "metrics.jsonl"), "/train").size(), 4u);
}

}  // namespace
}  // namespace attnlab
