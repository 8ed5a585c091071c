/* Runs a quantized network from C, then again with a narrow accumulator.
 *
 * usage: run_network [MODEL [ACCUMULATOR_BITS]]; MODEL is a .tflite or network file
 */
#include <inttypes.h>
#include <macloom.h>
#include <stdio.h>
#include <stdlib.h>

static void Check(int status) {
  if (status == MACLOOM_OK) return;
  fprintf(stderr, "run_network: %s\n", macloom_last_error());
  exit(2);
}

static void PrintTensor(const char* label, const macloom_tensor_info* tensor) {
  printf("%s \"%s\": %s [", label, tensor->name, tensor->format);
  for (int i = 0; i < tensor->num_axes; ++i) {
    printf("%s%" PRId64, i == 0 ? "" : ", ", tensor->shape[i]);
  }
  printf("], value = %g * (code - %" PRId32 ")\n", tensor->scale, tensor->zero_point);
}

/* Runs the network and prints events per node, if any, and the output codes. */
static void Run(macloom_network* network, const macloom_network_info* info, const int8_t* input,
                int64_t num_input, int8_t* output, int64_t num_output) {
  Check(macloom_run_int8(network, input, (size_t)num_input, output, (size_t)num_output));
  for (int32_t i = 0; i < info->num_nodes; ++i) {
    macloom_node_info node;
    macloom_events events;
    Check(macloom_describe_node(network, i, &node));
    Check(macloom_read_events(network, i, &events));
    if (events.overflow_events == 0) continue;
    printf("  node %" PRId32 " %s needs %" PRId32 " bits: %" PRId64 " overflow events, %" PRId64
           " wrong sums\n",
           i, node.operator_name, node.required_accumulator_bits, events.overflow_events,
           events.wrong_outputs);
  }
  printf("  output");
  for (int64_t i = 0; i < num_output; ++i) printf(" %d", output[i]);
  printf("\n");
}

int main(int argc, char** argv) {
  const char* model = argc > 1 ? argv[1] : "ds-cnn-untrained";
  const int32_t bits = argc > 2 ? (int32_t)strtol(argv[2], NULL, 10) : 14;
  macloom_network* network;
  macloom_network_info info;
  macloom_tensor_info in, out;

  Check(macloom_load(model, MACLOOM_ROUND_DOUBLE, &network));
  Check(macloom_describe(network, &info));
  printf("%s%s: %" PRId32 " nodes, macloom %s\n", info.name,
         info.is_untrained ? " (untrained)" : "", info.num_nodes, macloom_version());
  Check(macloom_describe_tensor(network, info.input_tensor, &in));
  Check(macloom_describe_tensor(network, info.output_tensor, &out));
  PrintTensor("input", &in);
  PrintTensor("output", &out);

  int8_t* input = malloc((size_t)in.num_elements);
  int8_t* output = malloc((size_t)out.num_elements);
  if (input == NULL || output == NULL) return 3;
  const int32_t span = in.max_code - in.min_code + 1;
  for (int64_t i = 0; i < in.num_elements; ++i) {
    input[i] = (int8_t)(in.min_code + (int32_t)(i * 37 % span));
  }

  printf("exact accumulators\n");
  Run(network, &info, input, in.num_elements, output, out.num_elements);
  Check(macloom_set_accumulation(network, MACLOOM_ALL_NODES, bits, MACLOOM_WRAP, 16,
                                 MACLOOM_BLOCK_TAP));
  printf("accumulators of %" PRId32 " bits\n", bits);
  Run(network, &info, input, in.num_elements, output, out.num_elements);

  free(input);
  free(output);
  macloom_free(network);
  return 0;
}
