// Every data set of labelled sequences. Adding one: a pair of files, and a line here.
#include "core/error.h"
#include "data/imdb.h"
#include "data/listops.h"
#include "data/sequences.h"

namespace attnlab {

template <>
const std::vector<Entry<SequenceDataOptions>>& registry<SequenceDataOptions>() {
  static const std::vector<Entry<SequenceDataOptions>> table = {
      entry<SequenceDataOptions, ImdbOptions>(
          "imdb", "movie reviews as bytes, positive or negative (Maas et al. 2011)"),
      entry<SequenceDataOptions, ListOpsOptions>(
          "listops",
          "nested operations on digits, generated; the result is the class (Nangia & Bowman 2018)"),
  };
  return table;
}

std::string_view name_of(Split split) {
  switch (split) {
    case Split::train:
      return "train";
    case Split::validation:
      return "validation";
    case Split::test:
      return "test";
  }
  ensure(false, "a split");
  return "";
}

std::shared_ptr<LabelledSequences> LabelledSplits::operator[](Split split) const {
  return split == Split::train ? train : split == Split::validation ? validation : test;
}

}  // namespace attnlab
