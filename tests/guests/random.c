/* random - argv[1] random bytes (default 16) as hexadecimal digits, then the four clocks: realtime, monotonic,
 * process and thread, in nanoseconds or as "errno N". With fixed sources, two runs print the same. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <wasi/api.h>

int main(int argc, char **argv) {
  long size = argc > 1 ? atol(argv[1]) : 16;
  uint8_t *bytes = malloc((size_t)size + 1);
  if (bytes == NULL || __wasi_random_get(bytes, (__wasi_size_t)size) != 0) return 1;
  for (long i = 0; i < size; i++) printf("%02x", bytes[i]);
  putchar('\n');
  for (uint32_t id = 0; id < 4; id++) {
    __wasi_timestamp_t time = 0;
    __wasi_errno_t err = __wasi_clock_time_get(id, 1, &time);
    if (err == 0) {
      printf("clock %u %" PRIu64 "\n", (unsigned)id, time);
    } else {
      printf("clock %u errno %u\n", (unsigned)id, (unsigned)err);
    }
  }
  return 0;
}
