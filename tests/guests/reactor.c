/* reactor - a library: _initialize sets it up, then its exports may be called in any order and number. */
#include <stdint.h>
#include <stdio.h>

#define EXPORT(name) __attribute__((export_name(#name)))

static int32_t ready;
static int32_t counter;

__attribute__((constructor)) static void start(void) { ready++; }

/* How often the constructors ran: 1 after _initialize, 0 without. */
EXPORT(ready) int32_t wn_ready(void) { return ready; }

EXPORT(add) int32_t add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }

EXPORT(add64) int64_t add64(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

EXPORT(half) double half(double value) { return value / 2; }

/* Counts its calls: state lives as long as the instance. */
EXPORT(count) int32_t count(void) { return ++counter; }

/* Prints, so that a reactor's output can be seen. */
EXPORT(greet) void greet(int32_t number) {
  printf("greeting %d\n", (int)number);
  fflush(stdout);
}

/* Traps. */
EXPORT(fail) void fail(void) { __builtin_trap(); }
