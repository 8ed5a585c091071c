// A synthesizer with a cache of its own.
#pragma once

#include "base/check.h"
#include "cost/synthesis.h"
#include "tests/support/temporary_folder.h"

namespace macloom {

inline cost::Synthesizer NewSynthesizer(const testing::TemporaryFolder& folder) {
  Result<cost::ResultCache> cache = cost::ResultCache::Open(folder / "cost.sqlite");
  MACLOOM_CHECK(cache.ok());
  Result<cost::Synthesizer> synthesizer = cost::Synthesizer::Create(std::move(*cache));
  MACLOOM_CHECK(synthesizer.ok());
  return std::move(*synthesizer);
}

}  // namespace macloom
