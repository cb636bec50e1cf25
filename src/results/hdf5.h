// A thin layer over HDF5's C interface: handles that close themselves, return codes that become sentences,
// and the few things a record is made of (scalars, attributes, vectors of rows).
#pragma once

#include <hdf5.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/record.h"

namespace attnlab::h5 {

/// An HDF5 identifier that closes itself.
template <herr_t (*Close)(hid_t)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(hid_t id) : id_(id) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) Close(id_);
  }
  operator hid_t() const { return id_; }  // NOLINT: implicit on purpose, it stands for the identifier

 private:
  hid_t id_ = H5I_INVALID_HID;
};

using File = Handle<H5Fclose>;
using Group = Handle<H5Gclose>;
using Dataset = Handle<H5Dclose>;
using Space = Handle<H5Sclose>;
using Type = Handle<H5Tclose>;
using Attribute = Handle<H5Aclose>;
using PropertyList = Handle<H5Pclose>;
using Object = Handle<H5Oclose>;

/// Stops HDF5 from printing its error stack; the sentences below take its place.
void silence();

/// The reason at the bottom of HDF5's error stack: the system's ("No space left on device") where there is
/// one.
std::string reason();

/// Returns `id` or `code`; where it is negative, throws RunError "cannot <what> <path>: <reason>".
template <class Code>
Code check(Code code, const char* what, const std::filesystem::path& path);

/// A variable-length UTF-8 string, which h5py, xarray and h5dump all show as text.
Type text_type();

/// Valid UTF-8 without NUL: bytes that are neither become U+FFFD.
std::string clean_text(const std::string& text);

/// A group that remembers the order of its members, so that readers show them as they were declared; groups
/// above it that are missing are made alike.
Group create_group(hid_t file, const std::string& name, const std::filesystem::path& path);

/// Writes or replaces an attribute.
void write_attribute(hid_t object, const std::string& name, const Value& value,
                     const std::filesystem::path& path);

/// Reads a scalar attribute. Throws RunError where it is neither a number nor a text.
Value read_attribute(hid_t object, const std::string& name, const std::filesystem::path& path);

bool has_attribute(hid_t object, const std::string& name);

/// The attribute, or `fallback` where it is missing or of another type.
template <class T>
T attribute_or(hid_t object, const std::string& name, T fallback, const std::filesystem::path& path) {
  if (!has_attribute(object, name)) return fallback;
  const Value value = read_attribute(object, name, path);
  const T* typed = std::get_if<T>(&value);
  return typed ? *typed : fallback;
}

/// Names of an object's attributes.
std::vector<std::string> attribute_names(hid_t object, const std::filesystem::path& path);

/// Names of a group's members, in the order of their creation where the file keeps it.
std::vector<std::string> member_names(hid_t group, const std::filesystem::path& path);

/// Whether `name` (which may contain slashes) leads to an object.
bool has_member(hid_t group, const std::string& name);

}  // namespace attnlab::h5
