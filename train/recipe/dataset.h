// What training reads: features of clips with labels, computed once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/tensor.h"

namespace macloom::train {

/// Clips of one split. Features are normalised as the front end of the network delivers them.
struct Clips {
  int copies = 1;               ///< Variants of each clip; variant 0 is the clip as it is.
  std::vector<float> features;  ///< [copies][clips][frames][coefficients].
  std::vector<int> labels;      ///< Class index per clip.
  std::vector<std::string> names, speakers;  ///< A speaker is empty if unknown.
  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

struct Dataset {
  int64_t frames = 0, coefficients = 0;
  Clips train, test;
  Clips validation;  ///< May be empty. For thresholds, never for weights.
  std::vector<std::string> class_labels;
  std::string front_end;  ///< Feature recipe as JSON text; empty: none.
  std::string origin;     ///< For the network file: data, split, counts.
  std::string licence;
};

/// Made-up classes, learnable and not trivial: class c is a seeded random pattern plus noise of
/// `noise` standard deviations. For tests.
Dataset MakeSyntheticDataset(int num_classes, int clips_per_class, int64_t frames,
                             int64_t coefficients, double noise, uint64_t seed);

}  // namespace macloom::train
