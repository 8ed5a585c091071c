#include "train/qat/trainer.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <cmath>
#include <ctime>
#include <numbers>
#include <numeric>
#include <optional>

#include "base/digest.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "train/qat/checkpoint.h"
#include "train/qat/export.h"
#include "train/qat/fixed_model.h"
#include "train/qat/scores.h"

namespace macloom::train {
namespace {

constexpr const char* kPhaseNames[] = {"float", "twin", "qat"};
constexpr int64_t kCalibrationClips = 256;

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double GradientNorm(const std::vector<Tensor>& gradients) {
  double sum = 0;
  for (const Tensor& gradient : gradients) {
    if (gradient.defined()) sum += gradient.square().sum().item<double>();
  }
  return std::sqrt(sum);
}

std::string DataDigest(const Clips& clips) {
  const auto digest = [](const auto& values) {
    return Sha256Hex(
        {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(values[0])});
  };
  return fmt::format("{} {} {}", digest(clips.features), digest(clips.labels), clips.copies);
}

std::string TextOf(const Phase& phase) {
  return fmt::format("{} {} {} {:a} {:a} {:a}", phase.epochs, phase.batch,
                     static_cast<int>(phase.optimizer), phase.learning_rate, phase.weight_decay,
                     phase.label_smoothing);
}

class Session {
 public:
  Session(const Recipe& recipe, const Dataset& dataset, const TrainOptions& options,
          Topology topology)
      : recipe_(recipe),
        dataset_(dataset),
        options_(options),
        topology_(std::move(topology)),
        checkpoint_path_(options.directory / "checkpoint.safetensors") {
    const std::string data = DataDigest(dataset.train);
    keys_.run = Sha256Hex(fmt::format("{}\n{}", recipe.text, data));
    keys_.float_part = Sha256Hex(fmt::format(
        "{}\n{} {} {}\n{}\n{}", data, static_cast<int>(recipe.network.kind), recipe.network.width,
        recipe.network.depth, recipe.seed, TextOf(recipe.float_phase)));
    keys_.twin = Sha256Hex(keys_.float_part + TextOf(recipe.qat.phase));
    train_ = FeaturesOf(dataset.train);
    test_ = FeaturesOf(dataset.test);
  }

  Result<TrainResult> Run() {
    const Phase* phases[] = {&recipe_.float_phase, &recipe_.qat.phase, &recipe_.qat.phase};
    std::optional<Checkpoint> checkpoint;
    if (options_.is_resumed && std::filesystem::exists(checkpoint_path_)) {
      MACLOOM_ASSIGN_OR_RETURN(checkpoint, Checkpoint::Load(checkpoint_path_));
      if (checkpoint->keys().run != keys_.run) {
        return InvalidInput(
            fmt::format("{}: the checkpoint belongs to another recipe or other data",
                        checkpoint_path_.string()));
      }
      MACLOOM_RETURN_IF_ERROR(Restore(*checkpoint));
    } else if (!options_.float_from.empty()) {
      MACLOOM_RETURN_IF_ERROR(TakeFloat(options_.float_from / checkpoint_path_.filename()));
    }
    for (int phase = state_.position.phase; phase < 3; ++phase) {
      const bool is_restored = checkpoint.has_value() && phase == state_.position.phase &&
                               state_.position.epochs_done > 0;
      if (!is_restored) {
        state_.position = {phase, 0};
        StartPhase(phase);
      }
      MACLOOM_RETURN_IF_ERROR(
          RunPhase(phase, *phases[phase], is_restored ? &*checkpoint : nullptr));
      EndPhase(phase);
    }
    return Finish();
  }

 private:
  Status Restore(const Checkpoint& checkpoint) {
    state_.position = checkpoint.position();
    state_.curves = checkpoint.curves();
    MACLOOM_ASSIGN_OR_RETURN(state_.model, checkpoint.TakeModel("model", topology_));
    if (checkpoint.Has("float")) {
      MACLOOM_ASSIGN_OR_RETURN(state_.float_model, checkpoint.TakeModel("float", topology_));
    }
    if (checkpoint.Has("twin")) {
      MACLOOM_ASSIGN_OR_RETURN(state_.twin, checkpoint.TakeModel("twin", topology_));
    }
    return {};
  }

  Tensor FeaturesOf(const Clips& clips) const {
    std::vector<int64_t> shape = topology_.input;
    shape.insert(shape.begin(), clips.copies * clips.size());
    return at::from_blob(const_cast<float*>(clips.features.data()), shape, at::kFloat);
  }

