#include "data/translation/encode_pairs.h"

#include <algorithm>
#include <deque>
#include <future>

#include "core/available_cores.h"
#include "core/log.h"
#include "core/stop.h"

namespace attnlab {
namespace {

constexpr std::size_t chunk_pairs = 4096;
using Ids = std::vector<int64_t>;

struct TextChunk {
  std::vector<std::string> source, target;
};
struct IdChunk {
  std::vector<Ids> source, target;
};

Ids sentence(const TranslationVocabulary& vocabulary, const std::string& text) {
  Ids ids = vocabulary.encode(text);
  ids.push_back(TranslationVocabulary::eos);
  return ids;
}

IdChunk encode_chunk(const TranslationVocabulary& vocabulary, const TextChunk& texts) {
  IdChunk chunk;
  for (const auto& text : texts.source) chunk.source.push_back(sentence(vocabulary, text));
  for (const auto& text : texts.target) chunk.target.push_back(sentence(vocabulary, text));
  return chunk;
}

TextChunk read_chunk(TextPairsReader& reader, Cleaner* cleaner) {
  TextChunk chunk;
  std::string source, target;
  while (chunk.source.size() < chunk_pairs && reader.next(source, target)) {
    if (cleaner && !cleaner->keeps_texts(source, target)) continue;
    chunk.source.push_back(source);
    chunk.target.push_back(target);
  }
  return chunk;
}

/// Lines of text that was cut into subword-nmt's pieces before.
class CutAlready {
 public:
  void look_at(const TextChunk& texts) {
    for (const auto* side : {&texts.source, &texts.target})
      for (const std::string& text : *side) {
        ++lines_;
        cut_ += text.find("@@ ") != std::string::npos;
      }
  }
  void tell(const std::filesystem::path& first) const {
    if (cut_ * 10 > lines_)
      log_info(
          "warning: in {} of {} lines ({} and others) words end in \"@@\", as of text that is cut into "
          "pieces "
          "already; here it is cut again",
          cut_, lines_, first.string());
  }

 private:
  int64_t lines_ = 0, cut_ = 0;
};

int64_t write_chunk(const IdChunk& chunk, Cleaner* cleaner, PairFileWriter& writer) {
  int64_t written = 0;
  for (std::size_t i = 0; i < chunk.source.size(); ++i) {
    const auto pieces = [](const Ids& ids) { return static_cast<int64_t>(ids.size()) - 1; };
    if (cleaner && !cleaner->keeps_lengths(pieces(chunk.source[i]), pieces(chunk.target[i]))) continue;
    writer.add(chunk.source[i], chunk.target[i]);
    ++written;
  }
  return written;
}

}  // namespace

CleaningReport encode_pairs(const std::vector<TextPairFiles>& files, const CleaningOptions* cleaning,
                            const TranslationVocabulary& vocabulary, PairFileWriter& writer) {
  TextPairsReader reader(files);
  Cleaner counting(cleaning ? *cleaning : CleaningOptions());
  Cleaner* const cleaner = cleaning ? &counting : nullptr;
  const auto at_work = static_cast<std::size_t>(std::clamp<int64_t>(available_cores(), 1, 16));
  std::deque<std::future<IdChunk>> waiting;
  CutAlready cut;
  int64_t written = 0;
  for (bool more = true; more || !waiting.empty();) {
    stop_here_if_requested();
    if (more) {
      TextChunk texts = read_chunk(reader, cleaner);
      more = !texts.source.empty();
      cut.look_at(texts);
      if (more)
        waiting.push_back(std::async(std::launch::async, [&vocabulary, texts = std::move(texts)] {
          return encode_chunk(vocabulary, texts);
        }));
    }
    if (waiting.empty() || (more && waiting.size() < at_work)) continue;
    written += write_chunk(waiting.front().get(), cleaner, writer);
    waiting.pop_front();
    log_progress(fmt::format("encoding: {} pairs", written));
  }
  CleaningReport report = counting.report();
  if (!cleaner) report.read = report.kept = written;
  if (!files.empty()) cut.tell(files.front().source);
  return report;
}

}  // namespace attnlab
