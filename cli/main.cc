#include <fmt/format.h>

#include <exception>

#include "base/interrupt.h"
#include "cli/common.h"

namespace {

int Main(int argc, char** argv) {
  using namespace macloom;
  InstallInterruptHandlers();
  CLI::App app("macloom: golden model, RTL and verification of quantized networks", "macloom");
  app.require_subcommand(1);
  app.set_version_flag("--version", "macloom 0.1.0");
  const std::vector<cli::Verb> verbs = {
      cli::AddImport(app),   cli::AddInspect(app), cli::AddRun(app),      cli::AddPreset(app),
      cli::AddGenerate(app), cli::AddCompile(app), cli::AddEstimate(app), cli::AddVerify(app),
      cli::AddVectors(app),  cli::AddCompare(app), cli::AddReplay(app),   cli::AddCampaign(app),
      cli::AddAccum(app),    cli::AddCost(app),    cli::AddQuantize(app), cli::AddTrain(app),
      cli::AddFeatures(app), cli::AddDoctor(app)};
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  for (const cli::Verb& verb : verbs) {
    if (!verb.app->parsed()) continue;
    const Result<int> status = verb.run();
    if (status.ok()) return *status;
    fmt::print(stderr, "macloom: {}\n", status.error().message);
    return ExitStatus(status.error().kind);
  }
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "macloom: internal error: {}\n", error.what());
    return 70;
  }
}
