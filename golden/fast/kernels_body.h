// The kernels of one level; included by exactly one source file per level.
#pragma once

#include "golden/fast/kernels.h"
#include "golden/fast/vector.h"

namespace macloom::golden::fast {
namespace {

constexpr bool kHasManyRegisters = kLanes == 16;

// --- Requantization of one vector of channels (docs/numerics.md section 4) ----------------------

/// Parameters of one vector of channels.
struct LaneRounding {
  Vector multiplier, left, right, low, high, offset;
};

inline LaneRounding LoadRounding(const Rounding& rounding, int64_t channel) {
  LaneRounding lanes{
      All(0), All(0), All(0), All(rounding.low), All(rounding.high), All(rounding.offset)};
  if (rounding.kind == Rounding::Kind::kMean) return lanes;
  lanes.right = Load(rounding.right + channel);
  if (rounding.kind == Rounding::Kind::kShift) return lanes;
  lanes.multiplier = Load(rounding.multiplier + channel);
  if (rounding.has_left_shift) lanes.left = Load(rounding.left + channel);
  return lanes;
}

#if defined(__AVX512VNNI__)

inline Vector RoundDouble(Vector x, const LaneRounding& lanes, bool has_left_shift) {
  if (has_left_shift) x = Of(_mm512_sllv_epi32(Raw(x), Raw(lanes.left)));
  const __m512i half = _mm512_set1_epi64(int64_t{1} << 30);
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(Raw(x), Raw(lanes.multiplier)), half);
  const __m512i odd = _mm512_add_epi64(
      _mm512_mul_epi32(_mm512_srli_epi64(Raw(x), 32), _mm512_srli_epi64(Raw(lanes.multiplier), 32)),
      half);
  // Bits 31..62 of each product, the odd lanes' moved to the upper half.
  const __m512i high =
      _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
  const __m512i shift = Raw(lanes.right);
  const __m512i one = _mm512_set1_epi32(1);
  const __m512i mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, shift), one);
  const __m512i threshold =
      _mm512_sub_epi32(_mm512_srli_epi32(mask, 1), _mm512_srai_epi32(high, 31));
  const __mmask16 is_up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(high, mask), threshold);
  const __m512i down = _mm512_srav_epi32(high, shift);
  return Of(_mm512_mask_add_epi32(down, is_up, down, one));
}

inline Vector RoundSingle(Vector x, const LaneRounding& lanes) {
  const __m512i one = _mm512_set1_epi64(1);
  const auto product = [&](__m512i value, __m512i multiplier, __m512i shift) {
    const __m512i half = _mm512_sllv_epi64(one, _mm512_sub_epi64(shift, one));
    return _mm512_srav_epi64(_mm512_add_epi64(_mm512_mul_epi32(value, multiplier), half), shift);
  };
  const __m512i low_half = _mm512_set1_epi64(0xffffffff);
  const __m512i even =
      product(Raw(x), Raw(lanes.multiplier), _mm512_and_si512(Raw(lanes.right), low_half));
  const __m512i odd =
      product(_mm512_srli_epi64(Raw(x), 32), _mm512_srli_epi64(Raw(lanes.multiplier), 32),
              _mm512_srli_epi64(Raw(lanes.right), 32));
  return Of(_mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32)));
}

inline Vector RoundShift(Vector x, const LaneRounding& lanes) {
  // floor((x + 2^(s-1)) / 2^s) = (x >> s) + bit s-1 of x, without leaving 32 bits.
  const __m512i one = _mm512_set1_epi32(1);
  const __m512i below =
      _mm512_max_epi32(_mm512_sub_epi32(Raw(lanes.right), one), _mm512_setzero_si512());
  const __m512i carry =
      _mm512_maskz_and_epi32(_mm512_cmpgt_epi32_mask(Raw(lanes.right), _mm512_setzero_si512()),
                             _mm512_srav_epi32(Raw(x), below), one);
  return Of(_mm512_add_epi32(_mm512_srav_epi32(Raw(x), Raw(lanes.right)), carry));
}

