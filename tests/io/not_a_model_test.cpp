// What is given in place of a model's folder.
#include "io/not_a_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/temporary.h"

namespace attnlab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Mistaken : public testing::Test {
 protected:
  fs::path put(const std::string& name, std::string_view bytes = "x") const {
    fs::create_directories((folder / name).parent_path());
    write_bytes(folder / name, bytes);
    return folder / name;
  }
  std::string said(const std::string& name) const { return mistaken_for_model(folder / name).value_or(""); }
  Temporary folder;
};

TEST_F(Mistaken, TheTopOfACacheNamesItsNewestSnapshot) {
  put("models--me--x/snapshots/1/config.json");
  put("models--me--x/snapshots/2/config.json");
  EXPECT_THAT(said("models--me--x"), HasSubstr("models--me--x/snapshots/1: give that folder"));
  put("models--me--x/refs/main", "2\n");
  EXPECT_THAT(said("models--me--x"), HasSubstr("models--me--x/snapshots/2: give that folder"));
  EXPECT_THAT(said("."), HasSubstr("models--me--x/snapshots/2: give that folder"));
}

TEST_F(Mistaken, ACacheMayHoldNoWholeModel) {
  put("models--me--x/snapshots/1/tokenizer.model");
  EXPECT_THAT(said("models--me--x"), HasSubstr("no snapshot in it has a config.json"));
}

TEST_F(Mistaken, WeightsInOtherFormats) {
  for (const char* name : {"a/pytorch_model.bin", "b/consolidated.00.pth", "c/model.gguf", "d/model.onnx"}) {
    put(name);
    EXPECT_THAT(said(fs::path(name).parent_path().string()),
                HasSubstr("which is not read: a model is read from"));
    EXPECT_THAT(said(name), HasSubstr("which is not read: a model is read from"));
  }
  put("downloaded", "GGUF\3");  // told by its first bytes
  EXPECT_THAT(said("downloaded"), HasSubstr("GGUF"));
  put("e/model.safetensors");
  EXPECT_THAT(said("e"), HasSubstr("holds weights without the config.json"));
}

TEST_F(Mistaken, AnAdapterMayNotNameItsModel) {
  put("a/adapter_config.json", "{");
  EXPECT_THAT(said("a"), HasSubstr("merge it into the model that it was trained for"));
  put("a/adapter_model.safetensors");
  EXPECT_THAT(said("a/adapter_model.safetensors"), HasSubstr("is an adapter"));
}

TEST_F(Mistaken, NothingIsSaidOfOtherFoldersAndFiles) {
  put("notes/a.md");
  put("a.yaml");
  put("hidden/.DS_Store");
  EXPECT_EQ(said("notes"), "");
  EXPECT_EQ(said("a.yaml"), "");
  EXPECT_THAT(said("hidden"), HasSubstr("is an empty folder"));
  EXPECT_EQ(said("nowhere"), "");  // has a folder above: a path
  EXPECT_EQ(mistaken_for_model("configs/absent.yaml"), std::nullopt);
  EXPECT_EQ(mistaken_for_model("absent"), std::nullopt);
}

TEST_F(Mistaken, NamesOnTheHub) {
  EXPECT_THAT(mistaken_for_model("meta-llama/Llama-2-7b-hf").value_or(""),
              HasSubstr("`hf download meta-llama/Llama-2-7b-hf --local-dir FOLDER`"));
}

}  // namespace
}  // namespace attnlab
