// Every set of sentence pairs. Adding one: a pair of files, and a line here.
#include "core/error.h"
#include "core/files.h"
#include "data/translation/fairseq_binarised.h"
#include "data/translation/multi30k.h"
#include "data/translation/pairs.h"
#include "data/translation/piece_vocabulary.h"
#include "data/translation/saved_vocabulary.h"
#include "data/translation/sentencepiece_vocabulary.h"
#include "data/translation/subword_nmt.h"
#include "data/translation/tatoeba.h"
#include "data/translation/text_pairs.h"
#include "data/translation/wmt14.h"

namespace attnlab {

template <>
const std::vector<Entry<TranslationDataOptions>>& registry<TranslationDataOptions>() {
  static const std::vector<Entry<TranslationDataOptions>> table = {
      entry<TranslationDataOptions, Multi30kOptions>(
          "multi30k", "captions of images, raw text, English-German (Elliott et al. 2016)"),
      entry<TranslationDataOptions, TatoebaOptions>("tatoeba",
                                                    "short everyday sentences, raw text, English-German"),
      entry<TranslationDataOptions, Wmt14Options>(
          "wmt14", "Europarl v7, CommonCrawl, News Commentary v9, raw text, English-German"),
      entry<TranslationDataOptions, TextPairsOptions>("text_pairs", "files of raw text, line by line"),
      entry<TranslationDataOptions, SubwordNmtOptions>(
          "subword_nmt", "files of tokenised text, cut by codes of subword-nmt (Sennrich et al. 2016)"),
      entry<TranslationDataOptions, FairseqBinarisedOptions>("fairseq_binarised",
                                                             "a folder that fairseq-preprocess made"),
  };
  return table;
}

std::string checksum_of_parts(const TranslationData& data) {
  std::string all = data.vocabulary->checksum();
  for (const auto& part : {data.train, data.validation, data.test}) all += part->content_sha256();
  return sha256(all);
}

std::shared_ptr<const TranslationVocabulary> open_saved_vocabulary(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / saved_sentencepiece))
    return open_joint_vocabulary(folder / saved_sentencepiece);
  if (std::filesystem::exists(folder / saved_dictionary)) return open_piece_vocabulary(folder);
  user_error("{} holds no vocabulary for translation: there is neither {} nor {} in it", folder.string(),
             saved_sentencepiece, saved_dictionary);
}

}  // namespace attnlab
