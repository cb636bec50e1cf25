#include "sample.h"

namespace attnlab {
namespace {

using Include = FolderTest;

TEST_F(Include, LaterWinsAndOwnKeysWinOverAll) {
  write("blocks/a.yaml", "seed: 1\nthreads: 1\nmodel: {dim: 16, heads: 2}\n");
  write("blocks/b.yaml", "threads: 2\nmodel: {dim: 32}\n");
  const auto file =
      write("main.yaml", "model: {dropout: 0.3}\nseed: 9\ninclude: [blocks/a.yaml, blocks/b.yaml]\n");
  const auto o = read_options<SampleOptions>(load_yaml(file));
  EXPECT_EQ(o.seed, 9);
  EXPECT_EQ(o.threads, 2);
  EXPECT_EQ(o.model().dim, 32);
  EXPECT_EQ(o.model().heads, 2);
  EXPECT_EQ(o.model().dropout, 0.3);
}

TEST_F(Include, PathsAreRelativeToTheIncludingFile) {
  write("a/one.yaml", "include: ../b/two.yaml\n");
  write("b/two.yaml", "include: three.yaml\n");
  write("b/three.yaml", "seed: 3\n");
  EXPECT_EQ(read_options<SampleOptions>(load_yaml(write("main.yaml", "include: a/one.yaml\n"))).seed, 3);
}

TEST_F(Include, MayStandInsideAMap) {
  write("mixer.yaml", "type: packed\nrows: 4\ntie: true\n");
  const auto file = write("main.yaml", "model:\n  mixer: {include: mixer.yaml, rows: 5}\n");
  const auto o = read_options<SampleOptions>(load_yaml(file));
  EXPECT_EQ(o.packed().rows, 5);
  EXPECT_TRUE(o.packed().tie);
}

TEST_F(Include, FilesMayHaveComeFromAnyEditor) {
  write("base.yaml", "\xEF\xBB\xBFseed: 3\r\nthreads: 2\r\n");
  const auto file = write("main.yaml", "\xEF\xBB\xBFinclude: base.yaml\rmodel: {dim: 16}\r");
  const auto o = read_options<SampleOptions>(load_yaml(file));
  EXPECT_EQ(o.seed, 3);
  EXPECT_EQ(o.threads, 2);
  EXPECT_EQ(o.model().dim, 16);
  const auto utf16 = write("utf16.yaml", std::string("s\0e\0e\0d\0:\0 \0003\0", 14));
  EXPECT_EQ(
      message_of([&] { load_yaml(utf16); }),
      "utf16.yaml is in UTF-16LE, and texts are read as UTF-8: `iconv -f UTF-16LE -t UTF-8` converts it");
}

TEST_F(Include, AnotherTypeReplacesTheWholeComponent) {
  write("base.yaml", "model: {dim: 16, mixer: {type: packed, rows: 4}}\ntrain: {betas: [0.5, 0.6]}\n");
  const auto other = write("other.yaml", "include: base.yaml\nmodel: {mixer: {type: plain}}\n");
  const auto o = read_options<SampleOptions>(load_yaml(other));
  EXPECT_EQ(o.model().mixer.name(), "plain");
  EXPECT_EQ(o.model().dim, 16);
  const auto same =
      write("same.yaml", "include: base.yaml\nmodel: {mixer: {tie: true}}\ntrain: {betas: [0.7]}\n");
  const auto s = read_options<SampleOptions>(load_yaml(same));
  EXPECT_EQ(s.packed().rows, 4);
  EXPECT_EQ(s.classify().train.betas, std::vector<double>{0.7}) << "lists replace";
}

TEST_F(Include, AWordAndALaterMapMakeOneComponent) {
  write("base.yaml", "model: {mixer: packed}\n");
  const auto file = write("main.yaml", "include: base.yaml\nmodel: {mixer: {rows: 5}}\n");
  EXPECT_EQ(read_options<SampleOptions>(load_yaml(file)).packed().rows, 5);
}

TEST_F(Include, MessagesNameTheFileThatTheMistakeIsIn) {
  write("base.yaml", "seed: 1\nmodel:\n  heads: 0\n");
  const auto file = write("main.yaml", "include: base.yaml\nseed: x\n");
  EXPECT_EQ(message_of([&] { read_options<SampleOptions>(load_yaml(file)); }),
            "main.yaml:2: seed: expected a whole number, got the text 'x'\n"
            "base.yaml:3: model.heads: 0 is out of range; it must be between 1 and 1024");
}

TEST_F(Include, CirclesNameTheirChain) {
  write("a.yaml", "include: b.yaml\n");
  write("b.yaml", "seed: 2\ninclude: sub/../c.yaml\n");
  write("c.yaml", "include: a.yaml\n");
  const auto file = folder_ / "a.yaml";
  EXPECT_EQ(message_of([&] { read_options<SampleOptions>(load_yaml(file)); }),
            "c.yaml:1: include: circular include: a.yaml → b.yaml → c.yaml → a.yaml");
}

TEST_F(Include, TheSameFileTwiceIsNoCircle) {
  write("base.yaml", "seed: 2\n");
  write("a.yaml", "include: base.yaml\n");
  write("b.yaml", "include: base.yaml\n");
  const auto file = write("main.yaml", "include: [a.yaml, b.yaml]\n");
  EXPECT_EQ(read_options<SampleOptions>(load_yaml(file)).seed, 2);
}

TEST_F(Include, MissingAndMalformedFilesAreToldWithEverythingElse) {
  write("bad.yaml", "seed: [1\n");
  write("list.yaml", "- 1\n");
  const auto file = write("main.yaml",
                          "include: [gone.yaml, bad.yaml, list.yaml]\n"
                          "model: {dim: 12, mixer: {rows: 0, unclear: 1}}\n"
                          "threds: 3\n");
  EXPECT_EQ(message_of([&] { read_options<SampleOptions>(load_yaml(file)); }),
            "main.yaml:1: include: cannot open gone.yaml: No such file or directory\n"
            "main.yaml:1: include: bad.yaml:2: cannot be read as YAML: end of sequence flow not found\n"
            "main.yaml:1: include: list.yaml:1: expected a map of keys, got a list\n"
            "main.yaml:2: model.mixer.rows: 0 is out of range; it must be between 1 and 65536")
      << "keys and rules that depend on what the missing files say are left out";
}

TEST_F(Include, WantsPaths) {
  const auto file = write("main.yaml", "include: {a: b}\nmodel:\n  include:\n");
  EXPECT_EQ(message_of([&] { read_options<SampleOptions>(load_yaml(file)); }),
            "main.yaml:3: model.include: expected the path of a file or a list of paths\n"
            "main.yaml:1: include: expected the path of a file or a list of paths");
}

TEST_F(Include, AMissingFileOfTheUsersIsAUserError) {
  EXPECT_EQ(message_of([&] { load_yaml(folder_ / "gone.yaml"); }),
            "cannot open gone.yaml: No such file or directory");
  std::filesystem::create_directory(folder_ / "sub");
  EXPECT_EQ(message_of([&] { load_yaml(folder_ / "sub"); }), "cannot read sub: Is a directory");
}

}  // namespace
}  // namespace attnlab
