// Where a fuzzed parser finds its input, and what it may do with it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "core/error.h"

namespace attnlab {

/// A folder that lasts as long as the process.
class InputFolder {
 public:
  InputFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "attnlab-fuzz-XXXXXX").string();
    ensure(::mkdtemp(name.data()) != nullptr, "a temporary folder {}", name);
    path_ = name;
  }
  InputFolder(const InputFolder&) = delete;
  ~InputFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  /// Makes the file hold `bytes`.
  std::filesystem::path write(const std::string& name, std::string_view bytes) const {
    std::ofstream out(path_ / name, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ensure(out.flush().good(), "room for {}", name);
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// Runs `read`, which may refuse its input with a sentence that names a file of `folder`.
template <class Read>
void read_or_refuse(const InputFolder& folder, const Read& read) {
  const auto named = [&](const std::runtime_error& error) {
    ensure(std::string_view(error.what()).find(folder.path().string()) != std::string_view::npos,
           "a sentence that names the file, not '{}'", error.what());
  };
  try {
    read();
  } catch (const UserError& refused) {
    named(refused);
  } catch (const RunError& refused) {
    named(refused);
  }
}

}  // namespace attnlab
