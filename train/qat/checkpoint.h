// Training state on disk: a .safetensors file, written after every epoch.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/safetensors.h"
#include "train/qat/model.h"
#include "train/qat/optimizer.h"
#include "train/qat/trainer.h"

namespace macloom::train {

/// Where training stands: `epochs_done` of phase number `phase` (0 float, 1 twin, 2 qat).
struct Position {
  int phase = 0;
  int epochs_done = 0;
};

/// What a checkpoint holds. The float network and the twin are kept once their phase is over.
struct TrainingState {
  Position position;
  Model model;              ///< Of the running phase.
  Model float_model, twin;  ///< Empty (no layers) until then.
  std::vector<EpochRecord> curves;
};

/// Digests of what a checkpoint's parts depend on; equal digests, equal tensors.
struct CheckpointKeys {
  std::string run;         ///< The whole recipe and the data.
  std::string float_part;  ///< Float network: data, topology, seed, [float].
  std::string twin;        ///< float_part and the phase settings of [qat].
};

/// Writes state and optimizer.
Status SaveCheckpoint(const std::filesystem::path& path, const CheckpointKeys& keys,
                      TrainingState& state, Optimizer& optimizer);

/// A checkpoint as read, before its tensors are taken.
class Checkpoint {
 public:
  /// @return kInvalidInput naming path and reason if it is missing or damaged.
  static Result<Checkpoint> Load(const std::filesystem::path& path);

  const CheckpointKeys& keys() const { return keys_; }
  Position position() const { return position_; }
  const std::vector<EpochRecord>& curves() const { return curves_; }
  bool Has(const std::string& group) const;
  /// The model stored as `group` ("model", "float", "twin").
  Result<Model> TakeModel(const std::string& group, const Topology& topology) const;
  /// Moments and step count into an optimizer whose parameters are those of "model".
  Status TakeOptimizer(Optimizer& optimizer) const;

 private:
  std::filesystem::path path_;
  CheckpointKeys keys_;
  Position position_;
  std::vector<EpochRecord> curves_;
  Safetensors content_;
};

}  // namespace macloom::train
