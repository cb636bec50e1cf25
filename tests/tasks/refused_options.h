// Options of a task that must be refused.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/experiment.h"
#include "config/reader.h"
#include "core/error.h"

namespace attnlab {

/// Default options with these overrides are refused with this sentence.
template <class Options>
void expect_refused_options(const std::vector<std::string>& overrides, const std::string& sentence) {
  try {
    read_options<Options>(with_overrides({}, overrides));
    FAIL() << "expected a refusal";
  } catch (const UserError& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr(sentence));
  }
}

}  // namespace attnlab
