// Synthesis of a unit by Yosys and its timing by OpenSTA, through the result cache.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "cost/cache.h"
#include "cost/library_file.h"
#include "cost/netlist.h"
#include "cost/synthesis_result.h"
#include "cost/unit.h"

namespace macloom::cost {

/// Runs the tools, or takes their results from the cache. The key of a result is the digest of the
/// RTL, the script, the versions of the tools and the library.
class Synthesizer {
 public:
  /// @return kToolMissing if Yosys is absent.
  static Result<Synthesizer> Create(ResultCache cache);

  /// Two-input gates of `unit`, flattened: `synth -noalumacc -flatten`, `abc -g`.
  /// @return kToolFailed with the last lines of Yosys, kInvalidInput for a signal that nothing
  ///         drives (Yosys only warns of an implicit declaration).
  Result<GateCount> Gates(const RtlUnit& unit);

  /// Area and delay of `unit` in each library: MapToCells(), OpenSTA. What the cache lacks is
  /// mapped in one run of Yosys, which simplifies the RTL once; the netlists are those of a
  /// run for each library.
  /// @return as Gates(); kToolMissing without OpenSTA; kInvalidInput for a library without timing.
  Result<std::vector<MappedArea>> Map(const RtlUnit& unit,
                                      const std::vector<LibraryFile>& libraries);

  /// The mapped netlist itself, not in the cache; those of the last unit are kept here.
  Result<std::string> MappedVerilog(const RtlUnit& unit, const LibraryFile& library);

  /// Results taken from the cache, and made.
  int num_cached() const { return num_cached_; }
  int num_made() const { return num_made_; }

  /// Adds to them what others found or made with this synthesizer's cache.
  void Count(int num_cached, int num_made) {
    num_cached_ += num_cached;
    num_made_ += num_made;
  }

  ResultCache& cache() { return cache_; }
  const std::string& yosys_version() const { return yosys_version_; }

 private:
  Synthesizer(ResultCache cache, std::string yosys_version)
      : cache_(std::move(cache)), yosys_version_(std::move(yosys_version)) {}

  /// Maps `unit` to `libraries` into netlists_.
  Status MakeNetlists(const RtlUnit& unit, const std::vector<const LibraryFile*>& libraries);
  Result<MappedArea> AreaOf(const RtlUnit& unit, const LibraryFile& library,
                            const std::string& verilog) const;

  ResultCache cache_;
  std::string yosys_version_;
  std::string netlists_of_;                      ///< Digest of the unit of netlists_.
  std::map<std::string, std::string> netlists_;  ///< By digest of the library.
  std::string sta_version_;                      ///< Asked for at the first Map().
  int num_cached_ = 0;
  int num_made_ = 0;
};

}  // namespace macloom::cost