/// RDPOT's rounding constant is added inside the product: no sum leaves 32 bits.
inline Vector RoundSmallDouble(Vector x, const LaneRounding& lanes) {
  const __m512i one = _mm512_set1_epi32(1);
  const __m512i multiplier = Raw(lanes.multiplier);
  const __m512i half = _mm512_srli_epi32(_mm512_sllv_epi32(one, Raw(lanes.right)), 1);
  // Negative sums round from one below; with nothing to shift (half = 0) they do not.
  const __m512i threshold = _mm512_mask_mov_epi32(half, _mm512_testn_epi32_mask(half, half),
                                                  _mm512_set1_epi32(INT32_MIN));
  const __m512i nearest = _mm512_set1_epi64(int64_t{1} << 30);
  const __m512i odd_half = _mm512_slli_epi64(_mm512_srli_epi64(half, 32), 31);
  const __m512i even_half =
      _mm512_slli_epi64(_mm512_and_si512(half, _mm512_set1_epi64(0xffffffff)), 31);
  const __m512i even =
      _mm512_add_epi64(_mm512_mul_epi32(Raw(x), multiplier), _mm512_add_epi64(nearest, even_half));
  const __m512i odd = _mm512_add_epi64(
      _mm512_mul_epi32(_mm512_srli_epi64(Raw(x), 32), _mm512_srli_epi64(multiplier, 32)),
      _mm512_add_epi64(nearest, odd_half));
  const __m512i sum =
      _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
  const __mmask16 is_negative = _mm512_cmplt_epi32_mask(sum, threshold);
  return Of(_mm512_srav_epi32(_mm512_mask_sub_epi32(sum, is_negative, sum, one), Raw(lanes.right)));
}

#elif defined(__AVX2__)

inline Vector RoundDouble(Vector x, const LaneRounding& lanes, bool has_left_shift) {
  if (has_left_shift) x = Of(_mm256_sllv_epi32(Raw(x), Raw(lanes.left)));
  const __m256i half = _mm256_set1_epi64x(int64_t{1} << 30);
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(Raw(x), Raw(lanes.multiplier)), half);
  const __m256i odd = _mm256_add_epi64(
      _mm256_mul_epi32(_mm256_srli_epi64(Raw(x), 32), _mm256_srli_epi64(Raw(lanes.multiplier), 32)),
      half);
  // Bits 31..62 of each product, the odd lanes' moved to the upper half.
  const __m256i high =
      _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xAA);
  const __m256i shift = Raw(lanes.right);
  const __m256i one = _mm256_set1_epi32(1);
  const __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, shift), one);
  const __m256i threshold =
      _mm256_sub_epi32(_mm256_srli_epi32(mask, 1), _mm256_srai_epi32(high, 31));
  const __m256i is_up = _mm256_cmpgt_epi32(_mm256_and_si256(high, mask), threshold);
  return Of(_mm256_sub_epi32(_mm256_srav_epi32(high, shift), is_up));
}

inline Vector RoundSingle(Vector x, const LaneRounding& lanes) {
  const __m256i one = _mm256_set1_epi64x(1);
  // AVX2 has no arithmetic 64-bit shift: the product is made positive by 2^62 first.
  const __m256i bias = _mm256_set1_epi64x(int64_t{1} << 62);
  const auto product = [&](__m256i value, __m256i multiplier, __m256i shift) {
    const __m256i half = _mm256_sllv_epi64(one, _mm256_sub_epi64(shift, one));
    const __m256i sum = _mm256_add_epi64(_mm256_mul_epi32(value, multiplier), half);
    return _mm256_sub_epi64(_mm256_srlv_epi64(_mm256_add_epi64(sum, bias), shift),
                            _mm256_srlv_epi64(bias, shift));
  };
  const __m256i low_half = _mm256_set1_epi64x(0xffffffff);
  const __m256i even =
      product(Raw(x), Raw(lanes.multiplier), _mm256_and_si256(Raw(lanes.right), low_half));
  const __m256i odd =
      product(_mm256_srli_epi64(Raw(x), 32), _mm256_srli_epi64(Raw(lanes.multiplier), 32),
              _mm256_srli_epi64(Raw(lanes.right), 32));
  return Of(_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA));
}

inline Vector RoundShift(Vector x, const LaneRounding& lanes) {
  // floor((x + 2^(s-1)) / 2^s) = (x >> s) + bit s-1 of x, without leaving 32 bits.
  const __m256i one = _mm256_set1_epi32(1);
  const __m256i zero = _mm256_setzero_si256();
  const __m256i below = _mm256_max_epi32(_mm256_sub_epi32(Raw(lanes.right), one), zero);
  const __m256i carry = _mm256_and_si256(_mm256_and_si256(_mm256_srav_epi32(Raw(x), below), one),
                                         _mm256_cmpgt_epi32(Raw(lanes.right), zero));
  return Of(_mm256_add_epi32(_mm256_srav_epi32(Raw(x), Raw(lanes.right)), carry));
}

