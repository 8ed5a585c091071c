// 32-bit lanes of the instruction set this file is compiled for.
//
// Everything has internal linkage: each level has its own copy, and no shared inline function may
// be compiled for a CPU that others lack.
#pragma once

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include <cstdint>

namespace macloom::golden::fast {
namespace {

#if defined(__AVX512VNNI__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

using Vector = int32_t __attribute__((vector_size(4 * kLanes)));
using Unsigned = uint32_t __attribute__((vector_size(4 * kLanes)));
using Unaligned = int32_t __attribute__((vector_size(4 * kLanes), aligned(1), may_alias));
using Wide = uint64_t __attribute__((vector_size(4 * kLanes)));

inline Vector Load(const void* from) { return *static_cast<const Unaligned*>(from); }
inline void Store(void* to, Vector x) { *static_cast<Unaligned*>(to) = x; }
inline Vector All(int32_t x) { return Vector{} + x; }
/// Modulo 2^32.
inline Vector Add(Vector a, Vector b) {
  return reinterpret_cast<Vector>(reinterpret_cast<Unsigned>(a) + reinterpret_cast<Unsigned>(b));
}
inline Vector ShiftLeft(Vector a, int count) {
  return reinterpret_cast<Vector>(reinterpret_cast<Unsigned>(a) << static_cast<uint32_t>(count));
}

#if defined(__AVX512VNNI__)

constexpr bool kHasByteDot = true;
inline __m512i Raw(Vector x) { return reinterpret_cast<__m512i>(x); }
inline Vector Of(__m512i x) { return reinterpret_cast<Vector>(x); }
inline Vector Min(Vector a, Vector b) { return Of(_mm512_min_epi32(Raw(a), Raw(b))); }
inline Vector Max(Vector a, Vector b) { return Of(_mm512_max_epi32(Raw(a), Raw(b))); }
/// count + (a != b ? 1 : 0) and count + (a > b ? 1 : 0).
inline Vector CountNotEqual(Vector count, Vector a, Vector b) {
  return Of(_mm512_mask_add_epi32(Raw(count), _mm512_cmpneq_epi32_mask(Raw(a), Raw(b)), Raw(count),
                                  _mm512_set1_epi32(1)));
}
inline Vector CountGreater(Vector count, Vector a, Vector b) {
  return Of(_mm512_mask_add_epi32(Raw(count), _mm512_cmpgt_epi32_mask(Raw(a), Raw(b)), Raw(count),
                                  _mm512_set1_epi32(1)));
}
inline Vector LoadBytes(const uint8_t* from) {
  return Of(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}
inline void StoreBytes(uint8_t* to, Vector x) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(Raw(x)));
}
/// acc + low halves' product, for lanes whose high half is 0 in `x`.
inline Vector MultiplyAdd(Vector acc, Vector x, Vector w) {
  return Of(_mm512_dpwssd_epi32(Raw(acc), Raw(x), Raw(w)));
}

#elif defined(__AVX2__)

constexpr bool kHasByteDot = false;
inline __m256i Raw(Vector x) { return reinterpret_cast<__m256i>(x); }
inline Vector Of(__m256i x) { return reinterpret_cast<Vector>(x); }
inline Vector Min(Vector a, Vector b) { return Of(_mm256_min_epi32(Raw(a), Raw(b))); }
inline Vector Max(Vector a, Vector b) { return Of(_mm256_max_epi32(Raw(a), Raw(b))); }
inline Vector CountNotEqual(Vector count, Vector a, Vector b) { return count - (a != b); }
inline Vector CountGreater(Vector count, Vector a, Vector b) { return count - (a > b); }
inline Vector LoadBytes(const uint8_t* from) {
  return Of(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
}
inline void StoreBytes(uint8_t* to, Vector x) {
  const __m256i gather =
      _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,  //
                       0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m256i bytes = _mm256_shuffle_epi8(Raw(x), gather);
  _mm_storel_epi64(
      reinterpret_cast<__m128i*>(to),
      _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1)));
}
inline Vector MultiplyPairs(Vector x, Vector w) { return Of(_mm256_madd_epi16(Raw(x), Raw(w))); }
inline Vector MultiplyAdd(Vector acc, Vector x, Vector w) { return Add(acc, MultiplyPairs(x, w)); }

#else

