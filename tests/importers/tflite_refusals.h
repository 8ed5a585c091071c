// Expectations on refusals: one change to a valid file each.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "importers/tflite/importer.h"
#include "tests/importers/tflite_model_builder.h"

namespace macloom::importers::testing {

inline void ExpectRefusal(std::span<const uint8_t> bytes, ErrorKind kind,
                          const std::string& fragment) {
  const auto graph = ImportTflite(bytes);
  ASSERT_FALSE(graph.ok()) << "expected: " << fragment;
  EXPECT_THAT(graph.error().message, ::testing::HasSubstr(fragment));
  EXPECT_EQ(graph.error().kind, kind) << graph.error().message;
}

struct BadCase {
  std::string fragment;
  std::function<void(FakeModel&)> change;
};

inline void ExpectEach(ErrorKind kind, const std::vector<BadCase>& cases) {
  for (const BadCase& bad : cases) {
    FakeModel model = SmallModel();
    bad.change(model);
    ExpectRefusal(Serialize(model), kind, bad.fragment);
  }
}
inline void ExpectInvalid(const std::vector<BadCase>& cases) {
  ExpectEach(ErrorKind::kInvalidInput, cases);
}
inline void ExpectUnsupported(const std::vector<BadCase>& cases) {
  ExpectEach(ErrorKind::kUnsupported, cases);
}

}  // namespace macloom::importers::testing
