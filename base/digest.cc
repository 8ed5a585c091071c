#include "base/digest.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace macloom {

std::string Sha256Hex(std::span<const uint8_t> bytes) {
  std::array<uint8_t, 32> digest;
  unsigned length = 0;
  MACLOOM_CHECK(
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) == 1);
  MACLOOM_CHECK(length == digest.size());
  std::string text;
  for (uint8_t byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string Sha256Hex(std::string_view text) {
  return Sha256Hex(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

std::array<uint8_t, 20> Sha1(std::string_view text) {
  std::array<uint8_t, 20> digest;
  unsigned length = 0;
  MACLOOM_CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha1(), nullptr) ==
                1);
  MACLOOM_CHECK(length == digest.size());
  return digest;
}

uint32_t Crc32(std::span<const uint8_t> bytes) {
  // crc32_z takes a null pointer as a request for the initial value.
  if (bytes.empty()) return 0;
  return static_cast<uint32_t>(crc32_z(0, bytes.data(), bytes.size()));
}

}  // namespace macloom
