/* macloom as a C library: the bit-accurate golden model of quantized networks.
 *
 * Every function that can fail returns a status, MACLOOM_OK or another value of macloom_status;
 * macloom_last_error() then tells in words what was wrong and what is accepted. No function throws,
 * aborts or prints, and a failed call changes nothing but that text. Every pointer is checked for
 * NULL, every size (always in elements) for equality with what is expected.
 *
 * A network handle is used by one thread at a time; different handles are independent. Normative
 * arithmetic: docs/numerics.md. C99 and C++.
 */
#ifndef MACLOOM_H_
#define MACLOOM_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define MACLOOM_API __attribute__((visibility("default")))
#else
#define MACLOOM_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum macloom_status {
  MACLOOM_OK = 0,
  MACLOOM_INVALID_INPUT = 1, /* An argument or a file is wrong. */
  MACLOOM_UNSUPPORTED = 2,   /* Valid, but outside what macloom executes. */
  MACLOOM_OUT_OF_MEMORY = 3,
  MACLOOM_INTERNAL_ERROR = 4 /* A bug of macloom. */
};

/* Arithmetic a .tflite file is given; network files state their own. */
enum macloom_rounding { MACLOOM_ROUND_DOUBLE = 0, MACLOOM_ROUND_SINGLE = 1 };

/* What an accumulator does with a sum outside its width. */
enum macloom_overflow { MACLOOM_WRAP = 0, MACLOOM_SATURATE = 1 };

/* Which products form a step, in which order steps follow (ir/accumulation.h). */
enum macloom_order {
  MACLOOM_BLOCK_TAP = 0,        /* For channel block, ky, kx: the block's channels. */
  MACLOOM_FLAT_TAP = 1,         /* (ky, kx, c) flattened, products_per_step at a time. */
  MACLOOM_TAP_SERIAL = 2,       /* For ky, kx: one tap; one channel per output only. */
  MACLOOM_TAP_SERIAL_COLUMN = 3 /* For kx, ky: one tap; one channel per output only. */
};

enum macloom_requantization {
  MACLOOM_REQUANTIZE_SHIFT = 0,  /* (x + 2^(shift-1)) >> shift, shift 0 to 31, multiplier 0 */
  MACLOOM_REQUANTIZE_DOUBLE = 1, /* TFLite: high multiply, then shift, each rounded */
  MACLOOM_REQUANTIZE_SINGLE = 2  /* (x*multiplier + 2^(30-shift)) >> (31-shift) */
};

enum {
  MACLOOM_ALL_NODES = -1, /* Node index of macloom_set_accumulation(). */
  MACLOOM_EXACT_BITS = 64 /* Accumulator width at which no sum of any network overflows. */
};

typedef struct macloom_network macloom_network;

/* Strings and shapes in these structures live as long as the network. */
typedef struct {
  const char* name;
  const char* origin;
  int32_t is_untrained; /* 1: pseudo-random weights; say so wherever results are shown. */
  int32_t num_tensors, num_nodes;
  int32_t input_tensor, output_tensor;
  int32_t num_class_labels; /* 0 or the number of classes. */
} macloom_network_info;

typedef struct {
  const char* name;
  const int64_t* shape; /* num_axes sizes, no batch axis: [H, W, C] or [C]. */
  int32_t num_axes;
  int64_t num_elements; /* Codes are row-major. */
  const char* format;   /* e.g. "int8", "q1.6" */
  int32_t min_code, max_code;
  int32_t is_affine;     /* 1: value = scale * (code - zero_point). */
  int32_t fraction_bits; /* is_affine 0: value = (code - zero_point) * 2^-fraction_bits. */
  int32_t zero_point;
  float scale;
} macloom_tensor_info;

typedef struct {
  const char* name;
  const char* operator_name;             /* As in TFLite, e.g. "CONV_2D". */
  int32_t num_inputs, inputs[2], output; /* Tensor indices. */
  int64_t num_macs;                      /* Padding positions counted. */
  int32_t required_accumulator_bits;     /* Width at which no input overflows; 0: no accumulator. */
} macloom_node_info;

/* What happened in one node in the last run. */
typedef struct {
  int64_t overflow_events;    /* Steps whose exact sum left the accumulator's range. */
  int64_t overflowed_outputs; /* Outputs with at least one event. */
  int64_t wrong_outputs;      /* Outputs whose final accumulator differs from the exact sum. */
  int64_t clamped_low, clamped_high;
} macloom_events;

