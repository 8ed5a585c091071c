// Arrays in the files data sets come in: .npy, .npz and IDX.
#pragma once

#include <filesystem>
#include <string>

#include "base/npy.h"
#include "base/result.h"

namespace macloom {

/// True for a name ReadArray() takes: .npy, .npz, or IDX (-ubyte, .idx, both also with .gz).
bool IsArrayFile(const std::filesystem::path& path);

/// Reads an array; messages start with the path.
///
/// .npy as ReadNpy(). .npz: the array `member` (with or without its ".npy"); an empty `member`
/// takes the only array of the file. IDX (http://yann.lecun.com/exdb/mnist: big-endian magic 0 0 8
/// D, D sizes, unsigned bytes), plain or gzip: dtype |u1.
/// @param member  Only of .npz; must be empty otherwise.
/// @return kInvalidInput for a damaged file, a missing member (the message lists the arrays), an
/// IDX
///         element type other than unsigned bytes, more than kDefaultMaxFileBytes.
Result<NpyArray> ReadArray(const std::filesystem::path& path, const std::string& member);

}  // namespace macloom
