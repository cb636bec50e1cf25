// A process that is killed while it works.
#pragma once

#include "core/error.h"
#include "core/record.h"
#include "train/file_record.h"

namespace attnlab {

/// Fails behind the n-th row of a table, as a process that is killed there: nothing is saved on the way out.
class CutRecord final : public RecordSink {
 public:
  CutRecord(RecordSink& inner, int64_t rows, std::string table = "/train")
      : inner_(inner), table_(std::move(table)), left_(rows) {}
  void define(const Table& t) override { inner_.define(t); }
  void append(std::string_view t, std::span<const Value> row) override {
    if (t == table_ && --left_ < 0) throw RunError("cut off");
    inner_.append(t, row);
  }
  int64_t rows(std::string_view t) const override { return inner_.rows(t); }
  void truncate(std::string_view t, int64_t count) override { inner_.truncate(t, count); }
  void store(const Array& array) override { inner_.store(array); }
  void summarise(const Summary& figure) override { inner_.summarise(figure); }
  void attribute(std::string_view name, const Value& value) override { inner_.attribute(name, value); }
  void flush() override { inner_.flush(); }

 private:
  RecordSink& inner_;
  std::string table_;
  int64_t left_;
};

/// The updates in the validation curve, as text.
inline std::vector<std::string> validated_updates(const FileRecord& record) {
  std::vector<std::string> updates;
  for (std::size_t row = 0; row < record.lines("/eval/validation_curve").size(); ++row)
    updates.push_back(record.cell("/eval/validation_curve", row, 0));
  return updates;
}

}  // namespace attnlab
