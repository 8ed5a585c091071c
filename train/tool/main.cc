// macloom-train: the part of `macloom train` that needs libtorch.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/interrupt.h"
#include "train/tool/run.h"

int main(int argc, char** argv) {
  using namespace macloom;
  InstallInterruptHandlers();
  CLI::App app("trains a fixed-point network from a recipe", "macloom train");
  train::RunOptions options;
  train::AddOptions(app, options);
  try {
    app.parse(argc, argv);
    const Result<int> status = train::RunTraining(options);
    if (status.ok()) return *status;
    fmt::print(stderr, "macloom: {}\n", status.error().message);
    return ExitStatus(status.error().kind);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "macloom: internal error: {}\n", error.what());
    return 70;
  }
}
