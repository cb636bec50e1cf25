// Token F1 of answers, by SQuAD's rules (Rajpurkar et al. 2016), which QASPER's official evaluator applies.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attnlab {

/// The words of an answer: lower-cased, ASCII punctuation deleted, "a", "an" and "the" left out, split at
/// white space; each as Python would (metrics/python/text.h).
std::vector<std::string> squad_tokens(std::string_view answer);

/// 2pr / (p + r) over the words that both have, each as often as both have it; 0 where there is none, even of
/// two empty answers.
double token_f1(std::string_view prediction, std::string_view reference);
/// The largest over the references. There is at least one.
double best_token_f1(std::string_view prediction, std::span<const std::string> references);

}  // namespace attnlab
