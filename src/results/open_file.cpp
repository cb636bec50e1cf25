#include "results/open_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/error.h"
#include "core/files.h"
#include "results/reader.h"

namespace attnlab::h5 {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t growth = 1 << 20;  // bytes by which a file in memory is enlarged

/// Says why HDF5 did not open a file. Its error stack is the only source, and any later call clears it.
[[noreturn]] void refuse(const char* what, const fs::path& path) {
  const std::string why = reason();
  bool cut = false;
  const auto look = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    const std::string text = error->desc ? error->desc : "";
    if (text.find("truncated file") != std::string::npos) *static_cast<bool*>(out) = true;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, look, &cut);
  if (cut)
    user_error("{} was cut short: it holds less than it should; `attnlab run … --fresh` starts that run over",
               path.string());
  run_error("cannot {} {}: {}", what, path.string(), why);
}

/// HDF5's driver for a file that lives in memory and is never written to disk by HDF5.
PropertyList in_memory() {
  PropertyList access(H5Pcreate(H5P_FILE_ACCESS));
  ensure(H5Pset_fapl_core(access, growth, /*backing_store=*/false) >= 0, "HDF5's core driver");
  return access;
}

void check_readable(const fs::path& path) {
  silence();
  if (fs::is_directory(path)) user_error("{} is a folder, not a record", path.string());
  if (!fs::exists(path)) user_error("there is no file {}", path.string());
  if (!std::ifstream(path)) run_error("cannot open {}: {}", path.string(), std::strerror(errno));
  if (H5Fis_hdf5(path.c_str()) <= 0) {
    const MappedFile looked_at(path);  // tells of a pointer of Git LFS
    user_error("{} is no HDF5 file: something else wrote it or it was cut short", path.string());
  }
}

void check_schema(const File& file, const fs::path& path) {
  if (!has_attribute(file, "schema_version"))
    user_error("{} is no record of attnlab: it has no attribute schema_version", path.string());
  const Value version = read_attribute(file, "schema_version", path);
  const auto* number = std::get_if<int64_t>(&version);
  if (!number) user_error("{} is no record of attnlab: its schema_version is no integer", path.string());
  if (*number > schema_version)
    user_error("{} has schema version {}, made by a newer attnlab; this one reads up to {}", path.string(),
               *number, schema_version);
}

/// A lock would only stand in the way: the file on disk is never changed, and `lock` guards the run.
void unlock(const PropertyList& access) {
  ensure(H5Pset_file_locking(access, false, true) >= 0, "HDF5 1.10.7 or newer");
}

}  // namespace

File create_in_memory(const fs::path& path) {
  silence();
  File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, in_memory()));
  if (file < 0) refuse("create", path);
  return file;
}

File open_in_memory(const fs::path& path) {
  check_readable(path);
  const PropertyList access = in_memory();
  unlock(access);
  File file(H5Fopen(path.c_str(), H5F_ACC_RDWR, access));
  if (file < 0) refuse("open", path);
  check_schema(file, path);
  return file;
}

File open_for_reading(const fs::path& path) {
  check_readable(path);
  const PropertyList unlocked(H5Pcreate(H5P_FILE_ACCESS));
  unlock(unlocked);
  File file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, unlocked));
  if (file < 0) refuse("open", path);
  check_schema(file, path);
  return file;
}

std::string image(const File& file, const fs::path& path) {
  check(H5Fflush(file, H5F_SCOPE_LOCAL), "write", path);
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  check(static_cast<hid_t>(size), "write", path);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  check(static_cast<hid_t>(H5Fget_file_image(file, bytes.data(), bytes.size())), "write", path);
  return bytes;
}

}  // namespace attnlab::h5
