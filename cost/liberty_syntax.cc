#include "cost/liberty_syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace macloom::cost {
namespace {

class Parser {
 public:
  Parser(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  Result<std::string> Library(const std::function<Status(const LibertyNode&)>& visit) {
    SkipBlank(true);
    LibertyNode library;
    MACLOOM_RETURN_IF_ERROR(Head(library));
    if (library.name != "library" || !library.is_group) {
      return Bad(library.offset, "a Liberty file starts with `library (NAME) {`");
    }
    while (true) {
      SkipBlank(true);
      if (At('}')) break;
      LibertyNode node;
      MACLOOM_RETURN_IF_ERROR(Statement(node, 1));
      MACLOOM_RETURN_IF_ERROR(visit(node));
    }
    return std::string(library.arguments.empty() ? "" : library.arguments[0]);
  }

 private:
  Error Bad(size_t offset, const std::string& message) const {
    return InvalidInput(fmt::format("{}:{}: {}", source_, LineOf(text_, offset), message));
  }

  bool AtEnd() const { return position_ >= text_.size(); }
  bool At(char c) const { return !AtEnd() && text_[position_] == c; }
  bool AtText(std::string_view what) const { return text_.substr(position_).starts_with(what); }

  /// Skips blanks, comments and continued lines; `newlines` and `;` too if asked.
  void SkipBlank(bool with_newlines) {
    while (!AtEnd()) {
      const char c = text_[position_];
      if (c == ' ' || c == '\t' || c == '\r' || (with_newlines && (c == '\n' || c == ';'))) {
        ++position_;
      } else if (AtText("/*")) {
        const size_t end = text_.find("*/", position_ + 2);
        position_ = end == std::string_view::npos ? text_.size() : end + 2;
      } else if (AtText("//")) {
        position_ = std::min(text_.find('\n', position_), text_.size());
      } else if (AtText("\\\n")) {
        position_ += 2;
      } else if (AtText("\\\r\n")) {
        position_ += 3;
      } else {
        return;
      }
    }
  }

  Result<std::string_view> Quoted() {
    const size_t start = position_ + 1;
    size_t end = start;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) return Bad(position_, "a quoted text does not end");
    position_ = end + 1;
    return text_.substr(start, end - start);
  }

  /// An unquoted word up to one of `stops` or blank space.
  std::string_view Word(std::string_view stops) {
    const size_t start = position_;
    while (!AtEnd() && stops.find(text_[position_]) == std::string_view::npos &&
           std::isspace(static_cast<unsigned char>(text_[position_])) == 0) {
      ++position_;
    }
    return text_.substr(start, position_ - start);
  }

  Status Arguments(LibertyNode& node) {
    const size_t start = position_++;
    while (true) {
      SkipBlank(true);
      while (At(',')) {
        ++position_;
        SkipBlank(true);
      }
      if (AtEnd()) return Bad(start, "`(` is not closed");
      if (At(')')) break;
      if (At('"')) {
        MACLOOM_ASSIGN_OR_RETURN(const std::string_view text, Quoted());
        node.arguments.push_back(text);
      } else {
        const std::string_view word = Word(",();{}\"");
        if (word.empty()) return Bad(position_, "a name or a quoted text is expected");
        node.arguments.push_back(word);
      }
    }
    ++position_;
    return {};
  }

  Status Value(LibertyNode& node) {
    ++position_;
    SkipBlank(false);
    if (At('"')) {
      MACLOOM_ASSIGN_OR_RETURN(node.value, Quoted());
      return {};
    }
    const size_t start = position_;
    while (!AtEnd() && !At(';') && !At('\n') && !At('}')) ++position_;
    std::string_view value = text_.substr(start, position_ - start);
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back())) != 0) {
      value.remove_suffix(1);
    }
    node.value = value;
    return {};
  }

  /// Name with arguments or value; with is_group the position is behind `{`.
  Status Head(LibertyNode& node) {
    node.offset = position_;
    node.name = Word(":();{},\"");
    if (node.name.empty()) {
      return Bad(position_, AtEnd() ? "the file ends inside a group" : "a name is expected");
    }
    SkipBlank(false);
    if (At(':')) return Value(node);
    if (!At('(')) {
      return Bad(node.offset,
                 fmt::format("`:` or `(` is expected after `{}`", node.name.substr(0, 40)));
    }
    MACLOOM_RETURN_IF_ERROR(Arguments(node));
    const size_t after = position_;
    SkipBlank(true);
    if (At('{')) {
      node.is_group = true;
      ++position_;
    } else {
      position_ = after;
    }
    return {};
  }

  Status Statement(LibertyNode& node, int depth) {
    MACLOOM_RETURN_IF_ERROR(Head(node));
    if (!node.is_group) return {};
    if (depth >= kMaxLibertyDepth) {
      return Bad(node.offset, fmt::format("groups are nested deeper than {}", kMaxLibertyDepth));
    }
    while (true) {
      SkipBlank(true);
      if (At('}')) break;
      MACLOOM_RETURN_IF_ERROR(Statement(node.children.emplace_back(), depth + 1));
    }
    ++position_;
    return {};
  }

  std::string_view text_;
  const std::string& source_;
  size_t position_ = 0;
};

}  // namespace

const LibertyNode* LibertyNode::Find(std::string_view child) const {
  for (const LibertyNode& node : children) {
    if (node.name == child) return &node;
  }
  return nullptr;
}

int LineOf(std::string_view text, size_t offset) {
  return 1 + static_cast<int>(std::count(
                 text.begin(),
                 text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size())), '\n'));
}

Result<std::string> ParseLiberty(std::string_view text, const std::string& source,
                                 const std::function<Status(const LibertyNode&)>& visit) {
  return Parser(text, source).Library(visit);
}

}  // namespace macloom::cost
