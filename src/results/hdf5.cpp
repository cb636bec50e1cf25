#include "results/hdf5.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json_text.h"

namespace attnlab::h5 {
namespace {

namespace fs = std::filesystem;

struct Reason {
  std::string system;   ///< of errno, deepest
  std::string library;  ///< HDF5's own words, deepest
};

/// HDF5's drivers describe a failed system call as "…, errno = 28, error message = 'No space left on device',
/// …".
herr_t collect(unsigned, const H5E_error2_t* error, void* out) {
  auto& reason = *static_cast<Reason*>(out);
  const std::string text = error->desc ? error->desc : "";
  const std::string mark = "error message = '";
  if (const auto at = text.find(mark); at != std::string::npos && reason.system.empty()) {
    const auto start = at + mark.size();
    reason.system = text.substr(start, text.find('\'', start) - start);
  }
  if (reason.library.empty()) reason.library = text;
  return 0;
}

herr_t collect_attribute(hid_t, const char* name, const H5A_info_t*, void* out) {
  static_cast<std::vector<std::string>*>(out)->emplace_back(name);
  return 0;
}

herr_t collect_member(hid_t, const char* name, const H5L_info_t*, void* out) {
  static_cast<std::vector<std::string>*>(out)->emplace_back(name);
  return 0;
}

Type type_of(const Value& value) {
  if (std::holds_alternative<int64_t>(value)) return Type(H5Tcopy(H5T_STD_I64LE));
  if (std::holds_alternative<double>(value)) return Type(H5Tcopy(H5T_IEEE_F64LE));
  return text_type();
}

std::string read_text(const Attribute& attribute, const Type& type, const fs::path& path) {
  if (H5Tis_variable_str(type) > 0) {
    char* text = nullptr;
    check(H5Aread(attribute, type, &text), "read", path);
    std::string value = text ? text : "";
    H5free_memory(text);
    return value;
  }
  std::string value(H5Tget_size(type), '\0');
  check(H5Aread(attribute, type, value.data()), "read", path);
  return value.substr(0, value.find('\0'));
}

}  // namespace

void silence() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

std::string reason() {
  Reason reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect, &reason);
  if (!reason.system.empty()) return reason.system;
  return reason.library.empty() ? "HDF5 gave no reason" : reason.library;
}

template <class Code>
Code check(Code code, const char* what, const fs::path& path) {
  if (code < 0) run_error("cannot {} {}: {}", what, path.string(), reason());
  return code;
}
template int check(int, const char*, const fs::path&);      // herr_t, htri_t
template hid_t check(hid_t, const char*, const fs::path&);  // hid_t, hssize_t

Type text_type() {
  Type type(H5Tcopy(H5T_C_S1));
  ensure(H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0, "a text type");
  return type;
}

std::string clean_text(const std::string& text) {
  using nlohmann::json;
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0 && c < 0x80; });
  if (plain) return text;
  const auto replaced = json::parse(json_text(json(text)));
  std::string clean;
  for (const char c : replaced.get<std::string>())
    if (c == '\0')
      clean += "\xEF\xBF\xBD";
    else
      clean += c;
  return clean;
}

Group create_group(hid_t file, const std::string& name, const fs::path& path) {
  const auto above = name.rfind('/');
  if (above != std::string::npos && above > 0 && !has_member(file, name.substr(0, above)))
    create_group(file, name.substr(0, above), path);
  const PropertyList group(check(H5Pcreate(H5P_GROUP_CREATE), "write", path));
  check(H5Pset_link_creation_order(group, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), "write", path);
  return Group(check(H5Gcreate2(file, name.c_str(), H5P_DEFAULT, group, H5P_DEFAULT), "write", path));
}

void write_attribute(hid_t object, const std::string& name, const Value& value, const fs::path& path) {
  const Type type = type_of(value);
  Attribute attribute;
  if (has_attribute(object, name)) {
    attribute = Attribute(check(H5Aopen(object, name.c_str(), H5P_DEFAULT), "write", path));
    const Type old(check(H5Aget_type(attribute), "write", path));
    if (check(H5Tequal(old, type), "write", path) == 0) {
      attribute = Attribute();
      check(H5Adelete(object, name.c_str()), "write", path);
    }
  }
  if (attribute < 0) {
    const Space scalar(check(H5Screate(H5S_SCALAR), "write", path));
    attribute = Attribute(
        check(H5Acreate2(object, name.c_str(), type, scalar, H5P_DEFAULT, H5P_DEFAULT), "write", path));
  }
  const auto write = [&](hid_t memory, const void* data) {
    check(H5Awrite(attribute, memory, data), "write", path);
  };
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    write(H5T_NATIVE_INT64, integer);
  } else if (const auto* real = std::get_if<double>(&value)) {
    write(H5T_NATIVE_DOUBLE, real);
  } else {
    const std::string text = clean_text(std::get<std::string>(value));
    const char* pointer = text.c_str();
    write(type, &pointer);
  }
}

Value read_attribute(hid_t object, const std::string& name, const fs::path& path) {
  const Attribute attribute(check(H5Aopen(object, name.c_str(), H5P_DEFAULT), "read", path));
  const Type type(check(H5Aget_type(attribute), "read", path));
  const Space space(check(H5Aget_space(attribute), "read", path));
  const bool scalar = H5Sget_simple_extent_npoints(space) == 1;
  const H5T_class_t kind = H5Tget_class(type);
  if (scalar && kind == H5T_INTEGER) {
    int64_t value = 0;
    check(H5Aread(attribute, H5T_NATIVE_INT64, &value), "read", path);
    return value;
  }
  if (scalar && kind == H5T_FLOAT) {
    double value = 0;
    check(H5Aread(attribute, H5T_NATIVE_DOUBLE, &value), "read", path);
    return value;
  }
  if (scalar && kind == H5T_STRING) return read_text(attribute, type, path);
  run_error("cannot read {}: attribute {} is neither a number nor a text", path.string(), name);
}

bool has_attribute(hid_t object, const std::string& name) { return H5Aexists(object, name.c_str()) > 0; }

std::vector<std::string> attribute_names(hid_t object, const fs::path& path) {
  std::vector<std::string> names;
  check(H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_attribute, &names), "read", path);
  return names;
}

std::vector<std::string> member_names(hid_t group, const fs::path& path) {
  std::vector<std::string> names;
  if (H5Literate(group, H5_INDEX_CRT_ORDER, H5_ITER_INC, nullptr, collect_member, &names) < 0) {
    names.clear();
    check(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_member, &names), "read", path);
  }
  return names;
}

bool has_member(hid_t group, const std::string& name) {
  for (size_t slash = name.find('/', 1); slash != std::string::npos; slash = name.find('/', slash + 1))
    if (H5Lexists(group, name.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) return false;
  return H5Lexists(group, name.c_str(), H5P_DEFAULT) > 0;
}

}  // namespace attnlab::h5
