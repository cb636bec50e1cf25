#include "metrics/rouge.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "core/error.h"
#include "metrics/porter_stemmer.h"

namespace attnlab {
namespace {

using Tokens = std::vector<std::string>;

/// Python's lower() of those characters alone that it makes ASCII: A to Z, the Kelvin sign, and the dotted
/// capital I, which becomes an i and a combining dot.
std::string lower_ascii(std::string_view text) {
  constexpr std::string_view kelvin = "\u212A", dotted = "\u0130";
  std::string lower;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    if (rest.starts_with(kelvin)) {
      lower += 'k';
      i += kelvin.size() - 1;
    } else if (rest.starts_with(dotted)) {
      lower += "i ";  // the dot separates
      i += dotted.size() - 1;
    } else {
      lower += 'A' <= text[i] && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    }
  }
  return lower;
}

Tokens tokens_of(std::string_view text, bool stemmer) {
  Tokens tokens;
  std::string token;
  const auto end = [&] {
    if (token.empty()) return;
    tokens.push_back(stemmer && token.size() > 3 ? porter_stem(token) : token);
    token.clear();
  };
  for (const char c : lower_ascii(text))
    if (('a' <= c && c <= 'z') || ('0' <= c && c <= '9'))
      token += c;
    else
      end();
  end();
  return tokens;
}

RougeScore score_of(int64_t hits, std::size_t predicted, std::size_t wanted) {
  if (predicted == 0 || wanted == 0) return {};
  RougeScore s{static_cast<double>(hits) / static_cast<double>(predicted),
               static_cast<double>(hits) / static_cast<double>(wanted)};
  if (s.precision + s.recall > 0) s.f = 2 * s.precision * s.recall / (s.precision + s.recall);
  return s;
}

using Counts = std::unordered_map<std::string, int64_t>;

Counts ngrams(const Tokens& tokens, std::size_t n) {
  Counts counts;
  for (std::size_t i = 0; i + n <= tokens.size(); ++i) {
    std::string gram = tokens[i];
    for (std::size_t j = 1; j < n; ++j) gram += ' ' + tokens[i + j];
    ++counts[gram];
  }
  return counts;
}

RougeScore by_ngrams(const Tokens& reference, const Tokens& prediction, std::size_t n) {
  const Counts wanted = ngrams(reference, n), found = ngrams(prediction, n);
  int64_t hits = 0;
  for (const auto& [gram, count] : wanted)
    if (const auto same = found.find(gram); same != found.end()) hits += std::min(count, same->second);
  const auto grams = [n](const Tokens& t) { return t.size() < n ? 0 : t.size() - n + 1; };
  return score_of(hits, grams(prediction), grams(reference));
}

/// The length of the longest common subsequence. `shorten_prediction`, where given, gets for each pair of
/// beginnings, [reference + 1, prediction + 1], whether leaving out the prediction's last token leaves more
/// than leaving out the reference's: a bit each, for documents of 60,000 words have 3.6 billion pairs.
int32_t longest_common(const Tokens& reference, const Tokens& prediction,
                       std::vector<bool>* shorten_prediction = nullptr) {
  const std::size_t columns = prediction.size() + 1;
  if (shorten_prediction) shorten_prediction->assign((reference.size() + 1) * columns, false);
  std::vector<int32_t> lengths(columns, 0);  // of the beginning of the reference read so far
  for (std::size_t i = 1; i <= reference.size(); ++i) {
    int32_t diagonal = 0;
    for (std::size_t j = 1; j < columns; ++j) {
      const int32_t above = lengths[j];
      if (shorten_prediction) (*shorten_prediction)[i * columns + j] = lengths[j - 1] > above;
      lengths[j] = reference[i - 1] == prediction[j - 1] ? diagonal + 1 : std::max(above, lengths[j - 1]);
      diagonal = above;
    }
  }
  return lengths.back();
}

/// Marks the reference's tokens of one of the longest common subsequences. Which one among equals changes
/// scores: a tie steps back in the reference, as in rouge_score.
void mark_common(const Tokens& reference, const Tokens& prediction, std::vector<bool>& marked) {
  std::vector<bool> shorten_prediction;
  longest_common(reference, prediction, &shorten_prediction);
  std::size_t i = reference.size(), j = prediction.size();
  while (i > 0 && j > 0) {
    if (reference[i - 1] == prediction[j - 1]) {
      marked[--i] = true;
      --j;
    } else if (shorten_prediction[i * (prediction.size() + 1) + j]) {
      --j;
    } else {
      --i;
    }
  }
}

std::vector<Tokens> lines_of(std::string_view text, bool stemmer) {
  std::vector<Tokens> lines;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) lines.push_back(tokens_of(text.substr(begin, end - begin), stemmer));
    begin = end + 1;
  }
  return lines;
}

Counts all_tokens(const std::vector<Tokens>& lines) {
  Counts counts;
  for (const Tokens& line : lines)
    for (const std::string& token : line) ++counts[token];
  return counts;
}

RougeScore by_lines(const std::vector<Tokens>& reference, const std::vector<Tokens>& prediction) {
  Counts left_there = all_tokens(reference), left_here = all_tokens(prediction);
  std::size_t wanted = 0, predicted = 0;
  for (const Tokens& line : reference) wanted += line.size();
  for (const Tokens& line : prediction) predicted += line.size();
  int64_t hits = 0;
  for (const Tokens& line : reference) {
    std::vector<bool> marked(line.size());
    for (const Tokens& other : prediction) mark_common(line, other, marked);
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (!marked[i]) continue;
      const auto here = left_here.find(line[i]), there = left_there.find(line[i]);
      if (here == left_here.end() || here->second == 0 || there->second == 0) continue;
      ++hits;
      --here->second;
      --there->second;
    }
  }
  return score_of(hits, predicted, wanted);
}

}  // namespace

RougeScores rouge(std::string_view reference, std::string_view prediction, bool stemmer) {
  const Tokens wanted = tokens_of(reference, stemmer), predicted = tokens_of(prediction, stemmer);
  const int64_t common = longest_common(wanted, predicted);
  return {by_ngrams(wanted, predicted, 1), by_ngrams(wanted, predicted, 2),
          score_of(common, predicted.size(), wanted.size()),
          by_lines(lines_of(reference, stemmer), lines_of(prediction, stemmer))};
}

RougeScores best_rouge(std::span<const std::string> references, std::string_view prediction, bool stemmer) {
  ensure(!references.empty(), "a reference at least");
  RougeScores best = rouge(references.front(), prediction, stemmer);
  for (const std::string& reference : references.subspan(1)) {
    const RougeScores other = rouge(reference, prediction, stemmer);
    for (std::size_t i = 0; i < best.size(); ++i)
      if (other[i].f > best[i].f) best[i] = other[i];
  }
  return best;
}

}  // namespace attnlab
