// One case of a campaign, executed three ways: golden, descriptor device, RTL.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "arch/job.h"
#include "golden/reference/executor.h"
#include "sim/device.h"

namespace macloom::campaign {

/// Everything that decides what the devices do.
struct Case {
  arch::HardwareConfig config;
  arch::CompileOptions compile;
  sim::MemoryTiming timing;
  ir::Graph graph;
  ir::TensorValue input;
};

/// A case compiled and run by golden.
struct Expected {
  arch::Job job;
  golden::Trace trace;
};

/// @return errors of the compiler (kUnsupported: it refuses the network) and of golden.
Result<Expected> Expect(const Case& test_case);

/// Devices, made once per configuration and timing.
class Devices {
 public:
  /// `make_rtl` makes the device under test.
  explicit Devices(sim::DeviceFactory make_rtl);
  sim::Device& descriptor() { return *descriptor_; }
  /// @return errors of the factory.
  Result<sim::Device*> Rtl(const arch::HardwareConfig& config, const sim::MemoryTiming& timing);

 private:
  sim::DeviceFactory make_rtl_;
  std::unique_ptr<sim::Device> descriptor_;
  std::map<std::string, std::unique_ptr<sim::Device>> rtl_;
};

/// What the devices did.
struct Outcome {
  sim::DeviceRun rtl;
  std::string mismatch;  ///< First difference, readable; empty if all three are equal.
  bool is_tensor_wrong =
      false;  ///< Some code differs, or a device failed; else only counts differ.
  bool is_descriptor_wrong = false;  ///< The descriptor device differs: no fault of the RTL.
};

/// Runs both devices and compares every tensor, every count of overflow events and of clamps. A
/// device that fails is a mismatch. @return errors of the tools that build the RTL model.
Result<Outcome> Execute(const Case& test_case, const Expected& expected, Devices& devices);

}  // namespace macloom::campaign