/// RDPOT's rounding constant is added inside the product: no sum leaves 32 bits.
inline Vector RoundSmallDouble(Vector x, const LaneRounding& lanes) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i multiplier = Raw(lanes.multiplier);
  const __m256i half =
      _mm256_srli_epi32(_mm256_sllv_epi32(_mm256_set1_epi32(1), Raw(lanes.right)), 1);
  // Negative sums round from one below; with nothing to shift (half = 0) they do not.
  const __m256i threshold = _mm256_or_si256(
      half, _mm256_and_si256(_mm256_cmpeq_epi32(half, zero), _mm256_set1_epi32(INT32_MIN)));
  const __m256i nearest = _mm256_set1_epi64x(int64_t{1} << 30);
  const __m256i odd_half = _mm256_slli_epi64(_mm256_srli_epi64(half, 32), 31);
  const __m256i even_half =
      _mm256_slli_epi64(_mm256_and_si256(half, _mm256_set1_epi64x(0xffffffff)), 31);
  const __m256i even =
      _mm256_add_epi64(_mm256_mul_epi32(Raw(x), multiplier), _mm256_add_epi64(nearest, even_half));
  const __m256i odd = _mm256_add_epi64(
      _mm256_mul_epi32(_mm256_srli_epi64(Raw(x), 32), _mm256_srli_epi64(multiplier, 32)),
      _mm256_add_epi64(nearest, odd_half));
  const __m256i sum =
      _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xAA);
  const __m256i is_negative = _mm256_cmpgt_epi32(threshold, sum);
  return Of(_mm256_srav_epi32(_mm256_add_epi32(sum, is_negative), Raw(lanes.right)));
}

#else

// No shifts by lane: one lane after the other.
inline Vector RoundDouble(Vector x, const LaneRounding& lanes, bool) {
  for (int i = 0; i < kLanes; ++i) {
    const int64_t shifted = int64_t{x[i]} * (int64_t{1} << lanes.left[i]);
    const int64_t high = (shifted * lanes.multiplier[i] + (int64_t{1} << 30)) >> 31;
    const int64_t half = (int64_t{1} << lanes.right[i]) >> 1;
    x[i] = static_cast<int32_t>((high + half - (high < 0 && half > 0 ? 1 : 0)) >> lanes.right[i]);
  }
  return x;
}

inline Vector RoundSmallDouble(Vector x, const LaneRounding& lanes) {
  return RoundDouble(x, lanes, false);
}

inline Vector RoundSingle(Vector x, const LaneRounding& lanes) {
  for (int i = 0; i < kLanes; ++i) {
    const int64_t half = int64_t{1} << (lanes.right[i] - 1);
    x[i] = static_cast<int32_t>((int64_t{x[i]} * lanes.multiplier[i] + half) >> lanes.right[i]);
  }
  return x;
}

inline Vector RoundShift(Vector x, const LaneRounding& lanes) {
  for (int i = 0; i < kLanes; ++i) {
    const int64_t half = (int64_t{1} << lanes.right[i]) >> 1;
    x[i] = static_cast<int32_t>((int64_t{x[i]} + half) >> lanes.right[i]);
  }
  return x;
}

#endif

inline Vector RoundMean(Vector x, int32_t count) {
  for (int i = 0; i < kLanes; ++i) {
    x[i] = x[i] > 0 ? (x[i] + count / 2) / count : (x[i] - count / 2) / count;
  }
  return x;
}

inline int64_t Smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/// One vector of accumulators before zero point and clamp; `row` counts for kMean only.
template <Rounding::Kind kKind, bool kHasLeftShift>
inline Vector Round(Vector x, const LaneRounding& lanes, const Rounding& rounding, int64_t row) {
  if constexpr (kKind == Rounding::Kind::kDouble) return RoundDouble(x, lanes, kHasLeftShift);
  if constexpr (kKind == Rounding::Kind::kSmallDouble) return RoundSmallDouble(x, lanes);
  if constexpr (kKind == Rounding::Kind::kSingle) return RoundSingle(x, lanes);
  if constexpr (kKind == Rounding::Kind::kShift) return RoundShift(x, lanes);
  return RoundMean(x, rounding.divisors[row]);
}

