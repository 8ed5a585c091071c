// Reading JSON from outside without exceptions: every field is asked for by name, type and range.
//
// Includes nlohmann/json: for .cc files that read JSON only.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace macloom {

/// One JSON object and where it stands in the file ("nodes[3].window"); each Get names a field that
/// must be there. The first failure is kept in status(), and everything after it returns defaults,
/// so that a reader checks once at the end.
class JsonFields {
 public:
  using Json = nlohmann::json;

  /// @param root  What messages call the outermost object, whose `where` is empty.
  JsonFields(const Json& json, std::string where, Status& status, std::string root = "the graph")
      : json_(json), where_(std::move(where)), status_(status), root_(std::move(root)) {
    if (!json_.is_object()) Fail("", "is not an object");
  }

  bool Has(const char* key) {
    asked_.insert(key);
    return json_.is_object() && json_.contains(key);
  }

  /// The field itself; a null value and a failure if it is missing.
  const Json& Get(const char* key) {
    static const Json kMissing;
    if (Has(key)) return json_[key];
    Fail(key, "is missing");
    return kMissing;
  }

  int64_t GetInt(const char* key, int64_t low, int64_t high) {
    return ToInt(Get(key), key, low, high);
  }

  /// A finite number.
  double GetNumber(const char* key, double low, double high) {
    return ToNumber(Get(key), key, low, high);
  }

  /// An array of `count` finite numbers, and after a failure of as many.
  std::vector<double> GetNumbers(const char* key, size_t count, double low, double high) {
    std::vector<double> values;
    const Json& array = GetArray(key);
    if (array.size() != count) {
      Fail(key, fmt::format("has {} elements; accepted are {}", array.size(), count));
    } else {
      for (const Json& value : array) values.push_back(ToNumber(value, key, low, high));
    }
    values.resize(count);
    return values;
  }

  bool GetBool(const char* key) {
    const Json& value = Get(key);
    if (value.is_boolean()) return value.get<bool>();
    Fail(key, "is not true or false");
    return false;
  }

  std::string GetText(const char* key) {
    const Json& value = Get(key);
    if (value.is_string()) return value.get<std::string>();
    Fail(key, "is not a text");
    return {};
  }

  /// An array; empty after a failure.
  const Json& GetArray(const char* key) {
    static const Json kEmpty = Json::array();
    const Json& value = Get(key);
    if (value.is_array()) return value;
    Fail(key, "is not an array");
    return kEmpty;
  }

  /// An array of whole numbers; of `count` of them unless count < 0, and after a failure of as
  /// many.
  std::vector<int64_t> GetInts(const char* key, int count, int64_t low, int64_t high) {
    std::vector<int64_t> values;
    const Json& array = GetArray(key);
    if (count >= 0 && array.size() != static_cast<size_t>(count)) {
      Fail(key, fmt::format("has {} elements; accepted are {}", array.size(), count));
    } else {
      for (const Json& value : array) values.push_back(ToInt(value, key, low, high));
    }
    if (count >= 0) values.resize(static_cast<size_t>(count));
    return values;
  }

  /// The value of a word in a (word, value) table.
  template <typename Table>
  auto GetEnum(const char* key, const Table& table) {
    const std::string word = GetText(key);
    std::string accepted;
    for (const auto& [name, value] : table) {
      if (word == name) return value;
      accepted += fmt::format("{}{}", accepted.empty() ? "" : ", ", name);
    }
    Fail(key, fmt::format("is \"{}\"; accepted are {}", word, accepted));
    return table[0].second;
  }

  /// Fails if the object holds a field that was never asked for (a misspelt one, or a newer
  /// format).
  void RefuseOthers() {
    if (!json_.is_object()) return;
    for (const auto& [key, value] : json_.items()) {
      if (asked_.count(key) == 0) Fail(key.c_str(), "is not a field of this format version");
    }
  }

  std::string At(const char* key) const {
    return where_.empty() || *key == '\0' ? where_ + key : where_ + "." + key;
  }

  /// Keeps the first failure only.
  void Fail(const char* key, const std::string& what) {
    if (!status_.ok()) return;
    const std::string place = At(key);
    status_ = InvalidInput(fmt::format("{} {}", place.empty() ? root_ : place, what));
  }

  Status& status() { return status_; }

 private:
  int64_t ToInt(const Json& value, const char* key, int64_t low, int64_t high) {
    const bool is_representable = value.is_number_integer() && (!value.is_number_unsigned() ||
                                                                value.get<uint64_t>() <= INT64_MAX);
    if (!is_representable) {
      Fail(key, "is not a whole number of at most 63 bits");
      return low;
    }
    const int64_t number = value.get<int64_t>();
    if (number >= low && number <= high) return number;
    Fail(key, fmt::format("is {}; accepted are {} to {}", number, low, high));
    return low;
  }

  double ToNumber(const Json& value, const char* key, double low, double high) {
    if (!value.is_number()) {
      Fail(key, "is not a number");
      return low;
    }
    const double number = value.get<double>();
    if (number >= low && number <= high) return number;  // False for NaN.
    Fail(key, fmt::format("is {}; accepted are {} to {}", number, low, high));
    return low;
  }

  const Json& json_;
  std::string where_;
  Status& status_;
  std::string root_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace macloom
