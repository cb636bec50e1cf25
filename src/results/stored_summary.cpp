#include "results/stored_summary.h"

#include "results/events.h"

namespace attnlab {

namespace fs = std::filesystem;

void create_summary_group(hid_t file, const fs::path& path) {
  const h5::Group group(
      h5::check(H5Gcreate2(file, "/summary", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), "write", path));
  h5::write_attribute(group, "long_name", std::string("headline figures"), path);
}

void write_summary(hid_t file, const Summary& figure, const fs::path& path) {
  const std::string name = "/summary/" + figure.name;
  h5::Dataset dataset;
  if (h5::has_member(file, name)) {
    dataset = h5::Dataset(h5::check(H5Dopen2(file, name.c_str(), H5P_DEFAULT), "write", path));
  } else {
    const h5::Space scalar(h5::check(H5Screate(H5S_SCALAR), "write", path));
    dataset = h5::Dataset(h5::check(
        H5Dcreate2(file, name.c_str(), H5T_IEEE_F64LE, scalar, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
        "write", path));
  }
  h5::check(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &figure.value), "write",
            path);
  h5::write_attribute(dataset, "units", figure.unit, path);
  h5::write_attribute(dataset, "long_name", figure.meaning, path);
  h5::write_attribute(dataset, "better", std::string(word(figure.better)), path);
  h5::write_attribute(dataset, "n", figure.n, path);
  h5::write_attribute(dataset, "standard_error", figure.standard_error, path);
  if (figure.floor_of.empty()) return;
  h5::write_attribute(dataset, "floor_of", figure.floor_of, path);
  h5::write_attribute(dataset, "row", figure.row, path);
}

Summary read_summary(hid_t summary_group, const std::string& name, const fs::path& path) {
  const h5::Dataset dataset(h5::check(H5Dopen2(summary_group, name.c_str(), H5P_DEFAULT), "read", path));
  Summary figure;
  figure.name = name;
  h5::check(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &figure.value), "read", path);
  figure.unit = h5::attribute_or<std::string>(dataset, "units", "", path);
  figure.meaning = h5::attribute_or<std::string>(dataset, "long_name", "", path);
  figure.n = h5::attribute_or<int64_t>(dataset, "n", 1, path);
  figure.standard_error = h5::attribute_or<double>(dataset, "standard_error", 0.0, path);
  figure.floor_of = h5::attribute_or<std::string>(dataset, "floor_of", "", path);
  figure.row = h5::attribute_or<std::string>(dataset, "row", "", path);
  const auto better = h5::attribute_or<std::string>(dataset, "better", "neither", path);
  for (const auto candidate : {Summary::Better::higher, Summary::Better::lower})
    if (better == word(candidate)) figure.better = candidate;
  return figure;
}

}  // namespace attnlab
