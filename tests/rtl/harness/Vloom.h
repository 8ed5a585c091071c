// What sim/harness/harness.cc calls Vloom: the accelerator with one of its mutants selected.
#pragma once

#include "Vloom_accelerator_mux.h"

class Vloom : public Vloom_accelerator_mux {
 public:
  explicit Vloom(VerilatedContext* context) : Vloom_accelerator_mux(context) {
    mutant_i = selected;
  }
  inline static uint8_t selected = 0;
};
