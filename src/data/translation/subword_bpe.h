// Byte pair encoding as subword-nmt applies it (Sennrich et al. 2016), from its own files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace attnlab {

/// The words of a vocabulary file of subword-nmt, "symbol count" a line, in its order. A line without a count
/// is taken where `threshold` is 0. Throws UserError, naming file and line, for another line.
std::vector<std::string> read_bpe_vocabulary(const std::filesystem::path& file, int64_t threshold);

/// Merges of words that stand between spaces. Immutable, so that threads can share it.
class SubwordBpe {
 public:
  static constexpr std::string_view separator = "@@";

  /// From a file of codes, with or without the line "#version: 0.2". `vocabulary`: merges that make a piece
  /// which is none of these are undone; empty: none is. Throws UserError, naming file and line, for what is
  /// no pair.
  SubwordBpe(const std::filesystem::path& codes, const std::vector<std::string>& vocabulary);

  /// Pieces of one word, all but the last ending in the separator.
  std::vector<std::string> pieces(std::string_view word) const;
  const std::string& codes() const { return codes_; }  ///< the file
  std::string vocabulary() const;                      ///< sorted, one a line

 private:
  struct Merge {
    int32_t rank, merged;
  };
  /// A symbol while it is merged: a number where a rule knows it, and its bytes of the word.
  struct Part {
    int32_t symbol;
    std::size_t begin, end;
  };
  int32_t number_of(const std::string& symbol);
  int32_t known(const std::string& symbol) const;
  void add(std::string_view line, int32_t rank, const std::string& origin);
  std::vector<Part> characters(std::string_view word) const;
  bool merge_lowest(std::vector<Part>& parts) const;
  bool has(const std::string& piece, bool final) const;
  void put(const std::string& piece, bool final, std::vector<std::string>& made) const;
  void split(const std::string& piece, bool final, std::vector<std::string>& made) const;

  std::string codes_;
  bool end_is_apart_ = false;  ///< version 0.1: "</w>" is a symbol of its own
  std::unordered_map<std::string, int32_t> numbers_;
  std::unordered_map<uint64_t, Merge> merges_;
  std::unordered_map<std::string, std::pair<std::string, std::string>> made_of_;
  std::unordered_set<std::string> vocabulary_;
};

}  // namespace attnlab
