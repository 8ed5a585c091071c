// The syntax of Liberty files: groups, simple and complex attributes. No meaning.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace macloom::cost {

/// One statement of a Liberty file. All texts are views into the text it was read from.
struct LibertyNode {
  std::string_view name;
  std::vector<std::string_view> arguments;  ///< `name(a, "b")`, without quotes.
  std::string_view value;                   ///< `name : value`, without quotes.
  bool is_group = false;
  std::vector<LibertyNode> children;  ///< Of a group.
  size_t offset = 0;                  ///< Of the name in the text, in bytes.

  /// First child named `child`; nullptr without one.
  const LibertyNode* Find(std::string_view child) const;
};

/// Deepest nesting of groups that is read.
inline constexpr int kMaxLibertyDepth = 16;

/// Number of the line that holds byte `offset` of `text`, from 1.
int LineOf(std::string_view text, size_t offset);

/// Reads the one library group of `text`. Children of the library are handed to `visit` as soon as
/// each is complete and then forgotten, so that a large file needs little memory.
///
/// @param source named in errors, with the line.
/// @return the library's name; kInvalidInput for anything that is not Liberty syntax, for groups
///         nested deeper than kMaxLibertyDepth, and the errors of `visit`.
Result<std::string> ParseLiberty(std::string_view text, const std::string& source,
                                 const std::function<Status(const LibertyNode&)>& visit);

}  // namespace macloom::cost
