// What must not leave the library: exceptions, failed checks, long texts.
#include "capi/boundary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "base/check.h"

namespace macloom::capi {
namespace {

using ::testing::HasSubstr;

TEST(BoundaryTest, FailedCheckBecomesAnError) {
  EXPECT_EQ(AtBoundary([]() -> Status {
              MACLOOM_CHECK(1 + 1 == 3);
              return {};
            }),
            MACLOOM_INTERNAL_ERROR);
  EXPECT_THAT(macloom_last_error(), HasSubstr("boundary_test.cc"));
  EXPECT_THAT(macloom_last_error(), HasSubstr("1 + 1 == 3"));
}

TEST(BoundaryTest, FailedResultOfTheLibraryBecomesAnError) {
  EXPECT_EQ(AtBoundary([]() -> Status {
              const Result<int> result = InvalidInput("unread");
              return *result > 0 ? Status() : Status(Unsupported("not reached"));
            }),
            MACLOOM_INTERNAL_ERROR);
  EXPECT_THAT(macloom_last_error(), HasSubstr("base/result.h"));
}

TEST(BoundaryTest, ExceptionsBecomeErrors) {
  EXPECT_EQ(AtBoundary([]() -> Status { throw std::bad_alloc(); }), MACLOOM_OUT_OF_MEMORY);
  EXPECT_STREQ(macloom_last_error(), "out of memory");
  EXPECT_EQ(AtBoundary([]() -> Status { throw 1; }), MACLOOM_INTERNAL_ERROR);
  EXPECT_STREQ(macloom_last_error(), "unknown exception");
}

TEST(BoundaryTest, ErrorKindsHaveTheirStatus) {
  EXPECT_EQ(AtBoundary([] { return Status(); }), MACLOOM_OK);
  EXPECT_EQ(AtBoundary([] { return Status(InvalidInput("a")); }), MACLOOM_INVALID_INPUT);
  EXPECT_EQ(AtBoundary([] { return Status(Unsupported("b")); }), MACLOOM_UNSUPPORTED);
  EXPECT_STREQ(macloom_last_error(), "b");
}

TEST(BoundaryTest, LongTextIsCut) {
  Report(MACLOOM_INVALID_INPUT, std::string(5000, 'x'));
  EXPECT_EQ(std::string(macloom_last_error()), std::string(1023, 'x'));
}

TEST(BoundaryTest, TextBelongsToItsThread) {
  Report(MACLOOM_INVALID_INPUT, "mine");
  std::thread([] {
    EXPECT_STREQ(macloom_last_error(), "");
    Report(MACLOOM_INVALID_INPUT, "theirs");
  }).join();
  EXPECT_STREQ(macloom_last_error(), "mine");
}

TEST(BoundaryTest, RangesAreNamed) {
  EXPECT_TRUE(CheckRange(3, 3, 3, "a").ok());
  EXPECT_EQ(CheckRange(2, 3, 3, "a").error().message, "a is 2; accepted is 3");
  EXPECT_EQ(CheckRange(2, 3, 9, "a").error().message, "a is 2; accepted are 3 to 9");
  EXPECT_EQ(CheckRange(0, 0, -1, "class label").error().message,
            "class label is 0; there are none");
  EXPECT_EQ(CheckSize(~size_t{0}, 1, 9, "n").error().message,
            "n is 18446744073709551615; accepted are 1 to 9");
}

}  // namespace
}  // namespace macloom::capi
