// Results of expensive tool runs, kept between invocations.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"

struct sqlite3;

namespace macloom::cost {

/// A table key -> text in SQLite. The key is a digest of everything a result depends on, so entries
/// are never out of date; only complete results are put in.
class ResultCache {
 public:
  /// `cost.sqlite` in the cache folder of macloom (sim/model_cache.h); made if missing.
  /// @return kOutput if it cannot be made, kInvalidInput naming the file if it is no such database.
  static Result<ResultCache> OpenDefault();
  static Result<ResultCache> Open(const std::filesystem::path& path);

  ResultCache(ResultCache&& other) noexcept;
  ResultCache& operator=(ResultCache&&) = delete;
  ResultCache(const ResultCache&) = delete;
  ResultCache& operator=(const ResultCache&) = delete;
  ~ResultCache();

  /// The result of `key`; nothing if there is none.
  Result<std::optional<std::string>> Find(const std::string& key);
  /// Keeps `value`; an entry that another process put in meanwhile stays.
  Status Insert(const std::string& key, const std::string& value);

 private:
  ResultCache(sqlite3* database, std::filesystem::path path);

  sqlite3* database_;
  std::filesystem::path path_;
};

}  // namespace macloom::cost
