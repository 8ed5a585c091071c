#include "arch/stream.h"

#include "arch/descriptor.h"

namespace macloom::arch {
namespace {

void PutLittleEndian(std::vector<uint8_t>& bytes, uint64_t value, int num_bytes) {
  for (int i = 0; i < num_bytes; ++i) bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

/// Appends the entries first..first+count-1; channels that do not exist are zero.
void PutParameters(std::vector<uint8_t>& bytes, const std::vector<ChannelParameters>& channels,
                   int first, int count, bool per_layer, int param_bytes,
                   const HardwareConfig& config) {
  const size_t begin = bytes.size();
  for (int e = 0; e < count; ++e) {
    const size_t c = static_cast<size_t>(first + e);
    const ChannelParameters channel = c < channels.size() ? channels[c] : ChannelParameters{};
    if (config.is_minifloat()) {
      PutLittleEndian(bytes, static_cast<uint64_t>(channel.start), 8);
      PutLittleEndian(bytes, channel.start < 0 ? 0xFFFF : 0, 2);
      PutLittleEndian(bytes, 0, 2);
      PutLittleEndian(bytes, static_cast<uint64_t>(channel.multiplier.shift), 1);
      PutLittleEndian(bytes, 0, 3);
      continue;
    }
    PutLittleEndian(bytes, static_cast<uint64_t>(channel.start), 4);
    if (per_layer) continue;
    PutLittleEndian(bytes, static_cast<uint64_t>(channel.multiplier.multiplier), 4);
    PutLittleEndian(bytes, static_cast<uint64_t>(channel.multiplier.shift), 1);
    PutLittleEndian(bytes, 0, 7);
  }
  bytes.resize(begin + static_cast<size_t>(param_bytes), 0);
}

int ParamBytes(int entries, bool per_layer) {
  const int bytes = entries * (per_layer ? 4 : kParameterRecordBytes);
  return (bytes + 15) / 16 * 16;
}

}  // namespace

int Stream::GroupRows(const HardwareConfig& config) const {
  const int row_bytes = config.rows * config.lanes;
  return (param_bytes + row_bytes - 1) / row_bytes + weight_rows;
}

Stream PackConv(const HardwareConfig& config, const std::vector<ChannelParameters>& channels,
                int num_steps, bool per_layer,
                const std::function<int(int oc, int step, int lane)>& weight) {
  Stream stream;
  const int num_channels = static_cast<int>(channels.size());
  stream.groups = (num_channels + config.rows - 1) / config.rows;
  stream.param_bytes = ParamBytes(config.rows, per_layer);
  stream.weight_rows = num_steps;
  for (int g = 0; g < stream.groups; ++g) {
    PutParameters(stream.bytes, channels, g * config.rows, config.rows, per_layer,
                  stream.param_bytes, config);
    for (int step = 0; step < num_steps; ++step) {
      for (int m = 0; m < config.rows; ++m) {
        const int oc = g * config.rows + m;
        for (int lane = 0; lane < config.lanes; ++lane) {
          stream.bytes.push_back(
              static_cast<uint8_t>(oc < num_channels ? weight(oc, step, lane) : 0));
        }
      }
    }
  }
  return stream;
}

Stream PackDepthwise(const HardwareConfig& config, const std::vector<ChannelParameters>& channels,
                     int num_taps, bool per_layer,
                     const std::function<int(int channel, int tap)>& weight) {
  Stream stream;
  const int num_channels = static_cast<int>(channels.size());
  stream.groups = (num_channels + config.lanes - 1) / config.lanes;
  stream.param_bytes = ParamBytes(config.lanes, per_layer);
  stream.weight_rows = (num_taps + config.rows - 1) / config.rows;
  for (int block = 0; block < stream.groups; ++block) {
    PutParameters(stream.bytes, channels, block * config.lanes, config.lanes, per_layer,
                  stream.param_bytes, config);
    for (int slot = 0; slot < stream.weight_rows * config.rows; ++slot) {
      for (int lane = 0; lane < config.lanes; ++lane) {
        const int channel = block * config.lanes + lane;
        const bool is_real = slot < num_taps && channel < num_channels;
        stream.bytes.push_back(static_cast<uint8_t>(is_real ? weight(channel, slot) : 0));
      }
    }
  }
  return stream;
}

}  // namespace macloom::arch
