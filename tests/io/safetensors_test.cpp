// Files of ours and of Python's safetensors, and everything that can be wrong with one.
#include "io/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "core/error.h"
#include "io/temporary.h"

namespace attnlab {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::vector<std::pair<std::string, torch::ScalarType>> kinds{
    {"f64", torch::kFloat64}, {"f32", torch::kFloat32}, {"f16", torch::kFloat16}, {"bf16", torch::kBFloat16},
    {"i64", torch::kInt64},   {"i32", torch::kInt32},   {"i16", torch::kInt16},   {"i8", torch::kInt8}};

/// As tests/golden/make_safetensors.py fills them: 0 … 5 minus 2.
torch::Tensor counting() { return torch::arange(6).reshape({2, 3}) - 2; }

NamedTensors one_of_each() {
  NamedTensors tensors;
  for (const auto& [name, type] : kinds) tensors.emplace_back(name, counting().to(type));
  tensors.emplace_back("u8", (counting() + 2).to(torch::kUInt8));
  tensors.emplace_back("bool", torch::arange(6).reshape({2, 3}) % 2 == 1);
  tensors.emplace_back("scalar", torch::tensor(2.5f));
  tensors.emplace_back("empty", torch::zeros({0, 4}));
  return tensors;
}

void expect_one_of_each(const SafetensorsFile& file) {
  const NamedTensors expected = one_of_each();
  EXPECT_EQ(file.entries().size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    const torch::Tensor found = file.tensor(name);
    EXPECT_EQ(found.scalar_type(), tensor.scalar_type()) << name;
    EXPECT_EQ(found.sizes(), tensor.sizes()) << name;
    EXPECT_TRUE(torch::equal(found, tensor)) << name << ":\n" << found;
  }
}

TEST(Safetensors, ReadsEveryTypeThatPythonWrites) {
  const auto file = SafetensorsFile::open(ATTNLAB_SOURCE_DIR "/tests/golden/python.safetensors");
  expect_one_of_each(file);
  EXPECT_EQ(file.metadata().at("made_by"), "make_safetensors.py");
  EXPECT_EQ(file.metadata().at("note"), "naïve");
}

// tests/python/test_checkpoint.py runs this test with ATTNLAB_KEEP set and opens the file with Python's
// safetensors.
TEST(Safetensors, WritesWhatItReads) {
  const Temporary folder;
  const char* keep = ::getenv("ATTNLAB_KEEP");
  const std::filesystem::path path = keep ? std::filesystem::path(keep) : folder / "new" / "each.safetensors";
  save_safetensors(path, one_of_each(), {{"made_by", "attnlab"}});
  const auto file = SafetensorsFile::open(path);
  expect_one_of_each(file);
  EXPECT_EQ(file.metadata(), (Metadata{{"made_by", "attnlab"}}));
}

TEST(Safetensors, WritesStridedTensorsInRowMajorOrder) {
  const Temporary folder;
  const torch::Tensor matrix = torch::arange(12.0).reshape({3, 4});
  save_safetensors(folder / "a", {{"transposed", matrix.t()}, {"every_other", matrix.slice(1, 0, 4, 2)}});
  const auto file = SafetensorsFile::open(folder / "a");
  EXPECT_TRUE(torch::equal(file.tensor("transposed"), matrix.t()));
  EXPECT_TRUE(torch::equal(file.tensor("every_other"), matrix.slice(1, 0, 4, 2)));
}

TEST(Safetensors, ATensorOutlivesItsFile) {
  const Temporary folder;
  save_safetensors(folder / "a", {{"x", counting()}});
  const torch::Tensor x = SafetensorsFile::open(folder / "a").tensor("x");
  std::filesystem::remove(folder / "a");
  EXPECT_TRUE(torch::equal(x, counting()));
}

TEST(Safetensors, ATensorThatIsNotThereIsNamed) {
  const Temporary folder;
  save_safetensors(folder / "a", {{"x", counting()}});
  const auto file = SafetensorsFile::open(folder / "a");
  EXPECT_THAT(sentence_of<UserError>([&] { file.tensor("y"); }), HasSubstr("no tensor 'y'"));
}

TEST(Safetensors, ATensorAtAnOddByteIsReadWhole) {
  const Temporary folder;
  const float value = 1.5f;
  const SafetensorsEntry byte{"a", "U8", {1}, 0, 1}, real{"b", "F32", {1}, 1, 5};
  write_bytes(folder / "odd", format_safetensors_header({byte, real}, {}) + "\x07" +
                                  std::string(reinterpret_cast<const char*>(&value), sizeof value));
  const auto file = SafetensorsFile::open(folder / "odd");
  EXPECT_EQ(file.tensor("a").item<int>(), 7);
  EXPECT_EQ(file.tensor("b").item<float>(), 1.5f);
}

std::string with_length(const std::string& json, std::size_t data_bytes = 0) {
  std::string length;
  for (int i = 0; i < 8; ++i) length += static_cast<char>(json.size() >> (8 * i) & 0xff);
  return length + json + std::string(data_bytes, '\0');
}

struct Unsound {
  const char* name;
  std::string bytes;
  const char* sentence;
};

std::ostream& operator<<(std::ostream& out, const Unsound& u) { return out << u.name; }

class UnsoundFile : public testing::TestWithParam<Unsound> {};

TEST_P(UnsoundFile, IsRefusedWithOneSentenceThatNamesIt) {
  const Temporary folder;
  write_bytes(folder / "weights.safetensors", GetParam().bytes);
  const std::string said =
      sentence_of<UserError>([&] { SafetensorsFile::open(folder / "weights.safetensors"); });
  EXPECT_THAT(said, StartsWith((folder / "weights.safetensors").string()));
  EXPECT_THAT(said, HasSubstr(GetParam().sentence));
}

const std::vector<Unsound> unsound_files{
    {"Empty", "", "is cut short: 0 bytes"},
    {"SevenBytes", "1234567", "is cut short: 7 bytes"},
    {"HeaderLongerThanFile", with_length("{}").substr(0, 9),
     "is cut short: its header has 2 bytes, of which 1"},
    {"HugeHeader", std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}"),
     "claims a header of 18446744073709551615 bytes"},
    {"AnotherFormat", "\x89HDF\r\n\x1a\n and more", "is not a safetensors file"},
    {"NotAnObject", with_length("[1, 2]"), "does not begin with '{'"},
    {"NotJson", with_length("{\"a\": }"), "is not valid JSON"},
    {"NotUtf8", with_length("{\"\xff\xfe\": {}}"), "is not valid JSON"},
    {"NameTwice",
     with_length(
         R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
         2),
     "names 'a' twice"},
    {"NoShape", with_length(R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1), "lacks a dtype, a shape"},
    {"TensorIsText", with_length(R"({"a":"b"})"), "'a' lacks a dtype"},
    {"ThreeOffsets", with_length(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}})", 1),
     "lacks a dtype"},
    {"UnknownType", with_length(R"({"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", 1),
     "'a' has the type F8_E4M3"},
    {"NegativeSize", with_length(R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", 1),
     "is -1, which is no"},
    {"RealSize", with_length(R"({"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})", 1),
     "which is no count"},
    {"SizeOf2To63",
     with_length(R"({"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}})", 1),
     "which is no count"},
    {"ProductOverflows",
     with_length(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})"),
     "more than 2^63 bytes"},
    {"EmptyButForOverflow",
     with_length(R"({"a":{"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}})"),
     "more than 2^63 bytes"},
    {"DeeplyNested", with_length("{\"a\":" + std::string(1 << 20, '[') + std::string(1 << 20, ']') + "}"),
     "brackets nested more than 64 deep"},
    {"ShapeAgainstBytes", with_length(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4),
     "needs 8 bytes, and its data_offsets are [0,4]"},
    {"EndBeforeBegin", with_length(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", 1),
     "needs 1 bytes"},
    {"Overlap",
     with_length(
         R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
         3),
     "'b' begins at byte 1 of the data where 2 was expected"},
    {"Hole", with_length(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2),
     "overlap or leave a hole"},
    {"DataCutShort", with_length(R"({"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}})", 4),
     "is cut short: its tensors need 9 bytes, and 4 are there"},
    {"DataLeftOver", with_length(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 4),
     "3 bytes follow"},
    {"MetadataIsNumber", with_length(R"({"__metadata__":{"update":3}})"),
     "'update' in __metadata__ is not a text"},
    {"MetadataIsList", with_length(R"({"__metadata__":[]})"), "__metadata__ is not a map"},
};

INSTANTIATE_TEST_SUITE_P(Safetensors, UnsoundFile, testing::ValuesIn(unsound_files),
                         [](const auto& info) { return info.param.name; });

TEST(Safetensors, AFileThatIsMissingIsTheUsersMistake) {
  const Temporary folder;
  EXPECT_THAT(sentence_of<UserError>([&] { SafetensorsFile::open(folder / "no.safetensors"); }),
              HasSubstr("no.safetensors: No such file or directory"));
  EXPECT_THAT(sentence_of<UserError>([&] { SafetensorsFile::open(folder.path()); }),
              HasSubstr("Is a directory"));
}

}  // namespace
}  // namespace attnlab