constexpr bool kHasByteDot = false;
#if defined(__SSE4_1__)
inline __m128i Raw(Vector x) { return reinterpret_cast<__m128i>(x); }
inline Vector Of(__m128i x) { return reinterpret_cast<Vector>(x); }
inline Vector Min(Vector a, Vector b) { return Of(_mm_min_epi32(Raw(a), Raw(b))); }
inline Vector Max(Vector a, Vector b) { return Of(_mm_max_epi32(Raw(a), Raw(b))); }
#else
inline Vector Min(Vector a, Vector b) { return a < b ? a : b; }
inline Vector Max(Vector a, Vector b) { return a > b ? a : b; }
#endif
inline Vector CountNotEqual(Vector count, Vector a, Vector b) { return count - (a != b); }
inline Vector CountGreater(Vector count, Vector a, Vector b) { return count - (a > b); }
inline Vector LoadBytes(const uint8_t* from) { return Vector{from[0], from[1], from[2], from[3]}; }
inline void StoreBytes(uint8_t* to, Vector x) {
  for (int i = 0; i < kLanes; ++i) to[i] = static_cast<uint8_t>(x[i]);
}
/// Sum of the two products of each lane's int16 halves.
inline Vector MultiplyPairs(Vector x, Vector w) {
#if defined(__SSE2__)
  return reinterpret_cast<Vector>(
      _mm_madd_epi16(reinterpret_cast<__m128i>(x), reinterpret_cast<__m128i>(w)));
#else
  // Halves by value, not by place in memory: the order of bytes does not matter.
  const Vector low = ShiftLeft(x, 16) >> 16, high = x >> 16;
  return low * (ShiftLeft(w, 16) >> 16) + high * (w >> 16);
#endif
}
inline Vector MultiplyAdd(Vector acc, Vector x, Vector w) { return Add(acc, MultiplyPairs(x, w)); }

#endif

#if defined(__AVX512VNNI__)

/// The same 4 bytes in every lane, ready for Dot().
struct Group {
  __m512i bytes;
};
inline Group LoadGroup(const uint8_t* from) {
  int32_t word;
  __builtin_memcpy(&word, from, 4);
  return {_mm512_set1_epi32(word)};
}
/// Weights of one group for all lanes.
struct GroupWeights {
  __m512i bytes;
};
constexpr int kGroupWeightBytes = 4 * kLanes;
inline GroupWeights LoadWeights(const uint8_t* from) { return {_mm512_loadu_si512(from)}; }
/// acc + the four products of each lane.
inline Vector Dot(Vector acc, Group x, GroupWeights w) {
  return Of(_mm512_dpbusd_epi32(Raw(acc), x.bytes, w.bytes));
}

#else

struct Group {
  Vector halves[2];
};
inline Group LoadGroup(const uint8_t* from) {
#if defined(__AVX2__)
  int32_t word;
  __builtin_memcpy(&word, from, 4);
  const __m256i pairs = _mm256_unpacklo_epi8(_mm256_set1_epi32(word), _mm256_setzero_si256());
  return {{Of(_mm256_shuffle_epi32(pairs, 0x00)), Of(_mm256_shuffle_epi32(pairs, 0x55))}};
#elif defined(__SSE2__)
  int32_t word;
  __builtin_memcpy(&word, from, 4);
  const __m128i pairs = _mm_unpacklo_epi8(_mm_cvtsi32_si128(word), _mm_setzero_si128());
  return {{reinterpret_cast<Vector>(_mm_shuffle_epi32(pairs, 0x00)),
           reinterpret_cast<Vector>(_mm_shuffle_epi32(pairs, 0x55))}};
#else
  return {{All(from[0] | (from[1] << 16)), All(from[2] | (from[3] << 16))}};
#endif
}
struct GroupWeights {
  Vector halves[2];
};
constexpr int kGroupWeightBytes = 8 * kLanes;
inline GroupWeights LoadWeights(const uint8_t* from) {
  return {{Load(from), Load(from + 4 * kLanes)}};
}
inline Vector Dot(Vector acc, Group x, GroupWeights w) {
  acc = Add(acc, MultiplyPairs(x.halves[0], w.halves[0]));
  return Add(acc, MultiplyPairs(x.halves[1], w.halves[1]));
}

#endif

}  // namespace
}  // namespace macloom::golden::fast