/// Requantizes `num_rows` vectors of accumulators, `stride` vectors apart, into the destination.
template <Rounding::Kind kKind, bool kHasLeftShift>
inline void FinishAs(const Destination& to, const Vector* sums, int num_rows, int stride,
                     int64_t row, int64_t channel) {
  const LaneRounding lanes = LoadRounding(to.rounding, channel);
  const int64_t valid = Smaller(kLanes, to.num_channels - channel);
  Vector low = Load(to.counts.clamped_low + channel);
  Vector high = Load(to.counts.clamped_high + channel);
  uint8_t* output = to.output + row * to.num_channels + channel;
  for (int p = 0; p < num_rows; ++p, output += to.num_channels) {
    Vector x = Round<kKind, kHasLeftShift>(sums[p * stride], lanes, to.rounding, row + p);
    low = CountGreater(low, lanes.low, x);
    high = CountGreater(high, x, lanes.high);
    x = Add(Min(Max(x, lanes.low), lanes.high), lanes.offset);
    if (valid == kLanes) {
      StoreBytes(output, x);
    } else {
      uint8_t bytes[kLanes];
      StoreBytes(bytes, x);
      for (int64_t i = 0; i < valid; ++i) output[i] = bytes[i];
    }
  }
  Store(to.counts.clamped_low + channel, low);
  Store(to.counts.clamped_high + channel, high);
}

#if defined(__AVX512VNNI__)

/// FinishAs() for 4 whole vectors of channels per row, sums[row][4]: clamps and counts in 16 bits.
/// With kIsInterleaved, lanes and parameters are in the order of TapQuads.
template <Rounding::Kind kKind, bool kIsInterleaved>
inline void FinishFourAs(const Destination& to, const Vector* sums, int num_rows, int64_t row,
                         int64_t channel) {
  constexpr int kMaxRows = 8;
  Vector rounded[kMaxRows][4];
  for (int v = 0; v < 4; ++v) {
    const LaneRounding lanes = LoadRounding(to.rounding, channel + v * kLanes);
    for (int p = 0; p < num_rows; ++p) {
      rounded[p][v] = Round<kKind, false>(sums[4 * p + v], lanes, to.rounding, row + p);
    }
  }
  // The limits fit 16 bits, so that a saturated value is on the same side of them.
  const __m512i low = _mm512_set1_epi16(static_cast<int16_t>(to.rounding.low));
  const __m512i high = _mm512_set1_epi16(static_cast<int16_t>(to.rounding.high));
  const __m512i offset = _mm512_set1_epi16(static_cast<int16_t>(to.rounding.offset));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  int64_t num_low = 0, num_high = 0;
  uint8_t* output = to.output + row * to.num_channels + channel;
  for (int p = 0; p < num_rows; ++p, output += to.num_channels) {
    __m512i halves[2];
    for (int h = 0; h < 2; ++h) {
      const __m512i x = _mm512_packs_epi32(Raw(rounded[p][2 * h]), Raw(rounded[p][2 * h + 1]));
      num_low += __builtin_popcount(_mm512_cmplt_epi16_mask(x, low));
      num_high += __builtin_popcount(_mm512_cmpgt_epi16_mask(x, high));
      halves[h] = _mm512_add_epi16(_mm512_min_epi16(_mm512_max_epi16(x, low), high), offset);
    }
    const __m512i bytes = _mm512_packus_epi16(halves[0], halves[1]);
    _mm512_storeu_si512(output, kIsInterleaved ? bytes : _mm512_permutexvar_epi32(order, bytes));
  }
  to.counts.clamped_low[channel] += static_cast<int32_t>(num_low);
  to.counts.clamped_high[channel] += static_cast<int32_t>(num_high);
}

#endif

inline void KeepAccumulators(const Destination& to, const Vector* sums, int num_rows, int stride,
                             int64_t row, int64_t channel) {
  const int64_t valid = Smaller(kLanes, to.num_channels - channel);
  for (int p = 0; p < num_rows; ++p) {
    int32_t* output = to.accumulators + (row + p) * to.num_channels + channel;
    for (int i = 0; i < valid; ++i) output[i] = sums[p * stride][i];
  }
}

