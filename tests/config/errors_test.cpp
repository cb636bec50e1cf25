// Every kind of mistake gets a sentence with file, line and full key path; all of them are told at once.
#include "sample.h"

namespace attnlab {
namespace {

struct Mistake {
  const char* name;
  std::string yaml;
  std::vector<std::string> overrides;
  std::string message;
};

void PrintTo(const Mistake& m, std::ostream* out) { *out << m.name; }

const Mistake mistakes[] = {
    {"UnknownKey", "seed: 1\nthreds: 2\n", {}, "f.yaml:2: threds: unknown key; did you mean 'threads'?"},
    {"UnknownNestedKey",
     "model:\n  dim: 8\n  haeds: 4\n",
     {},
     "f.yaml:3: model.haeds: unknown key; did you mean 'heads'?"},
    {"UnknownKeyLikeNone",
     "model:\n  zebra: 4\n",
     {},
     "f.yaml:2: model.zebra: unknown key; choose from dim, heads, dropout, norm, mixer"},
    {"KeyOfAnotherPlace",
     "learning_rate: 1\n",
     {},
     "f.yaml:1: learning_rate: unknown key; did you mean 'train.learning_rate'?"},
    {"KeyOfAnotherComponent",
     "model: {mixer: {type: plain, rows: 4}}\n",
     {},
     "f.yaml:1: model.mixer.rows: unknown key; it belongs to packed, but the type is plain"},
    {"KeyOfAnotherJob",
     "job: count\nmodel: {dim: 4}\n",
     {},
     "f.yaml:2: model: unknown key; it belongs to classify, but the type is count"},
    {"TextForWhole", "seed: abc\n", {}, "f.yaml:1: seed: expected a whole number, got the text 'abc'"},
    {"QuotedForWhole", "seed: \"7\"\n", {}, "f.yaml:1: seed: expected a whole number, got the text '7'"},
    {"FractionForWhole", "seed: 1.5\n", {}, "f.yaml:1: seed: expected a whole number, got 1.5"},
    {"OctalLooking",
     "seed: 010\n",
     {},
     "f.yaml:1: seed: expected a whole number, got 010, which some read as octal; write it without the "
     "leading 0"},
    {"Hexadecimal", "seed: 0x10\n", {}, "f.yaml:1: seed: expected a whole number, got the text '0x10'"},
    {"ListForWhole", "seed: [1]\n", {}, "f.yaml:1: seed: expected a whole number, got a list"},
    {"MapForWhole", "seed: {a: 1}\n", {}, "f.yaml:1: seed: expected a whole number, got a map of keys"},
    {"NotANumber",
     "model: {dropout: .nan}\n",
     {},
     "f.yaml:1: model.dropout: expected a number, got the text '.nan'"},
    {"YesForTrue",
     "model: {mixer: {tie: yes}}\n",
     {},
     "f.yaml:1: model.mixer.tie: expected true or false, got the text 'yes'"},
    {"NumberForList",
     "train: {betas: 0.9}\n",
     {},
     "f.yaml:1: train.betas: expected a list of numbers, got 0.9"},
    {"TextInList",
     "train:\n  betas:\n    - 0.9\n    - x\n",
     {},
     "f.yaml:4: train.betas[1]: expected a number, got the text 'x'"},
    {"MapForText", "title: {a: b}\n", {}, "f.yaml:1: title: expected text, got a map of keys"},
    {"WordForSection", "model: big\n", {}, "f.yaml:1: model: expected a map of keys, got the text 'big'"},
    {"WordForOptionalSection",
     "train: off\n",
     {},
     "f.yaml:1: train: expected a map of keys or none, got the text 'off'"},
    {"KeyOfASectionThatIsNone",
     "seed: 1\n",
     {"train.updates=5", "train=none"},
     "command line: train.updates: cannot be set beside train=none"},
    {"ListForComponent",
     "model: {mixer: [packed]}\n",
     {},
     "f.yaml:1: model.mixer: expected one of plain, packed, nested, got a list"},
    {"TooLarge",
     "model:\n  heads: 2000\n",
     {},
     "f.yaml:2: model.heads: 2000 is out of range; it must be between 1 and 1024"},
    {"TooSmall", "seed: -1\n", {}, "f.yaml:1: seed: -1 is out of range; it must be at least 0"},
    {"BeyondSixtyFourBits",
     "seed: 99999999999999999999\n",
     {},
     "f.yaml:1: seed: 99999999999999999999 is out of range; it must be at least 0"},
    {"FractionTooLarge",
     "model: {dropout: 1}\n",
     {},
     "f.yaml:1: model.dropout: 1 is out of range; it must be between 0 and 0.99"},
    {"OutOfRangeInList",
     "train: {betas: [0.9, 1.5]}\n",
     {},
     "f.yaml:1: train.betas[1]: 1.5 is out of range; it must be between 0 and 1"},
    {"WordNotInList",
     "model: {norm: pots}\n",
     {},
     "f.yaml:1: model.norm: expected one of pre, post, got the text 'pots'; did you mean 'post'?"},
    {"WordOfListNotInList",
     "splits: [train, tset]\n",
     {},
     "f.yaml:1: splits[1]: expected one of train, validation, test, got the text 'tset'; did you mean "
     "'test'?"},
    {"UnknownComponent",
     "model:\n  mixer: paked\n",
     {},
     "f.yaml:2: model.mixer: expected one of plain, packed, nested, got the text 'paked'; did you mean "
     "'packed'?"},
    {"UnknownType",
     "model:\n  mixer:\n    type: paked\n    rows: 4\n",
     {},
     "f.yaml:3: model.mixer.type: expected one of plain, packed, nested, got the text 'paked'; did you mean "
     "'packed'?"},
    {"UnknownJob",
     "job: clasify\nmodel: {dim: 4}\n",
     {},
     "f.yaml:1: job: expected one of classify, count, got the text 'clasify'; did you mean 'classify'?"},
    {"NoValue", "seed:\nthreads: 1\n", {}, "f.yaml:1: seed: has no value"},
    {"NullValue", "seed: null\n", {}, "f.yaml:1: seed: has no value"},
    {"NullText", "title: ~\n", {}, "f.yaml:1: title: has no value"},
    {"NullInList",
     "splits: [train, ]\ntrain: {betas: [0.9, null]}\n",
     {},
     "f.yaml:2: train.betas[1]: has no value"},
    {"NullType",
     "model: {mixer: {type: }}\n",
     {},
     "f.yaml:1: model.mixer.type: has no value; choose from plain, packed, nested"},
    {"DuplicateKey",
     "seed: 1\nmodel:\n  dim: 8\n  dim: 16\n",
     {},
     "f.yaml:4: model.dim: duplicate key; it stands at f.yaml:3 already"},
    {"MergeKey",
     "model:\n  <<: {dim: 8}\n",
     {},
     "f.yaml:2: model.<<: merge keys ('<<') are not supported; use include, or repeat the keys"},
    {"RuleAtItsKey", "model:\n  heads: 7\n", {}, "f.yaml:2: model.heads: 7 heads do not divide dim 512"},
    {"RuleAtItsSection",
     "seed: 3\nmodel:\n  dim: 12\n",
     {},
     "f.yaml:2: model.heads: 8 heads do not divide dim 12"},
    {"RuleAboutRefusedValue",
     "model:\n  dim: wide\n  heads: 7\n",
     {},
     "f.yaml:2: model.dim: expected a whole number, got the text 'wide'"},
    {"OverrideUnknown",
     "model:\n  dim: 8\n",
     {"model.haeds=2"},
     "command line: model.haeds: unknown key; did you mean 'model.heads'?"},
    {"OverrideUnknownSection",
     "",
     {"modle.heads=2"},
     "command line: modle: unknown key; did you mean 'model'?"},
    {"OverrideWrongType", "", {"seed=x"}, "command line: seed: expected a whole number, got the text 'x'"},
    {"OverrideBeneathScalar",
     "seed: 1\n",
     {"seed.x=2"},
     "f.yaml:1: seed: expected a whole number, got a map of keys"},
    {"OverrideWithoutValue", "", {"seed="}, "command line: seed: has no value"},
    {"OverrideWithoutEquals", "", {"seed"}, "command line: 'seed' is not of the form key.path=value"},
    {"OverrideBadPath", "", {"model..dim=3"}, "command line: 'model..dim' is no path of keys"},
    {"OverrideNoYaml",
     "",
     {"splits=[train"},
     "command line: splits: cannot be read as YAML: end of sequence flow not found"},
    {"SeveralOverrides",
     "",
     {"seed", "=3"},
     "command line: 'seed' is not of the form key.path=value\ncommand line: '=3' is not of the form "
     "key.path=value"},
    {"Several",
     "seed: -1\nthreds: 2\nmodel:\n  dim: 8\n  dim: 9\n  norm: [pre]\n  mixer: {type: packed, tie: 1}\n",
     {"train.updates=many"},
     "f.yaml:5: model.dim: duplicate key; it stands at f.yaml:4 already\n"
     "f.yaml:1: seed: -1 is out of range; it must be at least 0\n"
     "f.yaml:6: model.norm: expected text, got a list\n"
     "f.yaml:7: model.mixer.tie: expected true or false, got 1\n"
     "command line: train.updates: expected a whole number, got the text 'many'\n"
     "f.yaml:2: threds: unknown key; did you mean 'threads'?"},
    {"NoMap", "- a\n- b\n", {}, "f.yaml:1: expected a map of keys"},
    {"MalformedFlow",
     "seed: 1\nmodel: {dim: 4\n",
     {},
     "f.yaml:3: cannot be read as YAML: end of map flow not found"},
    {"Tag", "seed: !!int 3\n", {}, "f.yaml:1: seed: YAML tags (!tag:yaml.org,2002:int) have no meaning here"},
    {"TwoDocuments",
     "seed: 1\n---\nseed: 2\n",
     {},
     "f.yaml:2: a configuration is one YAML document, here a second one begins"},
    {"LeadingComma", ",a\n", {}, "f.yaml:1: a configuration is one YAML document, here a second one begins"},
    {"ListAsKey", "[a, b]: 1\n", {}, "f.yaml:1: a key must be a word"},
    {"AliasInsideItself",
     "model: &m\n  mixer: *m\n",
     {},
     "f.yaml:2: model.mixer: an alias stands inside of what it names"},
    {"ControlCharacter",
     "seed: 1\n\x04threads: 2\n",
     {},
     "f.yaml:2: byte 4 does not belong into a text file"},
};

class Mistakes : public testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, AreTold) {
  try {
    sample_from(GetParam().yaml, GetParam().overrides);
    FAIL() << "was accepted";
  } catch (const UserError& e) {
    EXPECT_EQ(e.what(), GetParam().message);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Mistakes, testing::ValuesIn(mistakes),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Reading, AliasesOfAliasesEnd) {
  std::string yaml = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = fmt::format("*a{}", i - 1);
    yaml += fmt::format("a{0}: &a{0} [{1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}]\n", i, before);
  }
  EXPECT_THROW(parse_yaml(yaml, "f.yaml"), UserError);
}

TEST(Reading, DeepNestingEnds) {
  const std::string yaml(100'000, '[');
  EXPECT_THROW(parse_yaml("a: " + yaml, "f.yaml"), UserError);
}

}  // namespace
}  // namespace attnlab
