#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace macloom {
namespace {

Result<int> Half(int value) {
  if (value % 2 != 0) return InvalidInput("odd");
  return value / 2;
}

Result<int> Quarter(int value) {
  MACLOOM_ASSIGN_OR_RETURN(const int half, Half(value));
  return Half(half);
}

Status IsEven(int value) {
  MACLOOM_RETURN_IF_ERROR(Half(value));
  return {};
}

TEST(ResultTest, CarriesValueOrError) {
  EXPECT_EQ(*Quarter(12), 3);
  EXPECT_EQ(Quarter(6).error().message, "odd");
  EXPECT_EQ(Quarter(5).error().kind, ErrorKind::kInvalidInput);
  EXPECT_TRUE(IsEven(4).ok());
  EXPECT_EQ(IsEven(5).error().message, "odd");
}

TEST(ResultTest, MovesValueOut) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 7);
}

TEST(ResultTest, EachKindHasItsExitStatus) {
  EXPECT_EQ(ExitStatus(ErrorKind::kCheckFailed), 1);
  EXPECT_EQ(ExitStatus(ErrorKind::kInvalidInput), 2);
  EXPECT_EQ(ExitStatus(ErrorKind::kUnsupported), 2);
  EXPECT_EQ(ExitStatus(ErrorKind::kToolMissing), 3);
  EXPECT_EQ(ExitStatus(ErrorKind::kToolFailed), 3);
  EXPECT_EQ(ExitStatus(ErrorKind::kOutput), 74);
  EXPECT_EQ(ExitStatus(ErrorKind::kInterrupted), 130);
}

TEST(ResultDeathTest, ReadingTheValueOfAnErrorIsOurBug) {
  const Result<int> result = Half(3);
  EXPECT_EXIT(static_cast<void>(result.value()), ::testing::ExitedWithCode(70),
              "internal error: .*result.h:[0-9]+: ok\\(\\)");
}

TEST(ResultDeathTest, ReadingTheErrorOfAValueIsOurBug) {
  EXPECT_EXIT(static_cast<void>(Half(4).error()), ::testing::ExitedWithCode(70), "internal error");
  EXPECT_EXIT(static_cast<void>(Status().error()), ::testing::ExitedWithCode(70), "internal error");
}

}  // namespace
}  // namespace macloom
