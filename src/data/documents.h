// Documents for language modelling: running text, or token ids that somebody else's tokenizer made of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"
#include "data/sequences.h"

namespace attnlab {

/// Either a text or token ids, as the set's holds_ids() says.
struct Document {
  std::string id;            ///< the publisher's name of it: "10146"; UTF-8 on one line
  std::string origin;        ///< where it was read, for messages: a file, or file:line
  std::string text;          ///< a plain_text (core/plain_text.h)
  std::vector<int32_t> ids;  ///< token ids, not checked against any vocabulary
};

/// Documents in a fixed order, none of them empty.
class Documents {
 public:
  virtual ~Documents() = default;
  virtual int64_t size() const = 0;
  virtual const std::string& id(int64_t i) const = 0;
  /// Throws RunError where the file has become unreadable since it was listed.
  virtual Document read(int64_t i) const = 0;
};

/// Options of one set of documents; `type` in YAML picks it from the table in data/documents.cpp.
struct DocumentDataOptions : Component {
  virtual bool holds_ids() const { return false; }
  /// Throws UserError where there is nothing to read, or what there is cannot be used. Empty documents are
  /// left out, and said to be.
  virtual std::shared_ptr<Documents> open(const DataPlace& place) const = 0;
};

template <>
const std::vector<Entry<DocumentDataOptions>>& registry<DocumentDataOptions>();

/// How many documents "the first `most`" are; 0 stands for all.
int64_t count_of(const Documents& documents, int64_t most);

/// SHA-256 over ids and contents of the first `count` documents. Every one is read for it, so here it is also
/// told how many of them are not UTF-8.
std::string checksum_of(const Documents& documents, int64_t count);

}  // namespace attnlab
