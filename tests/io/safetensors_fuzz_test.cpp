// Damaged headers: whatever the bytes, the answer is a checked header or one sentence, never a crash or a
// tensor that lies outside the file. Run under ASan for the full benefit. The damage is seeded, so a failure
// can be repeated.
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/random.h"
#include "io/safetensors_header.h"
#include "io/temporary.h"

namespace attnlab {
namespace {

/// One to four changes: a byte flipped, replaced by one that JSON cares for, removed, or the tail cut off.
std::string damage(std::string bytes, Random& random) {
  constexpr std::string_view meaningful = "{}[]\":,0123456789-.eE\\ ";
  for (uint64_t change = 0, changes = 1 + random.below(4); change < changes && !bytes.empty(); ++change) {
    const std::size_t at = random.below(bytes.size());
    switch (random.below(4)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
        break;
      case 1:
        bytes[at] = meaningful[random.below(meaningful.size())];
        break;
      case 2:
        bytes.erase(at, 1 + random.below(3));
        break;
      default:
        bytes.resize(at);
        break;
    }
  }
  return bytes;
}

TEST(SafetensorsFuzz, DamagedHeadersAreRefusedOrSound) {
  const std::string whole = read_bytes(ATTNLAB_SOURCE_DIR "/tests/golden/python.safetensors");
  ASSERT_FALSE(whole.empty());
  int refused = 0;
  for (uint64_t trial = 0; trial < 20000; ++trial) {
    Random random(trial);
    const std::string bytes = damage(whole, random);
    try {
      const SafetensorsHeader header = parse_safetensors_header(bytes, "file");
      for (const SafetensorsEntry& tensor : header.tensors) {
        ASSERT_LE(tensor.begin, tensor.end) << "trial " << trial;
        ASSERT_LE(header.data_start + tensor.end, bytes.size()) << "trial " << trial;
      }
    } catch (const UserError& error) {
      ++refused;
      ASSERT_EQ(std::string(error.what()).find("file"), 0u) << "trial " << trial << ": " << error.what();
    }
  }
  EXPECT_GT(refused, 10000);  // the damage does reach the header
}

}  // namespace
}  // namespace attnlab