inline void Finish(const Destination& to, const Vector* sums, int num_rows, int stride, int64_t row,
                   int64_t channel) {
  if (to.accumulators != nullptr) KeepAccumulators(to, sums, num_rows, stride, row, channel);
  switch (to.rounding.kind) {
    case Rounding::Kind::kDouble:
      if (to.rounding.has_left_shift) {
        return FinishAs<Rounding::Kind::kDouble, true>(to, sums, num_rows, stride, row, channel);
      }
      return FinishAs<Rounding::Kind::kDouble, false>(to, sums, num_rows, stride, row, channel);
    case Rounding::Kind::kSmallDouble:
      return FinishAs<Rounding::Kind::kSmallDouble, false>(to, sums, num_rows, stride, row,
                                                           channel);
    case Rounding::Kind::kSingle:
      return FinishAs<Rounding::Kind::kSingle, false>(to, sums, num_rows, stride, row, channel);
    case Rounding::Kind::kShift:
      return FinishAs<Rounding::Kind::kShift, false>(to, sums, num_rows, stride, row, channel);
    case Rounding::Kind::kMean:
      return FinishAs<Rounding::Kind::kMean, false>(to, sums, num_rows, stride, row, channel);
  }
}

/// A tile of kRows x kVectors accumulators.
template <int kRows, int kVectors>
inline void FinishTile(const Destination& to, const Vector (&sums)[kRows][kVectors], int64_t row,
                       int64_t channel) {
#if defined(__AVX512VNNI__)
  const bool is_plain = to.accumulators == nullptr && channel + 4 * kLanes <= to.num_channels;
  if constexpr (kVectors == 4) {
    if (is_plain && to.rounding.kind == Rounding::Kind::kSmallDouble) {
      return FinishFourAs<Rounding::Kind::kSmallDouble, false>(to, &sums[0][0], kRows, row,
                                                               channel);
    }
    if (is_plain && to.rounding.kind == Rounding::Kind::kSingle) {
      return FinishFourAs<Rounding::Kind::kSingle, false>(to, &sums[0][0], kRows, row, channel);
    }
  }
#endif
  for (int v = 0; v < kVectors; ++v) {
    Finish(to, &sums[0][v], kRows, kVectors, row, channel + v * kLanes);
  }
}

// --- The accumulator's policy (docs/numerics.md section 2.2) ------------------------------------

/// One vector of accumulators that takes step after step.
template <bool kSaturates>
struct Stepper {
  Vector acc, exact, events;

  void Start(const Steps& steps, int64_t channel) {
    acc = Load(steps.start + channel);
    exact = Load(steps.exact_start + channel);
    events = All(0);
  }
  /// `low`, `high`: the range. `unused_bits`: 32 less the width.
  void Take(Vector sum, Vector low, Vector high, int unused_bits) {
    const Vector t = acc + sum;
    exact = Add(exact, sum);
    acc = kSaturates ? Min(Max(t, low), high) : ShiftLeft(t, unused_bits) >> unused_bits;
    events = CountNotEqual(events, t, acc);
  }
};

template <bool kSaturates>
inline void CountEvents(const LaneCounts& counts, const Stepper<kSaturates>* steppers, int num_rows,
                        int stride, int64_t channel) {
  Vector events = Load(counts.events + channel);
  Vector overflowed = Load(counts.overflowed + channel);
  Vector wrong = Load(counts.wrong + channel);
  for (int p = 0; p < num_rows; ++p) {
    const Stepper<kSaturates>& stepper = steppers[p * stride];
    events = Add(events, stepper.events);
    overflowed = CountGreater(overflowed, stepper.events, All(0));
    wrong = CountNotEqual(wrong, stepper.acc, stepper.exact);
  }
  Store(counts.events + channel, events);
  Store(counts.overflowed + channel, overflowed);
  Store(counts.wrong + channel, wrong);
}

/// Counts and requantizes a tile of kRows x kVectors accumulators.
template <bool kSaturates, int kRows, int kVectors>
inline void FinishSteps(const Destination& to,
                        const Stepper<kSaturates> (&steppers)[kRows][kVectors], int64_t row,
                        int64_t channel) {
  for (int v = 0; v < kVectors; ++v) {
    Vector sums[kRows];
    for (int p = 0; p < kRows; ++p) sums[p] = steppers[p][v].acc;
    CountEvents<kSaturates>(to.counts, &steppers[0][v], kRows, kVectors, channel + v * kLanes);
    Finish(to, sums, kRows, 1, row, channel + v * kLanes);
  }
}

