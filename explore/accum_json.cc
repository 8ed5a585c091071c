// The JSON form of AccumResult; schema in docs/accumulator.md.
#include <cmath>
#include <nlohmann/json.hpp>

#include "explore/explore.h"

namespace macloom::explore {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const ir::AccumulatorRange& range) { return Json::array({range.low, range.high}); }

Json ToJson(const Proportion& p) {
  if (p.whole == 0) return nullptr;
  return {
      {"part", p.part}, {"whole", p.whole}, {"value", p.value}, {"low", p.low}, {"high", p.high}};
}

Json ToJson(const Widths& w, bool is_observed) {
  Json json = {{"data_type", w.data_type}, {"l1", w.l1}, {"start", w.start}};
  for (size_t k = 0; k < kNumRangeKinds; ++k) {
    if (k == static_cast<size_t>(RangeKind::kObserved) && !is_observed) continue;
    json[ToString(static_cast<RangeKind>(k))] = {{"any_order", w.any_order[k]},
                                                 {"hardware_order", w.hardware_order[k]},
                                                 {"final_sum", w.final_sum[k]}};
  }
  json["hardware_order_without_outliers"] = w.hardware_order_without_outliers;
  json["observed_prefix"] = is_observed ? Json(w.observed_prefix) : Json();
  json["observed_final"] = is_observed ? Json(w.observed_final) : Json();
  return json;
}

Json ToJson(const LayerCertificate& layer, bool is_observed) {
  Json json = {{"node", layer.node},
               {"name", layer.name},
               {"kind", layer.kind},
               {"order", layer.order},
               {"products", layer.num_products},
               {"steps", layer.num_steps},
               {"outputs", layer.num_outputs},
               {"padding_classes", layer.num_padding_classes},
               {"widths_bits", ToJson(layer.widths, is_observed)}};
  for (size_t k = 0; k < (is_observed ? 3 : 2); ++k) {
    json["input_codes"][ToString(static_cast<RangeKind>(k))] = {layer.codes[k].min,
                                                                layer.codes[k].max};
  }
  for (size_t c = 0; c < layer.channels.size(); ++c) {
    const ChannelCertificate& channel = layer.channels[c];
    Json row = {{"channel", c},
                {"start", channel.start},
                {"l1_norm", channel.l1_norm},
                {"data_type_bits", channel.data_type_bits},
                {"l1_bits", channel.l1_bits},
                {"is_dead", channel.is_dead},
                {"is_outlier_bias", channel.is_outlier_bias}};
    for (size_t k = 0; k < (is_observed ? 3 : 2); ++k) {
      row[ToString(static_cast<RangeKind>(k))] = {
          {"any_order", ToJson(channel.bounds[k].any_order)},
          {"hardware_order", ToJson(channel.bounds[k].hardware_order)},
          {"final_sum", ToJson(channel.bounds[k].final_sum)}};
    }
    if (channel.observed_final) row["observed_final"] = ToJson(*channel.observed_final);
    if (channel.observed_prefix) row["observed_prefix"] = ToJson(*channel.observed_prefix);
    json["channels"].push_back(std::move(row));
  }
  return json;
}

Json ToJson(const SweepPoint& point) {
  Json json = {{"width_bits", point.width_bits},
               {"policy", ToString(point.policy)},
               {"in_rtl", ExistsInRtl(point.policy)},
               {"parameter", point.parameter},
               {"node", point.node < 0 ? Json() : Json(point.node)},
               {"is_rerun", point.is_rerun}};
  if (!point.refusal.empty()) {
    json["refusal"] = point.refusal;
    return json;
  }
  json["accuracy"] = ToJson(point.accuracy);
  json["agreement"] = ToJson(point.agreement);
  json["identical"] = ToJson(point.identical);
  json["sqnr_db"] = std::isfinite(point.sqnr_db) ? Json(point.sqnr_db) : Json();
  json["layers"] = Json::array();
  for (const LayerCounts& counts : point.layers) {
    json["layers"].push_back({{"node", counts.node},
                              {"steps", counts.steps},
                              {"outputs", counts.outputs},
                              {"events", counts.events},
                              {"transient_outputs", counts.transient_outputs},
                              {"persistent_outputs", counts.persistent_outputs}});
  }
  return json;
}

