#include "data/pg19.h"

#include "core/log.h"
#include "data/text_files.h"

namespace attnlab {

void Pg19Options::visit(Fields& f) {
  f("split", split, {{"test", Split::test}, {"validation", Split::validation}, {"train", Split::train}},
    "which of the publishers' splits");
}

int64_t Pg19Options::published_books() const {
  return split == Split::train ? 28'602 : split == Split::validation ? 50 : 100;
}

std::shared_ptr<Documents> Pg19Options::open(const DataPlace& place) const {
  const std::string name(name_of(split));
  auto books = open_text_files(place.root / "pg19" / name,
                               fmt::format("; scripts/fetch_data pg19 --split {} fetches the books", name));
  if (books->size() != published_books())
    log_info("pg19: {} of the {} {} books are here", books->size(), published_books(), name);
  return books;
}

}  // namespace attnlab
