// Compiled RTL models, built on demand and cached by the digest of everything they are made of.
#pragma once

#include <filesystem>
#include <optional>

#include "arch/config.h"
#include "sim/foreign_rtl.h"

namespace macloom::sim {

/// $MACLOOM_CACHE_DIR, else $XDG_CACHE_HOME/macloom, else ~/.cache/macloom.
std::filesystem::path CacheDirectory();

/// Waves that a model can write.
enum class WaveFormat { kNone, kFst, kVcd };

struct ModelOptions {
  std::optional<ForeignRtl> rtl =
      std::nullopt;  ///< Instead of the RTL generated from the configuration.
  WaveFormat waves = WaveFormat::kNone;
};

/// The shared library of an RTL model (harness_abi.h), built if it is not cached: the generated RTL
/// of `config`, or options.rtl, which must have its ports.
///
/// The entry's name is the SHA-256 of all RTL text, the harness, the flags and Verilator's version.
/// It is built in a temporary folder and renamed into place under a lock: an interrupted build
/// leaves nothing that is taken for good. @return kToolMissing (verilator, make, g++), kToolFailed,
/// kOutput; for foreign RTL kInvalidInput with the first errors of Verilator, or
/// of CheckPorts().
Result<std::filesystem::path> BuildModel(const arch::HardwareConfig& config,
                                         const ModelOptions& options = {});

}  // namespace macloom::sim
