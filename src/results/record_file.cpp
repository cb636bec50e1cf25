// How a kill is survived (each tried under SIGKILL): the file appears under its name only when its first
// flush is complete; between flushes everything stays in memory; a flush first makes sure of the disk space,
// then writes data, then the counters and the attributes (status among them), each followed by a flush of
// HDF5's own.
#include "results/record_file.h"

#include <hdf5.h>

#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "results/disk_space.h"
#include "results/events.h"
#include "results/hdf5.h"
#include "results/json_lines.h"
#include "results/open_file.h"
#include "results/reader.h"
#include "results/stored_summary.h"
#include "results/stored_table.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr int64_t spare_bytes = 64 << 10;  // object headers, heaps and indices that a flush may add
constexpr int64_t rows_kept = 1 << 16;     // a caller that never flushes must not fill the memory

class RecordFile final : public RecordSink {
 public:
  explicit RecordFile(const fs::path& folder)
      : path_(folder / "run.h5"),
        part_(folder / "run.h5.part"),
        published_(fs::exists(path_)),
        file_(published_ ? h5::open_for_writing(path_) : h5::create(part_, path_)),
        descriptor_(h5::descriptor(file_, path_)),
        lines_(folder / "metrics.jsonl", published_) {
    if (published_) return;
    create_summary_group(file_, path_);
    attribute("schema_version", schema_version);
  }

  ~RecordFile() override {
    try {
      flush();
    } catch (const std::exception& e) {
      log_info("the last results were not saved: {}", e.what());
    }
    close();
  }

  void define(const Table& table) override {
    ensure(!table.columns.empty() && !tables_.contains(table.path), "columns, and one definition of {}",
           table.path);
    if (h5::has_member(file_, table.path)) {
      guarded([&] {
        note_rows(tables_.emplace(table.path, StoredTable::open(file_, table, path_)).first->second);
      });
      return;
    }
    if (published_) reserve_space(descriptor_, spare_bytes * 2, path_);
    guarded([&] { tables_.emplace(table.path, StoredTable::create(file_, table, path_)); });
    lines_.add(event(table));
  }

  void append(std::string_view table, std::span<const Value> row) override {
    StoredTable& stored = find(table);
    stored.add(row);
    lines_.add(row_event(stored.definition(), stored.rows() + stored.pending() - 1, row));
    if (stored.pending() >= rows_kept) flush();
  }

  int64_t rows(std::string_view table) const override { return find(table).rows(); }

  void truncate(std::string_view table, int64_t count) override {
    StoredTable& stored = find(table);
    ensure(count >= 0, "rows to keep of {}, not {}", table, count);
    if (count >= stored.rows() + stored.pending()) return;
    if (count > stored.rows()) {
      flush();
    } else {
      stored.drop_pending_after(0);
    }
    guarded([&] {
      stored.lower(count);
      sync();
      stored.shrink();
      note_rows(stored);
    });
    flush();
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
    if (published_ && lines_.empty()) return;  // every change adds a line
    write_lines();
    guarded([&] {
      for (auto& [_, table] : tables_) table.write();
      for (const auto& [_, figure] : summaries_) write_summary(file_, figure, path_);
      sync();
      for (auto& [_, table] : tables_) table.commit();
      for (const auto& [name, value] : attributes_) h5::write_attribute(file_, name, value, path_);
      sync();
      h5::trim(file_, descriptor_, path_);
      publish();
    });
    summaries_.clear();
    attributes_.clear();
  }

 private:
  /// Runs HDF5 calls that change the file. After one has failed midway the library's picture of the file and
  /// the file may differ, so nothing more is written: the trusted rows stay as they are.
  template <class Work>
  void guarded(const Work& work) {
    if (!broken_.empty()) throw RunError(broken_);
    try {
      h5::silence();
      work();
    } catch (const RunError& e) {
      broken_ = e.what();
      throw;
    }
  }

  /// Makes sure of the space that run.h5 will need, then writes its twin. Where either fails, both are as
  /// before.
  void write_lines() {
    reserve_space(descriptor_, bytes_to_write(), path_);
    try {
      lines_.write();
    } catch (const RunError&) {
      h5::trim(file_, descriptor_, path_);
      throw;
    }
  }

  /// An upper bound of what a flush adds to the file.
  int64_t bytes_to_write() const {
    int64_t bytes = static_cast<int64_t>(summaries_.size()) * 4096;
    for (const auto& [_, table] : tables_) bytes += table.pending_bytes();
    for (const auto& [_, value] : attributes_)
      if (const auto* text = std::get_if<std::string>(&value))
        bytes += static_cast<int64_t>(text->size()) + 64;
    if (!published_) bytes += static_cast<int64_t>(tables_.size()) * spare_bytes;
    return bytes + spare_bytes;
  }

  void note_rows(const StoredTable& table) { lines_.add(truncate_event(table.definition(), table.rows())); }

  void sync() { h5::check(H5Fflush(file_, H5F_SCOPE_LOCAL), "write", path_); }

  void publish() {
    if (published_) return;
    std::error_code failure;
    fs::rename(part_, path_, failure);
    if (failure) run_error("cannot create {}: {}", path_.string(), failure.message());
    published_ = true;
  }

  void close() noexcept {
    tables_.clear();
    try {
      h5::close(std::move(file_), path_);
    } catch (const std::exception& e) {
      log_info("the results were not closed: {}", e.what());
    }
    std::error_code ignored;
    if (!published_) fs::remove(part_, ignored);
  }

  StoredTable& find(std::string_view table) {
    const auto at = tables_.find(table);
    ensure(at != tables_.end(), "a definition of table {} before its use", table);
    return at->second;
  }
  const StoredTable& find(std::string_view table) const { return const_cast<RecordFile*>(this)->find(table); }

  fs::path path_, part_;
  bool published_;
  h5::File file_;
  int descriptor_;
  JsonLines lines_;
  std::map<std::string, StoredTable, std::less<>> tables_;
  std::map<std::string, Summary> summaries_;
  std::map<std::string, Value> attributes_;
  std::string broken_;  ///< why nothing more can be written
};

}  // namespace

std::unique_ptr<RecordSink> open_record(const fs::path& folder) {
  return std::make_unique<RecordFile>(folder);
}

}  // namespace attnlab
