// Digests that name contents.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace macloom {

/// SHA-256 as 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::span<const uint8_t> bytes);
std::string Sha256Hex(std::string_view text);

/// SHA-1, 20 bytes: for rules others have fixed (dataset splits), never to name contents.
std::array<uint8_t, 20> Sha1(std::string_view text);

/// CRC-32 (polynomial 0xEDB88320, as in zip and Ethernet); 0xCBF43926 for "123456789".
uint32_t Crc32(std::span<const uint8_t> bytes);

}  // namespace macloom
