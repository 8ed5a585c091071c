#include "cli/accum_options.h"

#include <fmt/format.h>

namespace macloom::cli {

void AccumOptions::AddTo(CLI::App& verb) {
  verb.add_option("MODEL", models, "one or more .tflite files, network files, names");
  hardware.AddTo(verb);
  rounding.AddTo(verb);
  auto* inputs_option =
      verb.add_option("--inputs", inputs,
                      ".npy or .npz@NAME array of codes or values, IDX@pixels, or folder or tar of "
                      "raw int8 samples (@pixels, @pcm16), or sounds; for several "
                      "networks once, or once for each");
  verb.add_option("--labels", labels, ".npy, .npz@NAME, IDX or .csv labels, as --inputs")
      ->needs(inputs_option);
  verb.add_option("--random", random, "without --inputs: random and corner inputs")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  verb.add_option("--seed", seed, "seed of random inputs and of --choose-on")
      ->capture_default_str();
  verb.add_option("--choose-on", explore.choose_fraction,
                  "choose widths on this part of the samples, drawn by --seed, and judge them on "
                  "the others")
      ->check(CLI::Range(0.01, 0.99));
  verb.add_option("--min-bits", explore.sweep.min_bits, "narrowest width swept")
      ->check(CLI::Range(8, 32))
      ->capture_default_str();
  verb.add_option("--max-bits", explore.sweep.max_bits, "widest width swept")
      ->check(CLI::Range(8, 32))
      ->capture_default_str();
  verb.add_flag("--no-sweep", has_no_sweep, "certificates and observations only");
  verb.add_flag("--no-layers", has_no_layers, "no sweep of single layers");
  verb.add_option("--policies", explore.sweep.policy_samples,
                  "also sweep the policies that no RTL has, on this many samples")
      ->check(CLI::Range(1, 100000));
  verb.add_option("--policy", policy, "overflow policy of the recommendation")
      ->check(CLI::IsMember({"wrap", "saturate"}))
      ->capture_default_str();
  verb.add_option("--margin", explore.recommend.margin_bits, "bits above what was observed")
      ->check(CLI::Range(0, 16))
      ->capture_default_str();
  verb.add_option("--max-loss", explore.recommend.max_loss_points,
                  "percentage points of accuracy that may be lost")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  verb.add_option("--rule", rule, "recommendation that --emit and --apply take")
      ->check(CLI::IsMember({"proved", "observed", "accuracy"}))
      ->capture_default_str();
  verb.add_option("--emit", emit, "write the hardware TOML file of the recommendation");
  verb.add_option("--apply", apply, "folder to write: hw.toml and the RTL, which is then verified");
  verb.add_flag("--rtl", is_on_rtl, "adversarial inputs of every layer in RTL");
  verb.add_option("--rtl-samples", rtl_samples,
                  "with --rtl: also every width and policy of one wide build, on this many samples")
      ->check(CLI::Range(0, 1000));
  verb.add_flag("--no-rtl", is_descriptor_only, "--rtl and --apply on the descriptor device only");
  verb.add_option("--vectors", vectors, "folder for the adversarial inputs");
  area.AddTo(verb);
  verb.add_option("--svg", svg, "folder for the plots");
  verb.add_option("--json", json, "write the result as JSON");
}

Status AccumOptions::Check() const {
  if (explore.sweep.min_bits > explore.sweep.max_bits) {
    return InvalidInput(fmt::format("--min-bits {} is above --max-bits {}", explore.sweep.min_bits,
                                    explore.sweep.max_bits));
  }
  const bool writes_one = !vectors.empty() || !emit.empty() || !apply.empty() || is_on_rtl;
  if (models.size() != 1 && writes_one) {
    return InvalidInput(
        fmt::format("{} networks are given; --vectors, --emit, --apply and --rtl "
                    "take one",
                    models.size()));
  }
  return {};
}

}  // namespace macloom::cli