/* "MAJOR.MINOR.PATCH". */
MACLOOM_API const char* macloom_version(void);

/* Text of this thread's last failed call, "" before the first; valid until its next one. */
MACLOOM_API const char* macloom_last_error(void);

/* Loads a .tflite file, a network file (.safetensors) or a shipped network by name (an unknown one
 * is answered with the list). *network is NULL unless MACLOOM_OK is returned. */
MACLOOM_API int macloom_load(const char* model, int32_t rounding, macloom_network** network);

/* Ends a network; NULL is allowed. */
MACLOOM_API void macloom_free(macloom_network* network);

MACLOOM_API int macloom_describe(const macloom_network* network, macloom_network_info* info);
MACLOOM_API int macloom_describe_tensor(const macloom_network* network, int32_t tensor,
                                        macloom_tensor_info* info);
MACLOOM_API int macloom_describe_node(const macloom_network* network, int32_t node,
                                      macloom_node_info* info);
MACLOOM_API int macloom_class_label(const macloom_network* network, int32_t index,
                                    const char** label);

/* How `node`, or every node (MACLOOM_ALL_NODES), accumulates in later runs. width_bits: 8 to 32, 33
 * to 63 for nodes without multiplier, or MACLOOM_EXACT_BITS, which every network starts with.
 * products_per_step: products summed exactly before one addition to the accumulator. A saturating
 * accumulator must hold every start value. */
MACLOOM_API int macloom_set_accumulation(macloom_network* network, int32_t node, int32_t width_bits,
                                         int32_t overflow, int32_t products_per_step,
                                         int32_t order);

/* Runs one sample: input and output codes, row-major, as many as the tensors have elements. The
 * int8 form is refused for a network whose output codes need more. */
MACLOOM_API int macloom_run_int8(macloom_network* network, const int8_t* input, size_t num_input,
                                 int8_t* output, size_t num_output);
MACLOOM_API int macloom_run_int32(macloom_network* network, const int32_t* input, size_t num_input,
                                  int32_t* output, size_t num_output);

/* Results of the last run that returned MACLOOM_OK. Accumulators are those before requantization,
 * one per output element; nodes that do not sum products or codes have none. */
MACLOOM_API int macloom_read_tensor(const macloom_network* network, int32_t tensor, int32_t* codes,
                                    size_t num_codes);
MACLOOM_API int macloom_read_accumulators(const macloom_network* network, int32_t node,
                                          int64_t* accumulators, size_t num_accumulators);
MACLOOM_API int macloom_read_events(const macloom_network* network, int32_t node,
                                    macloom_events* events);

/* Single steps, for test benches; capi/macloom_dpi_pkg.sv imports them into SystemVerilog. */

/* accumulator + sum in width_bits (8 to 64) bits under `overflow`; *is_event is 1 if the exact
 * value left the range. `accumulator` must lie in it. */
MACLOOM_API int macloom_accumulate(int32_t width_bits, int32_t overflow, int64_t accumulator,
                                   int64_t sum, int64_t* result, int32_t* is_event);

/* start + sum of activations[i] * weights[i], products_per_step (1 to 65536) summed exactly before
 * each accumulator step, in ascending order; *num_events counts the steps that left the range.
 * width_bits: 8 to 63 or MACLOOM_EXACT_BITS; `start` must lie in it (63 bits if exact).
 * num_products: 1 to 65536. */
MACLOOM_API int macloom_mac_row(int32_t width_bits, int32_t overflow, int32_t products_per_step,
                                int64_t start, const int8_t* activations, const int8_t* weights,
                                size_t num_products, int64_t* result, int64_t* num_events);

/* *code = clamp(round(x) + zero_point, clamp_min, clamp_max). x: 32 bits, 62 with
 * MACLOOM_REQUANTIZE_SHIFT; multiplier otherwise: 0 or 2^30 to 2^31 - 1, with shift -31 to 7. */
MACLOOM_API int macloom_requantize(int32_t kind, int64_t x, int32_t multiplier, int32_t shift,
                                   int32_t zero_point, int32_t clamp_min, int32_t clamp_max,
                                   int32_t* code);

/* *code = clamp(x / num_positions to nearest, ties away from zero), as average pooling does.
 * x: 62 bits; num_positions: at least 1. */
MACLOOM_API int macloom_requantize_mean(int64_t x, int32_t num_positions, int32_t clamp_min,
                                        int32_t clamp_max, int32_t* code);

#ifdef __cplusplus
}
#endif

#endif /* MACLOOM_H_ */
