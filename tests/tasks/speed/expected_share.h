// What a record should say of a share of a measured rate.
#pragma once

#include <gtest/gtest.h>

#include <cmath>

namespace attnlab {

/// A share above 1 is left out: on a busy machine the rate and the time are of different moments, above all
/// of the small operations of a test.
inline void expect_share(double found, double share) {
  if (share > 1)
    EXPECT_TRUE(std::isnan(found)) << found << " where the share is " << share;
  else
    EXPECT_NEAR(found, share, 1e-9);
}

}  // namespace attnlab
