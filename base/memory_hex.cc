#include "base/memory_hex.h"

#include <fmt/format.h>

#include <charconv>

#include "base/check.h"

namespace macloom {
namespace {

constexpr int kMaxDigits = 16;

uint64_t Mask(int bits) { return bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1; }

int64_t SignExtend(uint64_t value, int bits) {
  const uint64_t sign = uint64_t{1} << (bits - 1);
  return static_cast<int64_t>(((value & Mask(bits)) ^ sign) - sign);
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Removes comments; line ends stay, so that lines can be counted.
Result<std::string> WithoutComments(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size();) {
    if (text.substr(i, 2) == "//") {
      while (i < text.size() && text[i] != '\n') ++i;
    } else if (text.substr(i, 2) == "/*") {
      const size_t end = text.find("*/", i + 2);
      if (end == std::string_view::npos) return InvalidInput("a comment /* has no end");
      for (; i < end + 2; ++i) plain += text[i] == '\n' ? '\n' : ' ';
    } else {
      plain += text[i++];
    }
  }
  return plain;
}

Result<HexWord> ParseWord(std::string_view token, int line) {
  HexWord word;
  for (const char c : token) {
    if (c == '_') continue;
    const int digit = DigitOf(c);
    const bool is_unknown = c == 'x' || c == 'X' || c == 'z' || c == 'Z';
    if ((digit < 0 && !is_unknown) || word.num_digits == kMaxDigits) {
      return InvalidInput(
          fmt::format("line {}: `{}`; accepted are words of 1 to {} hexadecimal digits (or x, z)",
                      line, token.substr(0, 40), kMaxDigits));
    }
    word.value = word.value << 4 | static_cast<uint64_t>(digit < 0 ? 0 : digit);
    word.is_unknown = word.is_unknown || is_unknown;
    ++word.num_digits;
  }
  if (word.num_digits == 0)
    return InvalidInput(fmt::format("line {}: `{}` has no digits", line, token));
  return word;
}

}  // namespace

std::string RenderMemoryHex(std::string_view title, std::span<const int64_t> values,
                            int width_bits) {
  MACLOOM_CHECK(width_bits >= 1 && width_bits <= 64);
  std::string text = fmt::format("// {}\n", title);
  for (const int64_t value : values) {
    fmt::format_to(std::back_inserter(text), "{:0{}x}\n",
                   static_cast<uint64_t>(value) & Mask(width_bits), (width_bits + 3) / 4);
  }
  return text;
}

Result<std::vector<HexWord>> ParseMemoryHex(std::string_view text) {
  MACLOOM_ASSIGN_OR_RETURN(const std::string plain, WithoutComments(text));
  std::vector<HexWord> words;
  int line = 1;
  for (size_t i = 0; i < plain.size();) {
    if (IsSpace(plain[i])) {
      line += plain[i++] == '\n' ? 1 : 0;
      continue;
    }
    size_t end = i;
    while (end < plain.size() && !IsSpace(plain[end])) ++end;
    const std::string_view token = std::string_view(plain).substr(i, end - i);
    i = end;
    if (token[0] != '@') {
      MACLOOM_ASSIGN_OR_RETURN(const HexWord word, ParseWord(token, line));
      words.push_back(word);
      continue;
    }
    uint64_t address = 0;
    const auto [last, error] =
        std::from_chars(token.data() + 1, token.data() + token.size(), address, 16);
    if (error != std::errc() || last != token.data() + token.size() || address != words.size()) {
      return InvalidInput(fmt::format("line {}: address `{}`; accepted is @{:x}, the next word",
                                      line, token.substr(0, 40), words.size()));
    }
  }
  return words;
}

int64_t HexValue(const HexWord& word, int width_bits, bool is_signed) {
  MACLOOM_CHECK(width_bits >= 1 && width_bits <= 64);
  const int own_bits = 4 * word.num_digits;
  if (!is_signed) return static_cast<int64_t>(word.value);
  if (own_bits >= width_bits + 4) return SignExtend(word.value, own_bits);
  // Digits beyond the width must be the sign's or zero, else the word is another number.
  const int64_t value = SignExtend(word.value, width_bits);
  const uint64_t above = word.value & ~Mask(width_bits);
  const bool is_sign = above == 0 || (static_cast<uint64_t>(value) & Mask(own_bits)) == word.value;
  return is_sign ? value : static_cast<int64_t>(word.value);
}

}  // namespace macloom