  // The float network of another run and, where it is the same, the twin.
  Status TakeFloat(const std::filesystem::path& path) {
    MACLOOM_ASSIGN_OR_RETURN(const Checkpoint other, Checkpoint::Load(path));
    if (other.keys().float_part != keys_.float_part) {
      return InvalidInput(fmt::format(
          "{}: its float network is not this recipe's: data, rotation, seed, [network] and [float] "
          "must be equal",
          path.string()));
    }
    if (!other.Has("float")) {
      return InvalidInput(
          fmt::format("{}: its float network is not finished; --resume that run", path.string()));
    }
    MACLOOM_ASSIGN_OR_RETURN(state_.float_model, other.TakeModel("float", topology_));
    const bool has_twin = other.keys().twin == keys_.twin && other.Has("twin");
    if (has_twin) {
      MACLOOM_ASSIGN_OR_RETURN(state_.twin, other.TakeModel("twin", topology_));
    }
    for (const EpochRecord& record : other.curves()) {
      if (record.phase == kPhaseNames[0] || (has_twin && record.phase == kPhaseNames[1])) {
        state_.curves.push_back(record);
      }
    }
    state_.position = {has_twin ? 2 : 1, 0};
    return {};
  }

  void StartPhase(int phase) {
    if (phase == 0) {
      Rng rng(recipe_.seed);
      state_.model = InitializeModel(topology_, rng);
      return;
    }
    if (phase == 1) {
      state_.model = CopyModel(state_.float_model);
      return;
    }
    const int64_t count = std::min(kCalibrationClips, dataset_.train.size());
    // Every k-th clip, so that no class is left out of sorted data.
    const Tensor index = at::arange(count) * (dataset_.train.size() / count);
    state_.model =
        PrepareFixedPoint(state_.float_model, recipe_.qat, train_.index_select(0, index));
  }

  void EndPhase(int phase) {
    if (phase == 0) state_.float_model = FoldBatchNorm(state_.model);
    if (phase == 1) state_.twin = CopyModel(state_.model);
  }

  Optimizer MakeOptimizer(int phase, const Phase& settings) {
    Optimizer optimizer(settings.optimizer);
    const bool is_learned = phase == 2 && recipe_.qat.scales == ScaleChoice::kLearned;
    state_.model.ForEach([&](const std::string& name, Tensor& tensor) {
      if (!tensor.defined()) return;
      const std::string part = name.substr(name.find('/') + 1);
      if (part == "mean" || part == "variance") return;
      if (part == "weight_log2" || part == "output_log2" || part == "input_log2") {
        // 2^k of squashed weights is a gain, not a range: it stays.
        if (!is_learned || (part == "weight_log2" && recipe_.qat.is_squashed)) return;
        optimizer.Add(name, tensor, 0, recipe_.qat.scale_learning_rate / settings.learning_rate);
        return;
      }
      optimizer.Add(name, tensor, part == "weight" ? settings.weight_decay : 0);
    });
    return optimizer;
  }

  // Training clips in this epoch's order, each as one of its variants: indices into train_.
  std::vector<int64_t> EpochOrder(int phase, int epoch) const {
    Rng rng(recipe_.seed * 1000003 + static_cast<uint64_t>(phase * 100000 + epoch));
    std::vector<int64_t> order(static_cast<size_t>(dataset_.train.size()));
    std::iota(order.begin(), order.end(), 0);
    for (size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1],
                order[static_cast<size_t>(rng.UniformInt(0, static_cast<int64_t>(i) - 1))]);
    }
    for (int64_t& index : order) {
      index += rng.UniformInt(0, dataset_.train.copies - 1) * dataset_.train.size();
    }
    return order;
  }

  struct BatchLoss {
    Tensor total, cross_entropy, cosine, logits;
  };

  BatchLoss Loss(int phase, const Phase& settings, const Tensor& x, const Tensor& labels,
                 double cosine_weight) {
    BatchLoss loss;
    if (phase < 2) {
      loss.logits = ForwardFloat(state_.model, x, phase == 0);
    } else {
      const Simulation simulation = SimulateFixedPoint(state_.model, recipe_.qat, x);
      loss.logits = simulation.logits * state_.model.logit_scale;
      loss.cosine = simulation.cosine_distance * cosine_weight;
      loss.total = simulation.overflow_penalty * recipe_.qat.overflow_penalty +
                   simulation.bound_penalty * recipe_.qat.bound_penalty + loss.cosine;
    }
    loss.cross_entropy = at::cross_entropy_loss(loss.logits, labels, {}, at::Reduction::Mean, -100,
                                                settings.label_smoothing);
    loss.total = loss.total.defined() ? loss.total + loss.cross_entropy : loss.cross_entropy;
    return loss;
  }

