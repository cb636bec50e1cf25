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

h5::Dataset write_integers(hid_t group, const std::string& name, const std::vector<hsize_t>& shape,
                           std::span<const int64_t> values, const fs::path& path) {
  const PackedIntegers packed = pack(values);
  const hid_t type = packed.bits == 32 ? H5T_STD_I32LE : H5T_STD_I64LE;
  const h5::Space space(
      h5::check(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), "write", path));
  const h5::PropertyList layout = packed.bytes.size() < least_compressed
                                      ? h5::PropertyList(H5Pcreate(H5P_DATASET_CREATE))
                                      : compressed(shape, path);
  h5::Dataset dataset(h5::check(
      H5Dcreate2(group, name.c_str(), type, space, H5P_DEFAULT, layout, H5P_DEFAULT), "write", path));
  h5::check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, packed.bytes.data()), "write", path);
  return dataset;
}

void describe(const h5::Dataset& dataset, const std::string& unit, const std::string& meaning,
              const fs::path& path) {
  h5::write_attribute(dataset, "units", unit, path);
  h5::write_attribute(dataset, "long_name", meaning, path);
}

/// The array's place and the groups above it must be no tables.
void check_place(hid_t file, const std::string& place, const fs::path& path) {
  for (std::size_t end = place.find('/', 1); true; end = place.find('/', end + 1)) {
    const std::string group = place.substr(0, end);
    if (!h5::has_member(file, group)) return;
    const h5::Object object(h5::check(H5Oopen(file, group.c_str(), H5P_DEFAULT), "read", path));
    if (h5::has_attribute(object, "rows_written"))
      user_error(
          "{}: {} is a table that an older version of this program began, and this one writes arrays there; "
          "start over with --fresh",
          path.string(), group);
    if (end == std::string::npos) return;
  }
}

}  // namespace

PackedIntegers pack(std::span<const int64_t> values) {
  using Narrow = std::numeric_limits<int32_t>;
  const bool fit =
      std::ranges::all_of(values, [](int64_t v) { return v >= Narrow::min() && v <= Narrow::max(); });
  return fit ? PackedIntegers{32, bytes_as<int32_t>(values)} : PackedIntegers{64, bytes_as<int64_t>(values)};
}

void write_array(hid_t file, const Array& array, const fs::path& path) {
  std::vector<hsize_t> shape;
  std::size_t places = 1;
  for (const Dimension& dimension : array.dimensions) {
    shape.push_back(dimension.at.size());
    places *= dimension.at.size();
  }
  ensure(places > 0 && !shape.empty() && places == array.values.size(),
         "a value for every place of {}, not {} for {}", array.path, array.values.size(), places);
  check_place(file, array.path, path);
  if (h5::has_member(file, array.path))
    h5::check(H5Ldelete(file, array.path.c_str(), H5P_DEFAULT), "write", path);
  const h5::Group group = h5::create_group(file, array.path, path);
  const h5::Dataset dataset = write_integers(group, array.name, shape, array.values, path);
  describe(dataset, array.unit, array.meaning, path);
  for (unsigned i = 0; i < array.dimensions.size(); ++i) {
    const Dimension& dimension = array.dimensions[i];
    const h5::Dataset scale =
        write_integers(group, dimension.name, {dimension.at.size()}, dimension.at, path);
    describe(scale, dimension.unit, dimension.meaning, path);
    h5::check(H5DSset_scale(scale, dimension.name.c_str()), "write", path);
    h5::check(H5DSattach_scale(dataset, scale, i), "write", path);
    h5::check(H5DSset_label(dataset, i, dimension.name.c_str()), "write", path);
  }
}

}  // namespace attnlab
