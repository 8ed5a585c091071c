// Text files of $readmemh and $writememh: one hexadecimal word per element.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace macloom {

/// One word as written: unsigned digits, and whether any of them is x or z.
struct HexWord {
  uint64_t value = 0;  ///< Unknown digits count as 0.
  int num_digits = 0;
  bool is_unknown = false;
};

/// Words of ceil(width_bits / 4) digits, two's complement in `width_bits` (1 to 64), one a line,
/// after a `//` line with `title`. $readmemh of Verilog and SystemVerilog tools reads it.
std::string RenderMemoryHex(std::string_view title, std::span<const int64_t> values,
                            int width_bits);

/// Reads what $readmemh reads: words of up to 16 digits with `_`, x and z, comments, and `@`
/// addresses that continue the words read so far (as $writememh writes them).
/// @return kInvalidInput naming the line for anything else.
Result<std::vector<HexWord>> ParseMemoryHex(std::string_view text);

/// The number a word stands for in `width_bits`: sign-extended from there if the word is not wider
/// than `width_bits` needs, else from its own top digit.
/// @pre width_bits is 1 to 64.
int64_t HexValue(const HexWord& word, int width_bits, bool is_signed);

}  // namespace macloom
