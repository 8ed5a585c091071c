#include <memory>

#include "cli/cost_claim.h"
#include "cli/cost_estimator.h"
#include "cli/cost_options.h"

namespace macloom::cli {

Verb AddCost(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("cost", "area, delay and energy by synthesis");
  auto mac_options = std::make_shared<CostMacOptions>();
  CLI::App* mac = verb->add_subcommand("mac", "multiply-accumulate units, format by format");
  mac->add_option("--formats", mac_options->formats,
                  "FORMAT/ACCUMULATOR, e.g. int8/24,int4/16; all")
      ->delimiter(',');
  mac->add_option("--library", mac_options->libraries,
                  "osu018, or a Liberty file (.lib, .lib.gz); repeatable")
      ->delimiter(',')
      ->capture_default_str();
  mac->add_option("--lanes", mac_options->lanes, "products per step")
      ->delimiter(',')
      ->capture_default_str();
  mac->add_option(
         "--shape", mac_options->shapes,
         "bare: multipliers, adder, accumulator; row: a row of the array with its storage; "
         "row+dw: with depthwise mode")
      ->check(CLI::IsMember({"bare", "row", "row+dw"}))
      ->delimiter(',')
      ->capture_default_str();
  mac->add_option(
         "--fpga", mac_options->fpga,
         "LUTs and DSP blocks of these families instead: ice40 (with frequency), ecp5, xc7")
      ->check(CLI::IsMember({"ice40", "ecp5", "xc7"}))
      ->delimiter(',');
  mac->add_option("--jobs", mac_options->jobs, "units synthesised at the same time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  auto* energy =
      mac->add_option("--energy", mac_options->energy_cycles,
                      "cycles of each of 64 normally distributed operand streams; 0: no energy")
          ->check(CLI::Range(0, 1000000))
          ->capture_default_str();
  auto* network =
      mac->add_option(
             "--network", mac_options->networks,
             "energy on the operands of this network, too (units of its format); repeatable")
          ->delimiter(',')
          ->needs(energy);
  mac->add_option("--inputs", mac_options->inputs,
                  "samples for the networks, one for each or one for all; none: random ones")
      ->delimiter(',')
      ->needs(network);
  mac->add_option("--seed", mac_options->seed, "of the operand streams")->capture_default_str();
  mac->add_option("--json", mac_options->json, "machine-readable results");
  auto hw_options = std::make_shared<CostHwOptions>();
  hw_options->hardware.AddTo(*verb);
  verb->add_option("--model", hw_options->model, "network whose utilization counts")
      ->capture_default_str();
  verb->add_option("--library", hw_options->libraries,
                   "areas and longest path: osu018, or a Liberty file; repeatable")
      ->delimiter(',');
  verb->add_flag("--check", hw_options->is_checked,
                 "compare one row and its control with a flat synthesis; status 1 beyond 5 %");
  verb->add_option("--jobs", hw_options->jobs, "modules synthesised at the same time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  auto* sweep = verb->add_option("--sweep", hw_options->sweep,
                                 "KEY=VALUE,VALUE,...: all combinations; repeatable");
  verb->add_option("--vary", hw_options->vary,
                   "KEY=VALUE,VALUE,...: the configuration and one change at a time; repeatable")
      ->excludes(sweep);
  verb->add_option("--json", hw_options->json, "machine-readable results");
  const Verb claim = AddCostClaim(*verb);
  const Verb fit = AddCostFit(*verb);
  const Verb estimate = AddCostEstimate(*verb);
  verb->require_subcommand(0, 1);
  return {verb, [mac, mac_options, hw_options, claim, fit, estimate]() -> Result<int> {
            if (claim.app->parsed()) return claim.run();
            if (fit.app->parsed()) return fit.run();
            if (estimate.app->parsed()) return estimate.run();
            if (!mac->parsed()) return RunCostHw(*hw_options);
            return mac_options->fpga.empty() ? RunCostMac(*mac_options) : RunCostFpga(*mac_options);
          }};
}

}  // namespace macloom::cli
