// fairseq's compound split (scripts/compound_split_bleu.sh, after Vaswani et al. 2017): the form in which
// papers report BLEU on WMT'14 EN-DE. It is defined on tokenised text, so that figures of two tokenizers do
// not compare.
#pragma once

#include <string>
#include <string_view>

namespace attnlab {

/// Deletes the marks of subword-nmt, "@@ " and one at the end of the line.
std::u32string without_subwords(std::u32string_view tokens);

/// Joins subwords, then puts " ##AT##-##AT## " for every hyphen between two characters that are no ASCII
/// white space. As in s/(\S)-(\S)/…/g a character belongs to one match: "a-b-c" keeps its second hyphen.
std::u32string compound_split(std::u32string_view tokens);

}  // namespace attnlab
