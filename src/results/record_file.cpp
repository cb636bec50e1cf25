// How a kill is survived (tried before every single write): the HDF5 file lives in memory, and a flush
// replaces run.h5 by its image, in one rename. A full disk refuses the new file and leaves the old one.
#include "results/record_file.h"

#include <hdf5.h>

#include <map>
#include <string>
#include <type_traits>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "results/events.h"
#include "results/hdf5.h"
#include "results/json_lines.h"
#include "results/open_file.h"
#include "results/reader.h"
#include "results/stored_array.h"
#include "results/stored_summary.h"
#include "results/stored_table.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr int64_t rows_kept = 1 << 16;  // rows that wait take more memory than rows in the file

class RecordFile final : public RecordSink {
 public:
  explicit RecordFile(const fs::path& folder)
      : path_(folder / "run.h5"),
        resumed_(fs::exists(path_)),
        file_(resumed_ ? h5::open_in_memory(path_) : h5::create_in_memory(path_)),
        lines_(folder / "metrics.jsonl", resumed_) {
    if (resumed_) {
      older_ = h5::attribute_or<int64_t>(file_, "schema_version", 0, path_) < schema_version;
      return;
    }
    create_summary_group(file_, path_);
    attribute("schema_version", schema_version);
  }

  ~RecordFile() override {
    try {
      flush();
    } catch (const std::exception& e) {
      log_info("the last results were not saved: {}", e.what());
    }
  }

  void define(const Table& table) override {
    ensure(!table.columns.empty() && !tables_.contains(table.path), "columns, and one definition of {}",
           table.path);
    const bool known = h5::has_member(file_, table.path);
    const auto& stored = guarded([&]() -> const StoredTable& {
      return tables_
          .emplace(table.path,
                   known ? StoredTable::open(file_, table, path_) : StoredTable::create(file_, table, path_))
          .first->second;
    });
    known ? note_rows(stored) : lines_.add(event(table));
  }

  void append(std::string_view table, std::span<const Value> row) override {
    StoredTable& stored = find(table);
    stored.add(row);
    lines_.add(row_event(stored.definition(), stored.all_rows() - 1, row));
    if (stored.pending() >= rows_kept) flush();
  }

  int64_t rows(std::string_view table) const override { return find(table).rows(); }

  void truncate(std::string_view table, int64_t count) override {
    StoredTable& stored = find(table);
    ensure(count >= 0, "rows to keep of {}, not {}", table, count);
    if (count >= stored.all_rows()) return;
    guarded([&] { stored.truncate(count); });
    note_rows(stored);
    flush();
  }

  void store(const Array& array) override {
    guarded([&] { write_array(file_, array, path_); });
    lines_.add(event(array));
    if (std::exchange(older_, false)) attribute("schema_version", schema_version);
  }

  void summarise(const Summary& figure) override {
    summaries_[figure.name] = figure;
    lines_.add(event(figure));
  }

  void attribute(std::string_view name, const Value& value) override {
    attributes_[std::string(name)] = value;
    lines_.add(attribute_event(name, value));
  }

  void flush() override {
    if (!broken_.empty()) throw RunError(broken_);
    if (lines_.empty() && !behind_) return;  // every change adds a line
    lines_.write();
    behind_ = true;
    const std::string bytes = guarded([&] {
      for (auto& [_, table] : tables_) table.write();
      for (const auto& [_, figure] : summaries_) write_summary(file_, figure, path_);
      for (const auto& [name, value] : attributes_) h5::write_attribute(file_, name, value, path_);
      return h5::image(file_, path_);
    });
    summaries_.clear();
    attributes_.clear();
    write_atomically(path_, bytes);
    for (auto& [_, table] : tables_) table.commit();
    behind_ = false;
  }

 private:
  /// Runs HDF5 calls that change the file in memory. After one has failed midway its state is unknown, so
  /// nothing more is written: run.h5 stays as it was.
  template <class Work>
  std::invoke_result_t<Work> guarded(const Work& work) {
    if (!broken_.empty()) throw RunError(broken_);
    try {
      h5::silence();
      return work();
    } catch (const RunError& e) {
      broken_ = e.what();
      throw;
    }
  }

  void note_rows(const StoredTable& table) {
    lines_.add(truncate_event(table.definition(), table.all_rows()));
  }

  StoredTable& find(std::string_view table) {
    const auto at = tables_.find(table);
    ensure(at != tables_.end(), "a definition of table {} before its use", table);
    return at->second;
  }
  const StoredTable& find(std::string_view table) const { return const_cast<RecordFile*>(this)->find(table); }

  fs::path path_;
  bool resumed_;
  h5::File file_;
  JsonLines lines_;
  std::map<std::string, StoredTable, std::less<>> tables_;
  std::map<std::string, Summary> summaries_;
  std::map<std::string, Value> attributes_;
  bool older_ = false;   ///< of an older schema, which has no arrays
  bool behind_ = false;  ///< run.h5 lacks what metrics.jsonl has
  std::string broken_;   ///< why nothing more can be written
};

}  // namespace

std::unique_ptr<RecordSink> open_record(const fs::path& folder) {
  return std::make_unique<RecordFile>(folder);
}

}  // namespace attnlab
