#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <vector>

#include "cli/common.h"
#include "train/recipe/recipe.h"
#include "train/tool/options.h"

namespace macloom::cli {
namespace {

std::filesystem::path Trainer() {
  std::error_code code;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", code);
  return self.parent_path() / "macloom-train";
}

Result<int> RunTrain(const train::RunOptions& options) {
  MACLOOM_RETURN_IF_ERROR(train::LoadRecipe(options.recipe));
  const std::filesystem::path trainer = Trainer();
  if (::access(trainer.c_str(), X_OK) != 0) {
    return Error{ErrorKind::kToolMissing,
                 "train needs libtorch, which this build is without: install libtorch-dev and "
                 "libopenblas0-pthread (scripts/train_setup.sh) and build again"};
  }
  // One thread per process: a second one makes the small matrices of training slower.
  ::setenv("OMP_NUM_THREADS", "1", 1);
  ::setenv("OPENBLAS_NUM_THREADS", "1", 1);
  std::vector<std::string> words = {trainer.string(), options.recipe, "-o", options.output};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {name, value});
  };
  add("--data", options.data);
  add("--extra", options.extra);
  add("--float-from", options.float_from);
  add("--seed", options.seed > 0 ? std::to_string(options.seed) : "");
  add("--rotation", options.rotation >= 0 ? std::to_string(options.rotation) : "");
  if (options.is_resumed) words.emplace_back("--resume");
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(trainer.c_str(), argv.data());
  return Error{ErrorKind::kToolFailed, fmt::format("{}: cannot be started", trainer.string())};
}

}  // namespace

Verb AddTrain(CLI::App& app) {
  auto options = std::make_shared<train::RunOptions>();
  CLI::App* verb = app.add_subcommand("train", "recipe to fixed-point network (needs libtorch)");
  train::AddOptions(*verb, *options);
  return {verb, [options] { return RunTrain(*options); }};
}

}  // namespace macloom::cli
