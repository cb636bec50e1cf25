#include "metrics/porter_stemmer.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string_view>
#include <vector>

namespace attnlab {
namespace {

using Text = std::string_view;

/// By letter: whether it is a consonant. A y is one at the beginning and behind a vowel.
std::vector<bool> consonants(Text word) {
  std::vector<bool> flags;
  for (const char c : word)
    flags.push_back(Text("aeiou").find(c) == Text::npos && (c != 'y' || flags.empty() || !flags.back()));
  return flags;
}

/// m of [C](VC)^m[V].
int measure(Text word) {
  const std::vector<bool> flags = consonants(word);
  int m = 0;
  for (std::size_t i = 1; i < flags.size(); ++i) m += !flags[i - 1] && flags[i];
  return m;
}

bool has_vowel(Text word) {
  const std::vector<bool> flags = consonants(word);
  return std::find(flags.begin(), flags.end(), false) != flags.end();
}

bool ends_in_consonant(Text word) { return !word.empty() && consonants(word).back(); }

bool ends_double(Text word) {
  return word.size() >= 2 && word.back() == word[word.size() - 2] && ends_in_consonant(word);
}

/// Consonant, vowel, consonant other than w, x and y; or, in NLTK's version, a word of a vowel and a
/// consonant.
bool ends_cvc(Text word) {
  const std::vector<bool> flags = consonants(word);
  const std::size_t n = flags.size();
  if (n == 2) return !flags[0] && flags[1];
  return n >= 3 && flags[n - 3] && !flags[n - 2] && flags[n - 1] &&
         Text("wxy").find(word.back()) == Text::npos;
}

struct Suffix {
  Text from, to;
};

/// The first suffix that fits decides: it is replaced where the stem's measure is above `least`, and no other
/// is tried.
std::string replaced(const std::string& word, std::span<const Suffix> suffixes, int least) {
  for (const auto& [from, to] : suffixes) {
    if (!word.ends_with(from)) continue;
    Text stem = Text(word).substr(0, word.size() - from.size());
    Text measured = stem;
    if (from == "logi") measured = Text(word).substr(0, word.size() - 3);  // the l counts with the stem
    const bool holds =
        measure(measured) > least && (from != "ion" || stem.ends_with('s') || stem.ends_with('t'));
    return holds ? std::string(stem).append(to) : word;
  }
  return word;
}

std::string without(const std::string& word, std::size_t letters) {
  return word.substr(0, word.size() - letters);
}

std::string plural(const std::string& word) {
  if (word.ends_with("ies")) return without(word, word.size() == 4 ? 1 : 2);
  if (word.ends_with("sses")) return without(word, 2);
  return word.ends_with("s") && !word.ends_with("ss") ? without(word, 1) : word;
}

std::string past_and_gerund(const std::string& word) {
  if (word.ends_with("ied")) return without(word, word.size() == 4 ? 1 : 2);
  if (word.ends_with("eed")) return measure(without(word, 3)) > 0 ? without(word, 1) : word;
  for (const Text suffix : {"ed", "ing"}) {
    if (!word.ends_with(suffix)) continue;
    const std::string stem = without(word, suffix.size());
    if (!has_vowel(stem)) continue;
    for (const Text end : {"at", "bl", "iz"})
      if (stem.ends_with(end)) return stem + "e";
    if (ends_double(stem)) return Text("lsz").find(stem.back()) == Text::npos ? without(stem, 1) : stem;
    return measure(stem) == 1 && ends_cvc(stem) ? stem + "e" : stem;
  }
  return word;
}

std::string final_y(std::string word) {
  if (word.size() > 2 && word.ends_with("y") && ends_in_consonant(Text(word).substr(0, word.size() - 1)))
    word.back() = 'i';
  return word;
}

std::string double_suffixes(const std::string& word) {
  if (word.ends_with("alli") && measure(without(word, 4)) > 0) return double_suffixes(without(word, 2));
  static constexpr std::array<Suffix, 22> suffixes{
      {{"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"}, {"anci", "ance"}, {"izer", "ize"},
       {"bli", "ble"},     {"alli", "al"},     {"entli", "ent"}, {"eli", "e"},     {"ousli", "ous"},
       {"ization", "ize"}, {"ation", "ate"},   {"ator", "ate"},  {"alism", "al"},  {"iveness", "ive"},
       {"fulness", "ful"}, {"ousness", "ous"}, {"aliti", "al"},  {"iviti", "ive"}, {"biliti", "ble"},
       {"fulli", "ful"},   {"logi", "log"}}};
  return replaced(word, suffixes, 0);
}

std::string more_suffixes(const std::string& word) {
  static constexpr std::array<Suffix, 7> suffixes{{{"icate", "ic"},
                                                   {"ative", ""},
                                                   {"alize", "al"},
                                                   {"iciti", "ic"},
                                                   {"ical", "ic"},
                                                   {"ful", ""},
                                                   {"ness", ""}}};
  return replaced(word, suffixes, 0);
}

std::string last_suffixes(const std::string& word) {
  static constexpr std::array<Suffix, 19> suffixes{{{"al", ""},
                                                    {"ance", ""},
                                                    {"ence", ""},
                                                    {"er", ""},
                                                    {"ic", ""},
                                                    {"able", ""},
                                                    {"ible", ""},
                                                    {"ant", ""},
                                                    {"ement", ""},
                                                    {"ment", ""},
                                                    {"ent", ""},
                                                    {"ion", ""},
                                                    {"ou", ""},
                                                    {"ism", ""},
                                                    {"ate", ""},
                                                    {"iti", ""},
                                                    {"ous", ""},
                                                    {"ive", ""},
                                                    {"ize", ""}}};
  return replaced(word, suffixes, 1);
}

std::string final_letters(std::string word) {
  if (word.ends_with("e")) {
    const std::string stem = without(word, 1);
    const int m = measure(stem);
    if (m > 1 || (m == 1 && !ends_cvc(stem))) word = stem;
  }
  return word.ends_with("ll") && measure(without(word, 1)) > 1 ? without(word, 1) : word;
}

}  // namespace

std::string porter_stem(const std::string& word) {
  static const std::map<Text, Text> irregular{
      {"sky", "sky"},        {"skies", "sky"},       {"dying", "die"},        {"lying", "lie"},
      {"tying", "tie"},      {"news", "news"},       {"innings", "inning"},   {"inning", "inning"},
      {"outings", "outing"}, {"outing", "outing"},   {"cannings", "canning"}, {"canning", "canning"},
      {"howe", "howe"},      {"proceed", "proceed"}, {"exceed", "exceed"},    {"succeed", "succeed"}};
  if (const auto found = irregular.find(word); found != irregular.end()) return std::string(found->second);
  if (word.size() <= 2) return word;
  return final_letters(last_suffixes(more_suffixes(double_suffixes(final_y(past_and_gerund(plural(word)))))));
}

}  // namespace attnlab
