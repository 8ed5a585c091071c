#include "cost/cache.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <memory>
#include <utility>

#include "sim/model_cache.h"

namespace macloom::cost {
namespace {

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

constexpr int kBusyMilliseconds = 10000;

}  // namespace

ResultCache::ResultCache(sqlite3* database, std::filesystem::path path)
    : database_(database), path_(std::move(path)) {}

ResultCache::ResultCache(ResultCache&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)), path_(std::move(other.path_)) {}

ResultCache::~ResultCache() { sqlite3_close(database_); }

Result<ResultCache> ResultCache::OpenDefault() {
  const std::filesystem::path folder = sim::CacheDirectory();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return OutputError(
        fmt::format("cannot make the cache folder {}: {}", folder.string(), error.message()));
  }
  return Open(folder / "cost.sqlite");
}

Result<ResultCache> ResultCache::Open(const std::filesystem::path& path) {
  sqlite3* database = nullptr;
  const int opened = sqlite3_open(path.c_str(), &database);
  ResultCache cache(database, path);
  if (opened != SQLITE_OK) {
    return OutputError(fmt::format("{}: {}", path.string(), sqlite3_errmsg(database)));
  }
  sqlite3_busy_timeout(database, kBusyMilliseconds);
  const char* schema = "CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, value TEXT)";
  const int status = sqlite3_exec(database, schema, nullptr, nullptr, nullptr);
  if (status == SQLITE_NOTADB) {
    return InvalidInput(fmt::format("{} is not a cache of macloom: {}; remove it", path.string(),
                                    sqlite3_errmsg(database)));
  }
  if (status != SQLITE_OK) {
    return OutputError(fmt::format("{}: {}", path.string(), sqlite3_errmsg(database)));
  }
  return cache;
}

Result<std::optional<std::string>> ResultCache::Find(const std::string& key) {
  sqlite3_stmt* raw = nullptr;
  sqlite3_prepare_v2(database_, "SELECT value FROM results WHERE key = ?", -1, &raw, nullptr);
  const Statement statement(raw);
  sqlite3_bind_text(raw, 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
  const int status = sqlite3_step(raw);
  if (status == SQLITE_DONE) return std::optional<std::string>();
  if (status != SQLITE_ROW) {
    return OutputError(fmt::format("{}: {}", path_.string(), sqlite3_errmsg(database_)));
  }
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(raw, 0));
  return std::optional<std::string>(
      std::string(text, static_cast<size_t>(sqlite3_column_bytes(raw, 0))));
}

Status ResultCache::Insert(const std::string& key, const std::string& value) {
  sqlite3_stmt* raw = nullptr;
  sqlite3_prepare_v2(database_, "INSERT OR IGNORE INTO results VALUES (?, ?)", -1, &raw, nullptr);
  const Statement statement(raw);
  sqlite3_bind_text(raw, 1, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
  sqlite3_bind_text(raw, 2, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
  if (sqlite3_step(raw) != SQLITE_DONE) {
    return OutputError(fmt::format("{}: {}", path_.string(), sqlite3_errmsg(database_)));
  }
  return {};
}

}  // namespace macloom::cost