Json ToJson(const std::vector<SweepPoint>& points) {
  Json json = Json::array();
  for (const SweepPoint& point : points) json.push_back(ToJson(point));
  return json;
}

Json ToJson(const std::optional<AdversarialSummary>& summary) {
  if (!summary) return nullptr;
  return {{"inputs", summary->num_inputs},
          {"held_at_width", summary->held_at_width},
          {"failed_one_bit_below", summary->failed_below},
          {"below_8_bits_not_executed", summary->num_below_minimum}};
}

Json ToJson(const AreaTable& table) {
  Json json = {{"utilization", table.utilization}, {"libraries", table.libraries}};
  for (const AreaPoint& point : table.points) {
    const AreaPoint* base = table.BaselineOf(point);
    Json row = {{"width_bits", point.width_bits},
                {"policy", ToString(point.is_saturating ? Policy::kSaturate : Policy::kWrap)},
                {"gates_per_effective_mac", point.gates_per_effective_mac},
                {"um2_per_effective_mac", point.um2_per_effective_mac},
                {"row_pj_per_mac", point.row_pj_per_mac}};
    if (base != nullptr) {
      row["gates_saved"] = 1.0 - point.gates_per_effective_mac / base->gates_per_effective_mac;
    }
    for (size_t l = 0; base != nullptr && l < point.um2_per_effective_mac.size(); ++l) {
      row["um2_saved"].push_back(1.0 -
                                 point.um2_per_effective_mac[l] / base->um2_per_effective_mac[l]);
      row["row_energy_saved"].push_back(1.0 - point.row_pj_per_mac[l] / base->row_pj_per_mac[l]);
    }
    json["points"].push_back(std::move(row));
  }
  return json;
}

Json ToJson(const AccumResult& result) {
  const bool is_observed = result.num_samples > 0;
  Json json = {{"network", result.network},
               {"network_digest", result.network_digest},
               {"is_untrained", result.is_untrained},
               {"configuration", result.configuration},
               {"configuration_digest", result.configuration_digest},
               {"samples", result.num_samples},
               {"held_out_samples", result.num_held_out_samples},
               {"has_labels", result.has_labels},
               {"agreement_is", result.is_identity_agreement ? "identical output" : "top-1"},
               {"exact_accuracy", ToJson(result.exact_accuracy)},
               {"widths_bits", ToJson(result.widths, is_observed)},
               {"adversarial",
                {{"hardware_order", ToJson(result.adversarial_hardware_order)},
                 {"final_sum", ToJson(result.adversarial_final_sum)}}}};
  for (const LayerCertificate& layer : result.layers) {
    json["layers"].push_back(ToJson(layer, is_observed));
  }
  for (const Recommendation& r : result.recommendations) {
    Json row = {{"rule", r.rule},
                {"policy", ToString(r.policy)},
                {"width_bits", r.width_bits == 0 ? Json() : Json(r.width_bits)},
                {"layer_bits", r.layer_bits}};
    if (r.held_out) {
      row["held_out"] = ToJson(r.held_out->point);
      row["held_out"]["exact_accuracy"] = ToJson(r.held_out->exact_accuracy);
    }
    json["recommendations"].push_back(std::move(row));
  }
  json["sweep"] = ToJson(result.sweep);
  json["layer_sweep"] = ToJson(result.layer_sweep);
  json["policy_sweep"] = ToJson(result.policy_sweep);
  if (result.area) json["area"] = ToJson(*result.area);
  return json;
}

}  // namespace

std::string ToJsonText(const std::vector<AccumResult>& results) {
  Json json = {{"format", "macloom.accum"}, {"format_version", 1}};
  for (const AccumResult& result : results) json["networks"].push_back(ToJson(result));
  return json.dump(1) + "\n";
}

}  // namespace macloom::explore