// --- Matrix --------------------------------------------------------------------------------------

template <int kRows, int kVectors>
void MatrixTile(const MatrixArguments& a, int64_t row, int64_t channel) {
  const uint8_t* rows = a.rows + row * a.row_bytes;
  const int64_t vector_bytes = a.num_groups * kGroupWeightBytes;
  const uint8_t* weights = static_cast<const uint8_t*>(a.weights) + channel / kLanes * vector_bytes;
  Vector sums[kRows][kVectors];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) {
    const Vector start = Load(a.steps.start + channel + v * kLanes);
#pragma GCC unroll 8
    for (int p = 0; p < kRows; ++p) sums[p][v] = start;
  }
  for (int64_t g = 0; g < a.num_groups; ++g) {
    GroupWeights w[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      w[v] = LoadWeights(weights + v * vector_bytes + g * kGroupWeightBytes);
    }
#pragma GCC unroll 8
    for (int p = 0; p < kRows; ++p) {
      const Group x = LoadGroup(rows + p * a.row_bytes + 4 * g);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sums[p][v] = Dot(sums[p][v], x, w[v]);
    }
  }
  FinishTile<kRows, kVectors>(a.destination, sums, row, channel);
}

template <int kRows, int kVectors, bool kSaturates>
void MatrixStepTile(const MatrixArguments& a, int64_t row, int64_t channel) {
  const uint8_t* rows = a.rows + row * a.row_bytes;
  const int64_t vector_bytes = a.num_groups * kGroupWeightBytes;
  const uint8_t* weights = static_cast<const uint8_t*>(a.weights) + channel / kLanes * vector_bytes;
  const int unused_bits = 32 - a.steps.width_bits;
  const Vector high = All(INT32_MAX >> unused_bits), low = All(INT32_MIN >> unused_bits);
  Stepper<kSaturates> steppers[kRows][kVectors];
#pragma GCC unroll 8
  for (int p = 0; p < kRows; ++p) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) steppers[p][v].Start(a.steps, channel + v * kLanes);
  }
  int64_t g = 0;
  for (int64_t s = 0; s < a.steps.num_steps; ++s) {
    const int32_t* corrections = a.steps.corrections + s * a.steps.padded_channels + channel;
    Vector sums[kRows][kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const Vector correction = Load(corrections + v * kLanes);
#pragma GCC unroll 8
      for (int p = 0; p < kRows; ++p) sums[p][v] = correction;
    }
    for (; g < a.steps.ends[s]; ++g) {
      GroupWeights w[kVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        w[v] = LoadWeights(weights + v * vector_bytes + g * kGroupWeightBytes);
      }
#pragma GCC unroll 8
      for (int p = 0; p < kRows; ++p) {
        const Group x = LoadGroup(rows + p * a.row_bytes + 4 * g);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sums[p][v] = Dot(sums[p][v], x, w[v]);
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < kRows; ++p) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) steppers[p][v].Take(sums[p][v], low, high, unused_bits);
    }
  }
  FinishSteps<kSaturates, kRows, kVectors>(a.destination, steppers, row, channel);
}

/// All rows of kVectors vectors of channels, tiles of kRows and a rest of single rows.
template <int kRows, int kVectors>
void MatrixColumn(const MatrixArguments& a, int64_t channel) {
  int64_t row = 0;
  for (; row + kRows <= a.num_rows; row += kRows) MatrixTile<kRows, kVectors>(a, row, channel);
  for (; row < a.num_rows; ++row) MatrixTile<1, kVectors>(a, row, channel);
}

template <int kRows, int kVectors, bool kSaturates>
void MatrixStepColumn(const MatrixArguments& a, int64_t channel) {
  int64_t row = 0;
  for (; row + kRows <= a.num_rows; row += kRows) {
    MatrixStepTile<kRows, kVectors, kSaturates>(a, row, channel);
  }
  for (; row < a.num_rows; ++row) MatrixStepTile<1, kVectors, kSaturates>(a, row, channel);
}

template <bool kSaturates>
void MatrixSteps(const MatrixArguments& a) {
  constexpr int kRows = kHasManyRegisters ? 3 : 2;
  int64_t channel = 0;
  const int64_t num_channels = a.destination.num_channels;
  if constexpr (kHasManyRegisters) {
    for (; channel + kLanes < num_channels; channel += 2 * kLanes) {
      MatrixStepColumn<kRows, 2, kSaturates>(a, channel);
    }
  }
  for (; channel < num_channels; channel += kLanes) {
    MatrixStepColumn<kRows, 1, kSaturates>(a, channel);
  }
}

