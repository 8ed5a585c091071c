/* The interface between the tool and a compiled RTL model (a shared library built on demand). */
#ifndef MACLOOM_HARNESS_ABI_H
#define MACLOOM_HARNESS_ABI_H

#include <stdint.h>

#define MACLOOM_HARNESS_ABI_VERSION 3

/* One run of a descriptor list from reset to interrupt. */
struct LoomRun {
  /* External memory; loads read it, stores write it. */
  uint8_t* memory;
  uint64_t memory_bytes;
  /* Mirror of the activation memory and the cycle of the last write of each byte, both kept up to
     date from the probe ports. */
  uint8_t* activation;
  uint64_t* last_write_cycle;
  uint64_t activation_bytes;
  uint32_t lanes, banks;
  uint32_t first_descriptor;
  uint32_t acc_narrow_bits;
  /* External memory timing (sim/device.h, MemoryTiming). */
  uint32_t latency_cycles;
  uint32_t random_stalls;
  double stall_probability;
  uint32_t max_extra_latency_cycles;
  uint64_t seed;
  uint64_t cycle_limit;
  /* Called when a descriptor completes, after its writes are in `activation`. */
  void (*on_done)(void* context, uint32_t tag, uint64_t cycle);
  /* Called now and then; the run ends early if it returns 1. */
  int (*on_poll)(void* context);
  void* context;
  /* Waves of the cycles [first, last] since the start; null: none. Needs a model built with
     tracing. Afterwards on_signal is called for every signal in the file. */
  const char* trace_path;
  uint64_t trace_first_cycle, trace_last_cycle;
  void (*on_signal)(void* context, const char* path, uint32_t width_bits);
  /* Results. */
  uint64_t cycles;
  uint32_t registers[8]; /* 0x000 to 0x01C. */
  uint32_t status;
  uint64_t counters[14];
  char error[256]; /* Empty if the run ended with an interrupt and no protocol rule was broken. */
};

#ifdef __cplusplus
extern "C" {
#endif
uint32_t macloom_harness_abi_version(void);
/* Fresh model, reset, run. */
void macloom_harness_run(struct LoomRun* run);
#ifdef __cplusplus
}
#endif

#endif
