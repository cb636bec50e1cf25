#include "results/stored_array.h"

#include <hdf5_hl.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <vector>

#include "core/error.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t least_compressed =
    4096;  // HDF5's index of the pieces of a compressed dataset: 2 to 3 KB
constexpr unsigned deflate_level = 6;

template <class T>
std::string bytes_as(std::span<const int64_t> values) {
  static_assert(std::endian::native == std::endian::little);
  const std::vector<T> narrow(values.begin(), values.end());
  return {reinterpret_cast<const char*>(narrow.data()), narrow.size() * sizeof(T)};
}

/// Pieces of one place along the first dimension, so that each can be read by itself.
h5::PropertyList compressed(std::vector<hsize_t> piece, const fs::path& path) {
  if (piece.size() > 1) piece.front() = 1;
  h5::PropertyList layout(H5Pcreate(H5P_DATASET_CREATE));
  h5::check(H5Pset_chunk(layout, static_cast<int>(piece.size()), piece.data()), "write", path);
  h5::check(H5Pset_shuffle(layout), "write", path);
  h5::check(H5Pset_deflate(layout, deflate_level), "write", path);
  return layout;
}

/// A dataset of the array's group.
struct Part {
  const std::string& name;
  const std::string& unit;
  const std::string& meaning;
  std::vector<hsize_t> shape;
  PackedIntegers values;
  hid_t type() const { return values.bits == 32 ? H5T_STD_I32LE : H5T_STD_I64LE; }
};

/// The array, then the scales of its dimensions.
std::vector<Part> parts_of(const Array& array) {
  std::vector<Part> parts = {{array.name, array.unit, array.meaning, {}, pack(array.values)}};
  hsize_t places = 1;
  for (const Dimension& d : array.dimensions) {
    parts.front().shape.push_back(d.at.size());
    parts.push_back({d.name, d.unit, d.meaning, {d.at.size()}, pack(d.at)});
    places *= d.at.size();
  }
  ensure(places > 0 && parts.size() > 1 && places == array.values.size(),
         "a value for every place of {}, not {} for {}", array.path, array.values.size(), places);
  return parts;
}

/// Whether the group has a dataset that differs from the part in its values alone.
bool fits(hid_t group, const Part& part, const fs::path& path) {
  if (!h5::has_member(group, part.name)) return false;
  const h5::Dataset dataset(h5::check(H5Dopen2(group, part.name.c_str(), H5P_DEFAULT), "read", path));
  const h5::Type type(h5::check(H5Dget_type(dataset), "read", path));
  const h5::Space space(h5::check(H5Dget_space(dataset), "read", path));
  std::vector<hsize_t> shape(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
  H5Sget_simple_extent_dims(space, shape.data(), nullptr);
  return shape == part.shape && H5Tequal(type, part.type()) > 0 &&
         h5::attribute_or<std::string>(dataset, "units", "", path) == part.unit &&
         h5::attribute_or<std::string>(dataset, "long_name", "", path) == part.meaning;
}

h5::Dataset create(hid_t group, const Part& part, const fs::path& path) {
  const auto rank = static_cast<int>(part.shape.size());
  const h5::Space space(h5::check(H5Screate_simple(rank, part.shape.data(), nullptr), "write", path));
  const h5::PropertyList layout = part.values.bytes.size() < least_compressed
                                      ? h5::PropertyList(H5Pcreate(H5P_DATASET_CREATE))
                                      : compressed(part.shape, path);
  h5::Dataset dataset(
      h5::check(H5Dcreate2(group, part.name.c_str(), part.type(), space, H5P_DEFAULT, layout, H5P_DEFAULT),
                "write", path));
  h5::write_attribute(dataset, "units", part.unit, path);
  h5::write_attribute(dataset, "long_name", part.meaning, path);
  return dataset;
}

/// The datasets of a new group, the scales attached to the array.
h5::Group create_group(hid_t file, const std::string& name, const std::vector<Part>& parts,
                       const fs::path& path) {
  h5::Group group = h5::create_group(file, name, path);
  const h5::Dataset array = create(group, parts.front(), path);
  for (unsigned i = 0; i + 1 < parts.size(); ++i) {
    const char* dimension = parts[i + 1].name.c_str();
    const h5::Dataset scale = create(group, parts[i + 1], path);
    h5::check(H5DSset_scale(scale, dimension), "write", path);
    h5::check(H5DSattach_scale(array, scale, i), "write", path);
    h5::check(H5DSset_label(array, i, dimension), "write", path);
  }
  return group;
}

/// The array's place and the groups above it must be no tables.
void check_place(hid_t file, const std::string& place, const fs::path& path) {
  std::size_t end = 0;
  while (end != std::string::npos) {
    end = place.find('/', end + 1);
    const std::string group = place.substr(0, end);
    if (!h5::has_member(file, group)) return;
    const h5::Object object(h5::check(H5Oopen(file, group.c_str(), H5P_DEFAULT), "read", path));
    if (h5::has_attribute(object, "rows_written"))
      user_error(
          "{}: {} is a table that an older version of this program began, and this one writes arrays there; "
          "start over with --fresh",
          path.string(), group);
  }
}

/// The group of the array. An earlier one of the same form is written over in place, since a file that is
/// opened again does not reuse what was deleted in it; one of another form goes.
h5::Group open_group(hid_t file, const std::string& name, const std::vector<Part>& parts,
                     const fs::path& path) {
  check_place(file, name, path);
  if (!h5::has_member(file, name)) return create_group(file, name, parts, path);
  {
    h5::Group group(h5::check(H5Gopen2(file, name.c_str(), H5P_DEFAULT), "read", path));
    if (std::ranges::all_of(parts, [&](const Part& part) { return fits(group, part, path); })) return group;
  }
  h5::check(H5Ldelete(file, name.c_str(), H5P_DEFAULT), "write", path);
  return create_group(file, name, parts, path);
}

}  // namespace

PackedIntegers pack(std::span<const int64_t> values) {
  using Narrow = std::numeric_limits<int32_t>;
  const bool fit =
      std::ranges::all_of(values, [](int64_t v) { return v >= Narrow::min() && v <= Narrow::max(); });
  return fit ? PackedIntegers{32, bytes_as<int32_t>(values)} : PackedIntegers{64, bytes_as<int64_t>(values)};
}

void write_array(hid_t file, const Array& array, const fs::path& path) {
  const std::vector<Part> parts = parts_of(array);
  const h5::Group group = open_group(file, array.path, parts, path);
  for (const Part& part : parts) {
    const h5::Dataset dataset(h5::check(H5Dopen2(group, part.name.c_str(), H5P_DEFAULT), "write", path));
    h5::check(H5Dwrite(dataset, part.type(), H5S_ALL, H5S_ALL, H5P_DEFAULT, part.values.bytes.data()),
              "write", path);
  }
}

}  // namespace attnlab
