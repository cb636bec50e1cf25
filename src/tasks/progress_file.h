// What a task keeps beside its record, so that a run that was stopped goes on behind what it has done.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/record.h"

namespace attnlab {

class ProgressFile {
 public:
  /// `identity`: checksums, by name, of what the run depends on. `tables` of the record grow with what is
  /// done.
  ProgressFile(std::filesystem::path file, std::map<std::string, std::string> identity,
               std::vector<std::string> tables);

  /// What save() was given last; null where it never was. Rows behind that are forgotten. Throws UserError
  /// where it was saved under another identity.
  nlohmann::json open(RecordSink& record) const;
  /// Flushes the record, then replaces the file.
  void save(const nlohmann::json& done, RecordSink& record) const;

  const std::filesystem::path& path() const { return file_; }

 private:
  std::filesystem::path file_;
  std::map<std::string, std::string> identity_;
  std::vector<std::string> tables_;
};

/// Rows of numbers, of which JSON has no NaN: it is written as null.
nlohmann::json json_of_rows(const std::vector<std::vector<double>>& rows);
std::vector<std::vector<double>> rows_of_json(const nlohmann::json& rows);

}  // namespace attnlab
