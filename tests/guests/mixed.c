/* mixed - a program of preview 1, with its C library, that also imports WASI 0.2 by name: both see one world.
 * Its realloc is the C library's own. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

typedef struct {
  uint8_t *ptr;
  size_t len;
} list_t;
typedef struct {
  uint64_t seconds;
  uint32_t nanoseconds;
} datetime_t;

IMPORT("wasi:clocks/wall-clock@0.2.0", "now") void wall_now(datetime_t *out);
IMPORT("wasi:cli/stdout@0.2.0", "get-stdout") int32_t get_stdout(void);
IMPORT("wasi:io/streams@0.2.0", "[method]output-stream.blocking-write-and-flush")
void blocking_write(int32_t self, const void *ptr, size_t len, void *out);
IMPORT("wasi:cli/environment@0.2.0", "get-arguments") void get_arguments(list_t *out);
IMPORT("wasi:random/random@0.2.0", "get-random-bytes") void get_random_bytes(int64_t len, list_t *out);

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align,
                                                                size_t size) {
  (void)old_size;
  void *made = align > 8 ? aligned_alloc(align, size) : realloc(old, size);
  if (!made) abort();
  return made;
}

int main(int argc, char **argv) {
  datetime_t time;
  list_t args, bytes;
  uint32_t result[3];
  printf("preview 1: %d arguments, %s\n", argc, argc > 1 ? argv[1] : "-");
  fflush(stdout);
  get_arguments(&args);
  const list_t *arg = (const list_t *)(void *)args.ptr;
  char text[100];
  int len = snprintf(text, sizeof text, "0.2: %zu arguments, %.*s\n", args.len, argc > 1 ? (int)arg[1].len : 1,
                     argc > 1 ? (const char *)arg[1].ptr : "-");
  blocking_write(get_stdout(), text, (size_t)len, result);
  for (size_t i = 0; i < args.len; i++) free(arg[i].ptr);
  free(args.ptr);
  get_random_bytes(1000, &bytes);
  free(bytes.ptr);
  wall_now(&time);
  struct timespec same;
  clock_gettime(CLOCK_REALTIME, &same);
  if (time.seconds > (uint64_t)same.tv_sec || time.seconds + 60 < (uint64_t)same.tv_sec) return 2;
  write(1, "preview 1 again\n", 16);
  return bytes.len == 1000 && result[0] % 256 == 0 ? 0 : 3;
}
