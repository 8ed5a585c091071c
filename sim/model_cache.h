// Compiled RTL models, built on demand and cached by the digest of everything they are made of.
#pragma once

#include <filesystem>

#include "arch/config.h"

namespace macloom::sim {

/// $MACLOOM_CACHE_DIR, else $XDG_CACHE_HOME/macloom, else ~/.cache/macloom.
std::filesystem::path CacheDirectory();

/// The shared library of the configuration's RTL model (harness_abi.h), built if it is not cached.
///
/// The entry's name is the SHA-256 of all RTL text, the harness, the flags and Verilator's version.
/// It is built in a temporary folder and renamed into place under a lock: an interrupted build
/// leaves nothing that is taken for good. @return kToolMissing (verilator, make, g++), kToolFailed,
/// kOutput.
Result<std::filesystem::path> BuildModel(const arch::HardwareConfig& config);

}  // namespace macloom::sim