  // |d ACR / d weights| / |d CE / d weights| on one batch.
  double CosineGradientRatio(const Phase& settings, const Tensor& x, const Tensor& labels,
                             double cosine_weight) {
    const auto norm = [&](bool is_cosine) {
      const BatchLoss loss = Loss(2, settings, x, labels, cosine_weight);
      (is_cosine ? loss.cosine : loss.cross_entropy).backward();
      std::vector<Tensor> gradients;
      state_.model.ForEach([&](const std::string& name, Tensor& tensor) {
        if (!tensor.defined() || !tensor.grad().defined()) return;
        if (name.ends_with("/weight")) gradients.push_back(tensor.grad().clone());
        tensor.mutable_grad().reset();
      });
      return GradientNorm(gradients);
    };
    const double cosine = norm(true);
    const double cross_entropy = norm(false);
    return cross_entropy > 0 ? cosine / cross_entropy : 0;
  }

  double WeightSpread() const {
    double sum = 0;
    int count = 0;
    for (const LayerState& state : state_.model.layers) {
      if (!state.weight.defined()) continue;
      sum += state.weight.detach().std(/*unbiased=*/false).item<double>();
      ++count;
    }
    return sum / count;
  }

  Tensor Logits(int phase, const Tensor& x) {
    const at::NoGradGuard no_gradients;
    return phase < 2 ? ForwardFloat(state_.model, x, false)
                     : SimulateFixedPoint(state_.model, recipe_.qat, x).logits;
  }

