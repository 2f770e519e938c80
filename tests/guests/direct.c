/* direct - a core module that imports WASI 0.2 by name, with no component around it: as wit-bindgen writes it for
 * hosts without components. Prints its arguments, what it reads, and ends as the first argument says. Versions of the
 * imports differ on purpose. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

typedef struct {
  uint8_t *ptr;
  size_t len;
} list_t;
typedef struct {
  uint8_t tag; /* 1: an error */
  union {
    list_t list;
    struct {
      uint8_t closed;
      int32_t error;
    } error;
  } u;
} read_t;
typedef struct {
  uint64_t seconds;
  uint32_t nanoseconds;
} datetime_t;

IMPORT("wasi:cli/environment@0.2.0", "get-arguments") void get_arguments(list_t *out);
IMPORT("wasi:cli/environment@0.2.3", "get-environment") void get_environment(list_t *out);
IMPORT("wasi:cli/stdin@0.2.12", "get-stdin") int32_t get_stdin(void);
IMPORT("wasi:cli/stdout@0.2.0", "get-stdout") int32_t get_stdout(void);
IMPORT("wasi:cli/exit@0.2.12", "exit-with-code") void exit_with_code(int32_t code);
IMPORT("wasi:clocks/wall-clock@0.2.0", "now") void now(datetime_t *out);
IMPORT("wasi:clocks/monotonic-clock@0.2.0", "subscribe-duration") int32_t after(int64_t ns);
IMPORT("wasi:io/poll@0.2.0", "poll") void poll(const int32_t *in, size_t len, list_t *out);
IMPORT("wasi:io/poll@0.2.0", "[resource-drop]pollable") void pollable_drop(int32_t self);
IMPORT("wasi:io/streams@0.2.0", "[method]input-stream.blocking-read")
void blocking_read(int32_t self, int64_t len, read_t *out);
IMPORT("wasi:io/streams@0.2.0", "[method]input-stream.subscribe") int32_t input_subscribe(int32_t self);
IMPORT("wasi:io/streams@0.2.0", "[resource-drop]input-stream") void input_drop(int32_t self);
IMPORT("wasi:io/streams@0.2.6", "[method]output-stream.blocking-write-and-flush")
void blocking_write(int32_t self, const uint8_t *ptr, size_t len, read_t *out);
IMPORT("wasi:io/streams@0.2.6", "[resource-drop]output-stream") void output_drop(int32_t self);
IMPORT("wasi:random/random@0.2.0", "get-random-u64") int64_t random_u64(void);

static _Alignas(16) uint8_t heap[1 << 18];
static size_t used;

EXPORT("cabi_realloc") void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
  (void)old;
  (void)old_size;
  used = (used + align - 1) & ~(align - 1);
  if (used + size > sizeof heap) __builtin_trap();
  used += size;
  return heap + used - size;
}

static int32_t out;

static void print(const uint8_t *text, size_t len) {
  while (len) {
    size_t piece = len < 4096 ? len : 4096; /* what this function takes at once */
    read_t result;
    blocking_write(out, text, piece, &result);
    if (result.tag) __builtin_trap();
    text += piece;
    len -= piece;
  }
}

static void line(const char *name, const list_t *text) {
  size_t len = 0;
  while (name[len]) len++;
  print((const uint8_t *)name, len);
  print(text->ptr, text->len);
  print((const uint8_t *)"\n", 1);
}

static int32_t number(const list_t *text) {
  int32_t value = 0;
  for (size_t i = 0; i < text->len; i++) value = value * 10 + (text->ptr[i] - '0');
  return value;
}

/* Until the standard input has something, or an hour has passed: 0, the input. */
static uint32_t wait_for(int32_t in) {
  int32_t pollables[2] = {input_subscribe(in), after(3600000000000)};
  list_t ready;
  poll(pollables, 2, &ready);
  pollable_drop(pollables[0]);
  pollable_drop(pollables[1]);
  return ready.len == 1 ? *(uint32_t *)(void *)ready.ptr : UINT32_MAX;
}

EXPORT("wasi:cli/run@0.2.0#run") int32_t run(void) {
  list_t args, env;
  datetime_t time;
  get_arguments(&args);
  get_environment(&env);
  out = get_stdout();
  const list_t *arg = (const list_t *)(void *)args.ptr;
  for (size_t i = 1; i < args.len; i++) line("argument ", &arg[i]);
  const list_t *pair = (const list_t *)(void *)env.ptr;
  for (size_t i = 0; i < env.len; i++) line((const char *)"value ", &pair[2 * i + 1]);
  now(&time);
  if (time.seconds < 1600000000 || time.nanoseconds > 999999999 || random_u64() == random_u64()) return 1;
  int32_t in = get_stdin();
  for (read_t got; wait_for(in) == 0;) {
    used = (used + 15) & ~(size_t)15;
    size_t before = used;
    blocking_read(in, 1 << 16, &got);
    if (got.tag) break;
    line("read ", &got.u.list);
    used = before;
  }
  input_drop(in);
  output_drop(out);
  if (args.len > 1) exit_with_code(number(&arg[1]));
  return 0;
}
