/* driver.c - random inputs where the compiler brings no fuzzer: TARGET SECONDS [SEED]. The same seed makes the same
 * inputs; the input that failed is written to the file "crash-SEED-NUMBER" in the folder of work.
 */
#include "fuzz.h"

#include <signal.h>

static uint8_t input[512];
static size_t input_size;
static uint64_t seed, number;

static uint64_t next(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  return *state ^= *state << 17;
}

/* After a failure, in its signal: the program ends here in any case. */
static void keep(int signal_number) {
  char name[64];
  snprintf(name, sizeof name, "crash-%llu-%llu", (unsigned long long)seed, (unsigned long long)number);
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd >= 0) (void)!write(fd, input, input_size);
  fprintf(stderr, "the input is in %s\n", name);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 1;
  seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  signal(SIGABRT, keep);
  LLVMFuzzerInitialize(&argc, &argv);
  uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
  for (number = 0; now_ns() < end; number++) {
    uint64_t state = (seed * 0x9e3779b97f4a7c15u) ^ (number + 1);
    for (int i = 0; i < 4; i++) next(&state);
    input_size = next(&state) % sizeof input;
    bool small = next(&state) & 1; /* small bytes choose meaningful words and recipes more often */
    for (size_t i = 0; i < input_size; i++) input[i] = (uint8_t)(next(&state) >> 24) & (small ? 0x3f : 0xff);
    LLVMFuzzerTestOneInput(input, input_size);
  }
  printf("%llu inputs, seed %llu\n", (unsigned long long)number, (unsigned long long)seed);
  return 0;
}
