// A small world for the program: a folder with data in the publisher's layout, a configuration, and room for
// results.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "process.h"

namespace attnlab {

class Lab {
 public:
  Lab();
  Lab(const Lab&) = delete;
  ~Lab();

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path results() const { return path_ / "results"; }
  std::filesystem::path data() const { return path_ / "data" / "imdb" / "aclImdb"; }
  /// Writes a file under the lab's folder.
  std::filesystem::path write(const std::string& name, const std::string& text) const;
  /// The only run's folder under results/<experiment>.
  std::filesystem::path run_folder(const std::string& experiment = "tiny") const;

  /// Starts the program in the lab's folder, on the lab's data.
  std::unique_ptr<Process> start(const Words& arguments, const std::string& input = "") const;
  /// The same, to its end.
  Finished attnlab(const Words& arguments, const std::string& input = "") const;

 private:
  std::filesystem::path path_;
};

/// tiny.yaml in every lab: a Luna classifier that trains in a second.
extern const char* const tiny_yaml;

std::string contents_of(const std::filesystem::path& file);

}  // namespace attnlab
