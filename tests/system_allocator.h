// Whether the system's allocator is in use, whose bytes can be counted and which gives back what is freed.
// AddressSanitizer has one of its own, which keeps what is freed, to find who still uses it.
#pragma once

#include <gtest/gtest.h>

#ifdef __SANITIZE_ADDRESS__
#define ATTNLAB_NEEDS_SYSTEM_ALLOCATOR() GTEST_SKIP() << "AddressSanitizer has an allocator of its own"
#else
#define ATTNLAB_NEEDS_SYSTEM_ALLOCATOR() static_cast<void>(0)
#endif
