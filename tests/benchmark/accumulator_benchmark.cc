// Narrow accumulators on a CPU: a pointwise layer of the digit network, 64 to 64 channels at 128
// positions, W4A4, one thread.
//
//   int16, shift       16-bit accumulators, then one rounding shift for all channels. Valid only
//   where
//                      the certificate says P <= 16 (here 13: 64 products of at most 7 x 7).
//   int32, multiplier  32-bit accumulators, then one multiplier per channel in binary32, as XNNPACK
//                      does for int8 ("fp32" requantization).
//   int32, shift       what remains of the difference when the accumulator stays wide.
//
// Every kernel is compared with scalar code of the same arithmetic first. docs/training.md has the
// measured figures; never run by ctest.
#include <benchmark/benchmark.h>
#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "base/rng.h"

namespace macloom {
namespace {

constexpr int kPositions = 128, kIn = 64, kOut = 64;
constexpr int kBlock = 4;  ///< Positions that share a load of weights.
constexpr int kShift = 7;
constexpr int kMaxCode = 7;

/// A layer in the layouts of all kernels. Activations are 0..7 (behind a ReLU), weights -7..7.
struct Layer {
  alignas(64) int8_t x[kPositions][kIn];
  alignas(64) int16_t x16[kPositions][kIn];  ///< Widened anew in every run of a kernel.
  alignas(64) int8_t weights[kOut][kIn];
  alignas(64) int8_t pairs8[kIn / 2][kOut][2];
  alignas(64) int8_t fours8[kIn / 4][kOut][4];
  alignas(64) int16_t single16[kIn][kOut];
  alignas(64) int16_t pairs16[kIn / 2][kOut][2];
  alignas(64) int16_t bias16[kOut];  ///< The rounding half of the shift included.
  alignas(64) int32_t bias32[kOut], bias_and_half32[kOut];
  alignas(64) float scale[kOut];
  alignas(64) int8_t y[kPositions][kOut];
};

std::unique_ptr<Layer> MakeLayer() {
  auto layer = std::make_unique<Layer>();
  Rng rng(1);
  for (auto& row : layer->x) {
    for (int8_t& x : row) x = static_cast<int8_t>(rng.UniformInt(0, kMaxCode));
  }
  for (int o = 0; o < kOut; ++o) {
    layer->bias32[o] = static_cast<int32_t>(rng.UniformInt(-100, 100));
    layer->bias_and_half32[o] = layer->bias32[o] + (1 << (kShift - 1));
    layer->bias16[o] = static_cast<int16_t>(layer->bias_and_half32[o]);
    layer->scale[o] = static_cast<float>(0.005 + 0.005 * rng.UniformDouble());
    for (int i = 0; i < kIn; ++i) {
      const auto w = static_cast<int8_t>(rng.UniformInt(-7, 7));
      layer->weights[o][i] = layer->pairs8[i / 2][o][i % 2] = layer->fours8[i / 4][o][i % 4] = w;
      layer->single16[i][o] = layer->pairs16[i / 2][o][i % 2] = w;
    }
  }
  return layer;
}

enum class Requantize { kShift, kMultiplier };

// The codes a kernel has to give, one at a time.
bool IsRight(const Layer& layer, Requantize requantize) {
  for (int p = 0; p < kPositions; ++p) {
    for (int o = 0; o < kOut; ++o) {
      int32_t sum = layer.bias32[o];
      for (int i = 0; i < kIn; ++i) sum += layer.x[p][i] * layer.weights[o][i];
      const long code = requantize == Requantize::kShift
                            ? (sum + (1 << (kShift - 1))) >> kShift
                            : std::lrint(static_cast<float>(sum) * layer.scale[o]);
      if (layer.y[p][o] != std::clamp<long>(code, 0, kMaxCode)) return false;
    }
  }
  return true;
}

template <typename T>
T Word(const void* bytes) {
  T word;
  std::memcpy(&word, bytes, sizeof(T));
  return word;
}

// ---- SSE2: 8 products of 16 bits per instruction, whatever the accumulator.

void WidenSse2(Layer& layer) {
  for (int p = 0; p < kPositions; ++p) {
    for (int i = 0; i < kIn; i += 8) {
      const __m128i x = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(&layer.x[p][i]));
      _mm_store_si128(reinterpret_cast<__m128i*>(&layer.x16[p][i]),
                      _mm_srai_epi16(_mm_unpacklo_epi8(x, x), 8));
    }
  }
}

void Sse2Int16Shift(Layer& layer) {
  WidenSse2(layer);
  const __m128i zero = _mm_setzero_si128(), top = _mm_set1_epi16(kMaxCode);
  for (int p = 0; p < kPositions; p += kBlock) {
    for (int o = 0; o < kOut; o += 16) {
      __m128i acc[kBlock][2];
      for (auto& row : acc) {
        row[0] = _mm_load_si128(reinterpret_cast<const __m128i*>(&layer.bias16[o]));
        row[1] = _mm_load_si128(reinterpret_cast<const __m128i*>(&layer.bias16[o + 8]));
      }
      for (int i = 0; i < kIn; ++i) {
        const auto* w = reinterpret_cast<const __m128i*>(&layer.single16[i][o]);
        const __m128i w0 = _mm_load_si128(w), w1 = _mm_load_si128(w + 1);
#pragma GCC unroll 4
        for (int b = 0; b < kBlock; ++b) {
          const __m128i x = _mm_set1_epi16(layer.x16[p + b][i]);
          acc[b][0] = _mm_add_epi16(acc[b][0], _mm_mullo_epi16(x, w0));
          acc[b][1] = _mm_add_epi16(acc[b][1], _mm_mullo_epi16(x, w1));
        }
      }
      for (int b = 0; b < kBlock; ++b) {
        __m128i half[2];
        for (int h = 0; h < 2; ++h) {
          const __m128i code = _mm_srai_epi16(acc[b][h], kShift);
          half[h] = _mm_min_epi16(_mm_max_epi16(code, zero), top);
        }
        _mm_store_si128(reinterpret_cast<__m128i*>(&layer.y[p + b][o]),
                        _mm_packs_epi16(half[0], half[1]));
      }
    }
  }
}

void Sse2Int32Multiplier(Layer& layer) {
  WidenSse2(layer);
  const __m128i zero = _mm_setzero_si128(), top = _mm_set1_epi16(kMaxCode);
  for (int p = 0; p < kPositions; p += kBlock) {
    for (int o = 0; o < kOut; o += 8) {
      __m128i acc[kBlock][2];
      for (auto& row : acc) {
        row[0] = _mm_load_si128(reinterpret_cast<const __m128i*>(&layer.bias32[o]));
        row[1] = _mm_load_si128(reinterpret_cast<const __m128i*>(&layer.bias32[o + 4]));
      }
      for (int i = 0; i < kIn; i += 2) {
        const auto* w = reinterpret_cast<const __m128i*>(&layer.pairs16[i / 2][o]);
        const __m128i w0 = _mm_load_si128(w), w1 = _mm_load_si128(w + 1);
#pragma GCC unroll 4
        for (int b = 0; b < kBlock; ++b) {
          const __m128i x = _mm_set1_epi32(Word<int32_t>(&layer.x16[p + b][i]));
          acc[b][0] = _mm_add_epi32(acc[b][0], _mm_madd_epi16(x, w0));
          acc[b][1] = _mm_add_epi32(acc[b][1], _mm_madd_epi16(x, w1));
        }
      }
      for (int b = 0; b < kBlock; ++b) {
        __m128i half[2];
        for (int h = 0; h < 2; ++h) {
          const __m128 scale = _mm_load_ps(&layer.scale[o + 4 * h]);
          half[h] = _mm_cvtps_epi32(_mm_mul_ps(_mm_cvtepi32_ps(acc[b][h]), scale));
        }
        const __m128i code = _mm_packs_epi32(half[0], half[1]);
        const __m128i clamped = _mm_min_epi16(_mm_max_epi16(code, zero), top);
        _mm_storel_epi64(reinterpret_cast<__m128i*>(&layer.y[p + b][o]),
                         _mm_packs_epi16(clamped, clamped));
      }
    }
  }
}

// ---- AVX2: 32 products of 8 bits into 16-bit pair sums, or 16 of 16 bits into 32-bit ones.

#define MACLOOM_AVX2 __attribute__((target("avx2")))
#define MACLOOM_VNNI __attribute__((target("avx2,avx512f,avx512vl,avx512vnni")))

MACLOOM_AVX2 void Avx2Int16Shift(Layer& layer) {
  const __m256i zero = _mm256_setzero_si256(), top = _mm256_set1_epi16(kMaxCode);
  for (int p = 0; p < kPositions; p += kBlock) {
    for (int o = 0; o < kOut; o += 32) {
      __m256i acc[kBlock][2];
      for (auto& row : acc) {
        row[0] = _mm256_load_si256(reinterpret_cast<const __m256i*>(&layer.bias16[o]));
        row[1] = _mm256_load_si256(reinterpret_cast<const __m256i*>(&layer.bias16[o + 16]));
      }
      for (int i = 0; i < kIn; i += 2) {
        const auto* w = reinterpret_cast<const __m256i*>(&layer.pairs8[i / 2][o]);
        const __m256i w0 = _mm256_load_si256(w), w1 = _mm256_load_si256(w + 1);
#pragma GCC unroll 4
        for (int b = 0; b < kBlock; ++b) {
          const __m256i x = _mm256_set1_epi16(Word<int16_t>(&layer.x[p + b][i]));
          acc[b][0] = _mm256_add_epi16(acc[b][0], _mm256_maddubs_epi16(x, w0));
          acc[b][1] = _mm256_add_epi16(acc[b][1], _mm256_maddubs_epi16(x, w1));
        }
      }
      for (int b = 0; b < kBlock; ++b) {
        __m256i half[2];
        for (int h = 0; h < 2; ++h) {
          const __m256i code = _mm256_srai_epi16(acc[b][h], kShift);
          half[h] = _mm256_min_epi16(_mm256_max_epi16(code, zero), top);
        }
        // Packing works within 128-bit halves: 0, 2, 1, 3 is the order of the channels.
        _mm256_store_si256(reinterpret_cast<__m256i*>(&layer.y[p + b][o]),
                           _mm256_permute4x64_epi64(_mm256_packs_epi16(half[0], half[1]), 0xd8));
      }
    }
  }
}

// Stores 16 codes: two accumulators of 8 channels each, requantized.
template <Requantize kRequantize>
MACLOOM_AVX2 inline void Store16(const __m256i* acc, const float* scale, int8_t* y) {
  __m256i half[2];
  for (int h = 0; h < 2; ++h) {
    if (kRequantize == Requantize::kShift) {
      half[h] = _mm256_srai_epi32(acc[h], kShift);
    } else {
      half[h] = _mm256_cvtps_epi32(
          _mm256_mul_ps(_mm256_cvtepi32_ps(acc[h]), _mm256_load_ps(scale + 8 * h)));
    }
  }
  const __m256i wide = _mm256_permute4x64_epi64(_mm256_packs_epi32(half[0], half[1]), 0xd8);
  const __m256i codes =
      _mm256_min_epi16(_mm256_max_epi16(wide, _mm256_setzero_si256()), _mm256_set1_epi16(kMaxCode));
  _mm_store_si128(
      reinterpret_cast<__m128i*>(y),
      _mm_packs_epi16(_mm256_castsi256_si128(codes), _mm256_extracti128_si256(codes, 1)));
}

template <Requantize kRequantize>
MACLOOM_AVX2 void Avx2Int32(Layer& layer) {
  for (int p = 0; p < kPositions; ++p) {
    for (int i = 0; i < kIn; i += 16) {
      const __m128i x = _mm_load_si128(reinterpret_cast<const __m128i*>(&layer.x[p][i]));
      _mm256_store_si256(reinterpret_cast<__m256i*>(&layer.x16[p][i]), _mm256_cvtepi8_epi16(x));
    }
  }
  const int32_t* bias = kRequantize == Requantize::kShift ? layer.bias_and_half32 : layer.bias32;
  for (int p = 0; p < kPositions; p += kBlock) {
    for (int o = 0; o < kOut; o += 16) {
      __m256i acc[kBlock][2];
      for (auto& row : acc) {
        row[0] = _mm256_load_si256(reinterpret_cast<const __m256i*>(bias + o));
        row[1] = _mm256_load_si256(reinterpret_cast<const __m256i*>(bias + o + 8));
      }
      for (int i = 0; i < kIn; i += 2) {
        const auto* w = reinterpret_cast<const __m256i*>(&layer.pairs16[i / 2][o]);
        const __m256i w0 = _mm256_load_si256(w), w1 = _mm256_load_si256(w + 1);
#pragma GCC unroll 4
        for (int b = 0; b < kBlock; ++b) {
          const __m256i x = _mm256_set1_epi32(Word<int32_t>(&layer.x16[p + b][i]));
          acc[b][0] = _mm256_add_epi32(acc[b][0], _mm256_madd_epi16(x, w0));
          acc[b][1] = _mm256_add_epi32(acc[b][1], _mm256_madd_epi16(x, w1));
        }
      }
      for (int b = 0; b < kBlock; ++b) {
        Store16<kRequantize>(acc[b], &layer.scale[o], &layer.y[p + b][o]);
      }
    }
  }
}

// ---- VNNI: 32 products of 8 bits into 32-bit sums of four in one instruction.

template <Requantize kRequantize>
MACLOOM_VNNI void VnniInt32(Layer& layer) {
  const int32_t* bias = kRequantize == Requantize::kShift ? layer.bias_and_half32 : layer.bias32;
  for (int p = 0; p < kPositions; p += kBlock) {
    for (int o = 0; o < kOut; o += 16) {
      __m256i acc[kBlock][2];
      for (auto& row : acc) {
        row[0] = _mm256_load_si256(reinterpret_cast<const __m256i*>(bias + o));
        row[1] = _mm256_load_si256(reinterpret_cast<const __m256i*>(bias + o + 8));
      }
      for (int i = 0; i < kIn; i += 4) {
        const auto* w = reinterpret_cast<const __m256i*>(&layer.fours8[i / 4][o]);
        const __m256i w0 = _mm256_load_si256(w), w1 = _mm256_load_si256(w + 1);
#pragma GCC unroll 4
        for (int b = 0; b < kBlock; ++b) {
          const __m256i x = _mm256_set1_epi32(Word<int32_t>(&layer.x[p + b][i]));
          acc[b][0] = _mm256_dpbusd_epi32(acc[b][0], x, w0);
          acc[b][1] = _mm256_dpbusd_epi32(acc[b][1], x, w1);
        }
      }
      for (int b = 0; b < kBlock; ++b) {
        Store16<kRequantize>(acc[b], &layer.scale[o], &layer.y[p + b][o]);
      }
    }
  }
}

void Measure(benchmark::State& state, void (*kernel)(Layer&), Requantize requantize,
             bool is_supported) {
  if (!is_supported) return state.SkipWithError("this CPU has no such instructions");
  const std::unique_ptr<Layer> layer = MakeLayer();
  kernel(*layer);
  if (!IsRight(*layer, requantize)) return state.SkipWithError("differs from scalar code");
  for (auto _ : state) {
    kernel(*layer);
    benchmark::DoNotOptimize(layer->y);
    benchmark::ClobberMemory();
  }
  state.counters["macs_per_s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kPositions * kIn * kOut,
                         benchmark::Counter::kIsRate);
}

const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;
const bool kHasVnni = kHasAvx2 && __builtin_cpu_supports("avx512vnni") != 0 &&
                      __builtin_cpu_supports("avx512vl") != 0;

BENCHMARK_CAPTURE(Measure, sse2_int16_shift, Sse2Int16Shift, Requantize::kShift, true);
BENCHMARK_CAPTURE(Measure, sse2_int32_multiplier, Sse2Int32Multiplier, Requantize::kMultiplier,
                  true);
BENCHMARK_CAPTURE(Measure, avx2_int16_shift, Avx2Int16Shift, Requantize::kShift, kHasAvx2);
BENCHMARK_CAPTURE(Measure, avx2_int32_shift, Avx2Int32<Requantize::kShift>, Requantize::kShift,
                  kHasAvx2);
BENCHMARK_CAPTURE(Measure, avx2_int32_multiplier, Avx2Int32<Requantize::kMultiplier>,
                  Requantize::kMultiplier, kHasAvx2);
BENCHMARK_CAPTURE(Measure, vnni_int32_shift, VnniInt32<Requantize::kShift>, Requantize::kShift,
                  kHasVnni);
BENCHMARK_CAPTURE(Measure, vnni_int32_multiplier, VnniInt32<Requantize::kMultiplier>,
                  Requantize::kMultiplier, kHasVnni);

}  // namespace
}  // namespace macloom

BENCHMARK_MAIN();
