// Files of inputs as data sets have them: codes, real values, pixels, raw sound.
#pragma once

#include <filesystem>
#include <string>

#include "base/npy.h"
#include "flow/samples.h"

namespace macloom::flow {

/// PATH or PATH@FORM; FORM is "pixels", "pcm16" or the name of an array in an .npz file.
struct SampleFile {
  std::filesystem::path path;
  std::string form;
};

/// Splits at the last '@', unless a file of the whole name exists or none before the '@' does.
SampleFile SplitSampleFile(const std::string& text);

/// Inputs for a tensor like `info`:
///   array (.npy, .npz, IDX) of integers  codes
///   array of floats                      values: code = floor(x / scale + 1/2) + zero point,
///   clamped array of unsigned bytes @pixels      code = byte + smallest code; 8-bit integer inputs
///   folder or tar archive                raw files of one int8 input each, of bytes @pixels, or
///                                        @pcm16: 16-bit little-endian samples of one sound,
///                                        code = clamp(floor(x / 2^(16 - bits) + 1/2)), zeros after
///                                        its end, cut at the input's size
/// First axis of an array = sample, then the input's shape, with or without axes of 1.
/// @return kInvalidInput naming shape, type or value found and what is expected; kUnsupported for
///         values of a minifloat input.
Result<Samples> ReadSamples(const SampleFile& file, const ir::TensorInfo& info);

/// Elements of an array of integers, or of floats that are whole. @return kInvalidInput otherwise.
Result<std::vector<int64_t>> WholeNumbers(const NpyArray& array, const std::filesystem::path& path);

}  // namespace macloom::flow
