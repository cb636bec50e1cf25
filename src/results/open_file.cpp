#include "results/open_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/error.h"
#include "results/disk_space.h"
#include "results/reader.h"

namespace attnlab::h5 {
namespace {

namespace fs = std::filesystem;

/// Why HDF5 did not open a file. Its error stack is the only source, and any later call clears it.
struct Failure {
  std::string why;
  bool lock = false;
  bool cut = false;
};

Failure last_failure() {
  Failure failure;
  failure.why = reason();
  const auto look = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    const std::string text = error->desc ? error->desc : "";
    auto& failure = *static_cast<Failure*>(out);
    failure.lock = failure.lock || text.find("unable to lock") != std::string::npos;
    failure.cut = failure.cut || text.find("truncated file") != std::string::npos;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, look, &failure);
  return failure;
}

[[noreturn]] void refuse(const Failure& failure, const char* what, const fs::path& path) {
  if (failure.lock)
    run_error(
        "cannot lock {}: another program has it open, or its file system ({}) has no locks; close the other "
        "program "
        "or, where none has it open, set the environment variable HDF5_USE_FILE_LOCKING=FALSE",
        path.string(), filesystem_type(path));
  if (failure.cut)
    user_error("{} was cut short: it holds less than it should; start over with --fresh", path.string());
  run_error("cannot {} {}: {}", what, path.string(), failure.why);
}

void check_readable(const fs::path& path) {
  silence();
  if (fs::is_directory(path)) user_error("{} is a folder, not a record", path.string());
  if (!fs::exists(path)) user_error("there is no file {}", path.string());
  if (!std::ifstream(path)) run_error("cannot open {}: {}", path.string(), std::strerror(errno));
  if (H5Fis_hdf5(path.c_str()) <= 0)
    user_error("{} is no HDF5 file: something else wrote it or it was cut short", path.string());
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

}  // namespace

File create(const fs::path& part, const fs::path& path) {
  silence();
  File file(H5Fcreate(part.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  if (file >= 0) return file;
  const Failure failure = last_failure();
  std::error_code ignored;
  fs::remove(part, ignored);
  refuse(failure, "create", path);
}

File open_for_writing(const fs::path& path) {
  check_readable(path);
  File file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
  if (file < 0) refuse(last_failure(), "open", path);
  check_schema(file, path);
  return file;
}

File open_for_reading(const fs::path& path) {
  check_readable(path);
  const PropertyList unlocked(H5Pcreate(H5P_FILE_ACCESS));
  ensure(H5Pset_file_locking(unlocked, false, true) >= 0, "HDF5 1.10.7 or newer");
  File file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, unlocked));
  // Where this very process is the writer, HDF5 gives a second handle only on the writer's terms.
  if (file < 0) file = File(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  if (file < 0) refuse(last_failure(), "open", path);
  check_schema(file, path);
  return file;
}

int descriptor(const File& file, const fs::path& path) {
  void* number = nullptr;
  check(H5Fget_vfd_handle(file, H5P_DEFAULT, &number), "write", path);
  return *static_cast<int*>(number);
}

void trim(const File& file, int descriptor, const fs::path& path) {
  hsize_t size = 0;
  check(H5Fget_filesize(file, &size), "write", path);
  if (::ftruncate(descriptor, static_cast<off_t>(size)) != 0)
    run_error("cannot write {}: {}", path.string(), std::strerror(errno));
}

void close(File file, const fs::path& path) {
  ::fsync(descriptor(file, path));
  check(H5Fclose(file.release()), "close", path);
}

}  // namespace attnlab::h5