  Status RunPhase(int phase, const Phase& settings, const Checkpoint* checkpoint) {
    Optimizer optimizer = MakeOptimizer(phase, settings);
    if (checkpoint != nullptr) MACLOOM_RETURN_IF_ERROR(checkpoint->TakeOptimizer(optimizer));
    const int64_t steps_per_epoch = (dataset_.train.size() + settings.batch - 1) / settings.batch;
    const int64_t total_steps = settings.epochs * steps_per_epoch;
    std::optional<ProgressLine> progress;
    if (!options_.is_quiet) {
      progress.emplace(fmt::format("{} {}", recipe_.name, kPhaseNames[phase]), total_steps);
    }
    double cpu_s = 0;  // Of the training steps alone.
    int64_t num_samples = 0;
    for (int epoch = state_.position.epochs_done; epoch < settings.epochs; ++epoch) {
      const double start_s = CpuSeconds();
      EpochRecord record{kPhaseNames[phase], epoch + 1};
      const std::vector<int64_t> order = EpochOrder(phase, epoch);
      int64_t correct = 0;
      double loss_sum = 0;
      // Off for the first third of the epochs, then a linear ramp.
      const double ramp = std::clamp(1.5 * epoch / settings.epochs - 0.5, 0.0, 1.0);
      const double cosine_weight = phase == 2 ? ramp * recipe_.qat.cosine_weight : 0;
      for (int64_t step = 0; step < steps_per_epoch; ++step) {
        MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
        const auto begin = static_cast<size_t>(step * settings.batch);
        const auto end = std::min(order.size(), begin + static_cast<size_t>(settings.batch));
        const auto count = static_cast<int64_t>(end - begin);
        Tensor index = at::empty({count}, at::kLong), labels = at::empty({count}, at::kLong);
        for (size_t i = begin; i < end; ++i) {
          const auto at = static_cast<int64_t>(i - begin);
          index.data_ptr<int64_t>()[at] = order[i];
          labels.data_ptr<int64_t>()[at] =
              dataset_.train.labels[static_cast<size_t>(order[i] % dataset_.train.size())];
        }
        const Tensor x = train_.index_select(0, index);
        if (cosine_weight > 0 && step == 0) {
          record.cosine_gradient_ratio = CosineGradientRatio(settings, x, labels, cosine_weight);
        }
        const BatchLoss loss = Loss(phase, settings, x, labels, cosine_weight);
        const double value = loss.total.item<double>();
        if (!std::isfinite(value)) return NotFinite(phase, epoch, step);
        loss.total.backward();
        const double done =
            static_cast<double>(epoch * steps_per_epoch + step) / static_cast<double>(total_steps);
        record.learning_rate =
            settings.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * done));
        optimizer.Step(record.learning_rate);
        loss_sum += value;
        correct += loss.logits.detach().argmax(1).eq(labels).sum().item<int64_t>();
        if (progress) {
          progress->Update(
              epoch * steps_per_epoch + step + 1,
              fmt::format("epoch {}, loss {:.3f}, accuracy {:.1f} %", epoch + 1,
                          loss_sum / static_cast<double>(step + 1),
                          100.0 * static_cast<double>(correct) / static_cast<double>(end)));
        }
      }
      cpu_s += CpuSeconds() - start_s;
      num_samples += dataset_.train.size();
      record.loss = loss_sum / static_cast<double>(steps_per_epoch);
      record.train_accuracy = static_cast<double>(correct) / static_cast<double>(order.size());
      record.test_accuracy = Accuracy(Predictions(Logits(phase, test_)), dataset_.test.labels);
      record.weight_spread = WeightSpread();
      state_.curves.push_back(record);
      state_.position = {phase, epoch + 1};
      MACLOOM_RETURN_IF_ERROR(SaveCheckpoint(checkpoint_path_, keys_, state_, optimizer));
      MACLOOM_RETURN_IF_ERROR(
          WriteFileAtomically(options_.directory / "curves.csv", CurvesCsv(state_.curves)));
      if (options_.max_epochs > 0 &&
          static_cast<int>(state_.curves.size()) >= options_.max_epochs) {
        return Error{ErrorKind::kInterrupted, "interrupted"};
      }
    }
    if (progress && settings.epochs > 0) {
      const EpochRecord& last = state_.curves.back();
      progress->Finish(fmt::format(
          "{} epochs, loss {:.3f}, test accuracy {:.2f} %, {:.0f} samples per CPU-second",
          settings.epochs, last.loss, 100 * last.test_accuracy,
          static_cast<double>(num_samples) / std::max(cpu_s, 1e-9)));
    }
    return {};
  }

  Error NotFinite(int phase, int epoch, int64_t step) const {
    const bool has_checkpoint = std::filesystem::exists(checkpoint_path_);
    return {ErrorKind::kCheckFailed,
            fmt::format("{}: the loss is not finite in phase {}, epoch {}, step {}; {}; lower "
                        "learning_rate of [{}]",
                        recipe_.name, kPhaseNames[phase], epoch + 1, step + 1,
                        has_checkpoint ? "last good checkpoint: " + checkpoint_path_.string()
                                       : "no epoch was finished, so there is no checkpoint",
                        phase == 0 ? "float" : "qat")};
  }

  Result<TrainResult> Finish() {
    const at::NoGradGuard no_gradients;
    TrainResult result;
    result.curves = state_.curves;
    result.labels = dataset_.test.labels;
    result.float_predictions = Predictions(ForwardFloat(state_.float_model, test_, false));
    const Tensor twin_logits = ForwardFloat(state_.twin, test_, false);
    result.twin_predictions = Predictions(twin_logits);
    result.twin_probabilities.test = Softmax(twin_logits);
    result.twin = ExportFloat(state_.twin, dataset_, recipe_.name + "-float");

    Model exact = CopyModel(state_.model, at::kDouble);
    const Simulation simulation = SimulateFixedPoint(exact, recipe_.qat, test_.to(at::kDouble));
    result.predictions = Predictions(simulation.logits);
    result.probabilities.test = Softmax(simulation.logits * exact.logit_scale);
    if (dataset_.validation.size() > 0) {
      const Tensor validation = FeaturesOf(dataset_.validation);
      result.twin_probabilities.validation = Softmax(ForwardFloat(state_.twin, validation, false));
      result.probabilities.validation =
          Softmax(SimulateFixedPoint(exact, recipe_.qat, validation.to(at::kDouble)).logits *
                  exact.logit_scale);
    }
    MACLOOM_ASSIGN_OR_RETURN(
        result.network, ExportFixedPoint(exact, recipe_.qat, simulation, dataset_, recipe_.name));
    const Formats formats = FormatsOf(exact, recipe_.qat);
    result.logits = CodesPerClip(simulation.logits, formats.layers.back().output.fraction_bits,
                                 {simulation.logits.size(1)});
    result.inputs = CodesPerClip(QuantizeFixedPoint(test_.to(at::kDouble), {}, formats.input),
                                 formats.input.fraction_bits, topology_.input);
    return result;
  }

  const Recipe& recipe_;
  const Dataset& dataset_;
  const TrainOptions& options_;
  Topology topology_;
  std::filesystem::path checkpoint_path_;
  CheckpointKeys keys_;
  Tensor train_, test_;
  TrainingState state_;
};

}  // namespace

Result<TrainResult> Train(const Recipe& recipe, const Dataset& dataset,
                          const TrainOptions& options) {
  MACLOOM_RETURN_IF_ERROR(CheckClips(dataset, dataset.train, "training"));
  MACLOOM_RETURN_IF_ERROR(CheckClips(dataset, dataset.test, "test"));
  MACLOOM_ASSIGN_OR_RETURN(Topology topology,
                           MakeTopology(recipe.network, dataset.frames, dataset.coefficients,
                                        static_cast<int>(dataset.class_labels.size())));
  at::set_num_threads(1);
  Session session(recipe, dataset, options, std::move(topology));
  return session.Run();
}

}  // namespace macloom::train
