#include "train/qat/checkpoint.h"

#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

namespace macloom::train {
namespace {

constexpr const char* kKind = "macloom.checkpoint 2";

SafetensorsTensor Stored(const Tensor& tensor) {
  const Tensor plain = tensor.detach().to(at::kFloat).contiguous();
  SafetensorsTensor stored{"F32", plain.sizes().vec(), {}};
  stored.bytes.resize(static_cast<size_t>(plain.numel()) * sizeof(float));
  std::memcpy(stored.bytes.data(), plain.data_ptr<float>(), stored.bytes.size());
  return stored;
}

Tensor Loaded(const SafetensorsTensor& stored) {
  Tensor tensor = at::empty(stored.shape, at::kFloat);
  std::memcpy(tensor.data_ptr<float>(), stored.bytes.data(), stored.bytes.size());
  return tensor;
}

void StoreModel(const std::string& group, Model& model, Safetensors& content) {
  if (model.layers.empty()) return;
  content.metadata[group + ".logit_scale"] = fmt::format("{:a}", model.logit_scale);
  model.ForEach([&](const std::string& name, Tensor& tensor) {
    if (tensor.defined()) content.tensors[group + "/" + name] = Stored(tensor);
  });
}

nlohmann::json ToJson(const EpochRecord& r) {
  return {r.phase,
          r.epoch,
          r.loss,
          r.train_accuracy,
          r.test_accuracy,
          r.learning_rate,
          r.cosine_gradient_ratio,
          r.weight_spread};
}

EpochRecord FromJson(const nlohmann::json& j) {
  return {j.at(0), j.at(1), j.at(2), j.at(3), j.at(4), j.at(5), j.at(6), j.at(7)};
}

}  // namespace

Status SaveCheckpoint(const std::filesystem::path& path, const CheckpointKeys& keys,
                      TrainingState& state, Optimizer& optimizer) {
  Safetensors content;
  nlohmann::json curves = nlohmann::json::array();
  for (const EpochRecord& record : state.curves) curves.push_back(ToJson(record));
  const nlohmann::json head = {{"kind", kKind},
                               {"key", keys.run},
                               {"float_key", keys.float_part},
                               {"twin_key", keys.twin},
                               {"phase", state.position.phase},
                               {"epochs_done", state.position.epochs_done},
                               {"steps", optimizer.num_steps()},
                               {"curves", curves}};
  content.metadata["macloom.checkpoint"] = head.dump();
  StoreModel("model", state.model, content);
  StoreModel("float", state.float_model, content);
  StoreModel("twin", state.twin, content);
  optimizer.ForEach([&](const std::string& name, Tensor& tensor) {
    content.tensors["optimizer/" + name] = Stored(tensor);
  });
  return WriteSafetensors(path, content);
}

Result<Checkpoint> Checkpoint::Load(const std::filesystem::path& path) {
  Checkpoint checkpoint;
  checkpoint.path_ = path;
  MACLOOM_ASSIGN_OR_RETURN(checkpoint.content_, ReadSafetensors(path));
  try {
    const auto head = nlohmann::json::parse(checkpoint.content_.metadata.at("macloom.checkpoint"));
    if (head.at("kind") != kKind) throw std::runtime_error("another kind of checkpoint");
    checkpoint.keys_ = {head.at("key"), head.at("float_key"), head.at("twin_key")};
    checkpoint.position_ = {head.at("phase"), head.at("epochs_done")};
    for (const auto& record : head.at("curves")) checkpoint.curves_.push_back(FromJson(record));
  } catch (const std::exception& error) {
    return InvalidInput(fmt::format("{}: no checkpoint: {}", path.string(), error.what()));
  }
  return checkpoint;
}

bool Checkpoint::Has(const std::string& group) const {
  return content_.metadata.count(group + ".logit_scale") > 0;
}

Result<Model> Checkpoint::TakeModel(const std::string& group, const Topology& topology) const {
  Model model;
  model.topology = topology;
  model.layers.resize(topology.layers.size());
  if (!Has(group)) {
    return InvalidInput(fmt::format("{}: the checkpoint has no {}", path_.string(), group));
  }
  model.logit_scale = std::strtod(content_.metadata.at(group + ".logit_scale").c_str(), nullptr);
  std::string wrong;
  model.ForEach([&](const std::string& name, Tensor& tensor) {
    const auto found = content_.tensors.find(group + "/" + name);
    if (found == content_.tensors.end()) return;
    if (found->second.dtype != "F32") {
      wrong = name;
      return;
    }
    tensor = Loaded(found->second);
  });
  if (!wrong.empty()) {
    return InvalidInput(fmt::format("{}: tensor {} is not F32", path_.string(), wrong));
  }
  return model;
}

Status Checkpoint::TakeOptimizer(Optimizer& optimizer) const {
  std::string wrong;
  optimizer.ForEach([&](const std::string& name, Tensor& tensor) {
    const auto found = content_.tensors.find("optimizer/" + name);
    if (found == content_.tensors.end() || found->second.dtype != "F32" ||
        found->second.shape != tensor.sizes().vec()) {
      wrong = name;
      return;
    }
    tensor.copy_(Loaded(found->second));
  });
  if (!wrong.empty()) {
    return InvalidInput(
        fmt::format("{}: optimizer state of {} does not fit", path_.string(), wrong));
  }
  const auto head = nlohmann::json::parse(content_.metadata.at("macloom.checkpoint"));
  optimizer.set_num_steps(head.value("steps", int64_t{0}));
  return {};
}

}  // namespace macloom::train
