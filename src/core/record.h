// The one interface through which everything reports and, on resuming, asks what is already there. The HDF5
// file and its JSON-lines twin implement it (results/).
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace attnlab {

using Value = std::variant<int64_t, double, std::string>;

/// A column of a table: what readers need to print it without a guide.
struct Column {
  enum class Type { integer, real, text };
  std::string name;
  Type type;
  std::string unit;     ///< "1" for a plain number, "s", "byte", "token", "nat", …
  std::string meaning;  ///< the long name
};

/// An extendable table, one HDF5 group with one dataset a column. The first column is the dimension scale.
struct Table {
  std::string path;  ///< "/train", "/eval/test", "/speed"
  std::string meaning;
  std::vector<Column> columns;
};

/// A dimension of an array: what each place along it stands for.
struct Dimension {
  std::string name;
  std::string unit;
  std::string meaning;
  std::vector<int64_t> at;  ///< a number for every place
};

/// Integers along dimensions, for what is too much for a row a number: one HDF5 group with a dataset,
/// compressed, and a scale for each dimension.
struct Array {
  std::string path;  ///< of the group: "/cache/document_0/chunk_3"
  std::string name;  ///< of the dataset in it
  std::string unit;
  std::string meaning;
  std::vector<Dimension> dimensions;
  std::vector<int64_t> values;  ///< the last dimension runs fastest
};

/// A headline figure: one scalar under /summary.
struct Summary {
  enum class Better { higher, lower, neither };
  /// A standard error that has no meaning, a value that could not be had.
  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  std::string name;
  double value = 0;
  std::string unit;
  std::string meaning;
  Better better = Better::neither;
  int64_t n = 1;                ///< examples, documents or repetitions behind the value
  double standard_error = 0.0;  ///< `unknown` where it has no meaning
  std::string floor_of = {};    ///< of a floor: the figure that it is a floor of
  std::string row = {};         ///< of a floor: its name, "majority class"
};

/// A headline figure that a task will write: what is known of it before there is a value.
struct Headline {
  std::string name;  ///< as under /summary
  std::string unit;
  std::string meaning;
  Summary::Better better = Summary::Better::neither;
  /// Of a floor: the headline that it is a floor of, and what its row in a table is called ("majority
  /// class"). A floor is what can be had without the thing measured, from the same data.
  std::string floor_of = {}, row = {};
};

class RecordSink {
 public:
  virtual ~RecordSink() = default;

  /// Creates the table, or opens it when the record is being resumed. All tables are defined before the first
  /// row.
  virtual void define(const Table& table) = 0;
  /// Appends a row; one value a column, in the order of the definition.
  virtual void append(std::string_view table, std::span<const Value> row) = 0;
  /// Rows that a reader may trust.
  virtual int64_t rows(std::string_view table) const = 0;
  /// Forgets the rows after the first `count`: what a killed run wrote after its last checkpoint.
  virtual void truncate(std::string_view table, int64_t count) = 0;
  /// Writes an array, or replaces the one of this path as a whole: a resumed run stores again what it does
  /// again.
  virtual void store(const Array& array) = 0;
  /// Writes or replaces a headline figure.
  virtual void summarise(const Summary& figure) = 0;
  /// Writes or replaces an attribute of the whole record.
  virtual void attribute(std::string_view name, const Value& value) = 0;
  /// Makes everything appended so far survive SIGKILL.
  virtual void flush() = 0;
};

}  // namespace attnlab