void Matrix(const MatrixArguments& a) {
  if (a.steps.num_steps > 0) {
    return a.steps.is_saturating ? MatrixSteps<true>(a) : MatrixSteps<false>(a);
  }
  constexpr int kRows = kHasManyRegisters ? 6 : 4;
  int64_t channel = 0;
  const int64_t num_channels = a.destination.num_channels;
  if constexpr (kHasManyRegisters) {
    for (; channel + 3 * kLanes < num_channels; channel += 4 * kLanes) {
      MatrixColumn<kRows, 4>(a, channel);
    }
  }
  for (; channel + kLanes < num_channels; channel += 2 * kLanes) MatrixColumn<kRows, 2>(a, channel);
  for (; channel < num_channels; channel += kLanes) MatrixColumn<kRows, 1>(a, channel);
}

// --- Window --------------------------------------------------------------------------------------

template <int kRows>
void WindowTile(const WindowArguments& a, int64_t row, int64_t channel) {
  const uint8_t* bases[kRows];
  Vector sums[kRows];
  const Vector start = Load(a.steps.start + channel);
#pragma GCC unroll 8
  for (int p = 0; p < kRows; ++p) {
    bases[p] = a.image + a.row_offsets[row + p] + channel;
    sums[p] = start;
  }
  const int32_t* weights = a.weights + channel;
  for (int64_t t = 0; t < a.num_taps; ++t, weights += a.steps.padded_channels) {
    const Vector w = Load(weights);
    const int64_t offset = a.tap_offsets[t];
#pragma GCC unroll 8
    for (int p = 0; p < kRows; ++p) {
      sums[p] = MultiplyAdd(sums[p], LoadBytes(bases[p] + offset), w);
    }
  }
  Finish(a.destination, sums, kRows, 1, row, channel);
}

template <int kRows, bool kSaturates>
void WindowStepTile(const WindowArguments& a, int64_t row, int64_t channel) {
  const int unused_bits = 32 - a.steps.width_bits;
  const Vector high = All(INT32_MAX >> unused_bits), low = All(INT32_MIN >> unused_bits);
  const uint8_t* bases[kRows];
  Stepper<kSaturates> steppers[kRows][1];
#pragma GCC unroll 8
  for (int p = 0; p < kRows; ++p) {
    bases[p] = a.image + a.row_offsets[row + p] + channel;
    steppers[p][0].Start(a.steps, channel);
  }
  const int32_t* weights = a.weights + channel;
  const int32_t* corrections = a.steps.corrections + channel;
  int64_t t = 0;
  for (int64_t s = 0; s < a.steps.num_steps; ++s, corrections += a.steps.padded_channels) {
    Vector sums[kRows];
    const Vector correction = Load(corrections);
#pragma GCC unroll 8
    for (int p = 0; p < kRows; ++p) sums[p] = correction;
    for (; t < a.steps.ends[s]; ++t, weights += a.steps.padded_channels) {
      const Vector w = Load(weights);
      const int64_t offset = a.tap_offsets[t];
#pragma GCC unroll 8
      for (int p = 0; p < kRows; ++p) {
        sums[p] = MultiplyAdd(sums[p], LoadBytes(bases[p] + offset), w);
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < kRows; ++p) steppers[p][0].Take(sums[p], low, high, unused_bits);
  }
  FinishSteps<kSaturates, kRows, 1>(a.destination, steppers, row, channel);
}

#if defined(__AVX512VNNI__)

/// kRows positions of one block of 64 channels.
template <int kRows>
void QuadTile(const WindowArguments& a, const Destination& to, int64_t row, int64_t channel) {
  const uint8_t* bases[kRows];
  Vector sums[kRows][4];
#pragma GCC unroll 8
  for (int p = 0; p < kRows; ++p) {
    bases[p] = a.image + a.row_offsets[row + p] + channel;
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) sums[p][v] = Load(a.quads.start + channel + v * kLanes);
  }
  const uint8_t* weights =
      static_cast<const uint8_t*>(a.quads.weights) + channel * 4 * a.quads.num_quads;
  for (int64_t q = 0; q < a.quads.num_quads; ++q, weights += 4 * 4 * kLanes) {
    const int64_t* offsets = a.quads.tap_offsets + 4 * q;
#pragma GCC unroll 8
    for (int p = 0; p < kRows; ++p) {
      const __m512i tap0 = _mm512_loadu_si512(bases[p] + offsets[0]);
      const __m512i tap1 = _mm512_loadu_si512(bases[p] + offsets[1]);
      const __m512i tap2 = _mm512_loadu_si512(bases[p] + offsets[2]);
      const __m512i tap3 = _mm512_loadu_si512(bases[p] + offsets[3]);
      const __m512i low01 = _mm512_unpacklo_epi8(tap0, tap1);
      const __m512i high01 = _mm512_unpackhi_epi8(tap0, tap1);
      const __m512i low23 = _mm512_unpacklo_epi8(tap2, tap3);
      const __m512i high23 = _mm512_unpackhi_epi8(tap2, tap3);
      const __m512i quads[4] = {
          _mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
          _mm512_unpacklo_epi16(high01, high23), _mm512_unpackhi_epi16(high01, high23)};
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) {
        sums[p][v] = Dot(sums[p][v], {quads[v]}, LoadWeights(weights + v * 4 * kLanes));
      }
    }
  }
  if (to.rounding.kind == Rounding::Kind::kSingle) {
    return FinishFourAs<Rounding::Kind::kSingle, true>(to, &sums[0][0], kRows, row, channel);
  }
  FinishFourAs<Rounding::Kind::kSmallDouble, true>(to, &sums[0][0], kRows, row, channel);
}

/// All whole blocks of 64 channels. @return The first channel that is left.
int64_t WindowQuads(const WindowArguments& a) {
  if (a.quads.weights == nullptr || a.destination.accumulators != nullptr) return 0;
  constexpr int kRows = 4;
  Destination to = a.destination;
  to.rounding.multiplier = a.quads.multiplier;
  to.rounding.right = a.quads.right;
  int64_t channel = 0;
  for (; channel + 4 * kLanes <= to.num_channels; channel += 4 * kLanes) {
    int64_t row = 0;
    for (; row + kRows <= a.num_rows; row += kRows) QuadTile<kRows>(a, to, row, channel);
    for (; row < a.num_rows; ++row) QuadTile<1>(a, to, row, channel);
  }
  return channel;
}

#else

int64_t WindowQuads(const WindowArguments&) { return 0; }

#endif

template <bool kSaturates>
void WindowSteps(const WindowArguments& a) {
  constexpr int kRows = kHasManyRegisters ? 6 : 2;
  for (int64_t channel = 0; channel < a.destination.num_channels; channel += kLanes) {
    int64_t row = 0;
    for (; row + kRows <= a.num_rows; row += kRows) {
      WindowStepTile<kRows, kSaturates>(a, row, channel);
    }
    for (; row < a.num_rows; ++row) WindowStepTile<1, kSaturates>(a, row, channel);
  }
}

void Window(const WindowArguments& a) {
  if (a.steps.num_steps > 0) {
    return a.steps.is_saturating ? WindowSteps<true>(a) : WindowSteps<false>(a);
  }
  constexpr int kRows = kHasManyRegisters ? 8 : 6;
  for (int64_t channel = WindowQuads(a); channel < a.destination.num_channels; channel += kLanes) {
    int64_t row = 0;
    for (; row + kRows <= a.num_rows; row += kRows) WindowTile<kRows>(a, row, channel);
    for (; row < a.num_rows; ++row) WindowTile<1>(a, row, channel);
  }
}

// --- Add -----------------------------------------------------------------------------------------

void AddElements(const AddArguments& a) {
  Destination to = a.destination;
  for (int64_t i = 0; i < a.num_elements; i += kLanes) {
    const int64_t valid = Smaller(kLanes, a.num_elements - i);
    int32_t sums[kLanes] = {};
    for (int64_t k = 0; k < valid; ++k) {
      sums[k] = a.table_a[a.a[i + k]] + a.table_b[a.b[i + k]];
    }
    to.output = a.destination.output + i;
    to.num_channels = valid;
    const Vector vector = Load(sums);
    Finish(to, &vector, 1, 1, 0, 0);
  }
}

constexpr Kernels kKernels = {kLanes, kHasByteDot, Matrix, Window, AddElements};

}  // namespace
}  // namespace macloom::golden::fast
