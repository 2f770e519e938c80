/* crash - trap at the end of the call chain main > crash_outer > crash_middle > crash_inner, by argv[1]:
 * "unreachable" (the default), "memory" (a load past the memory), "divide", "stack" (endless recursion) or
 * "abort". The names stay in the module for the backtrace. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP __attribute__((noinline, optnone))

KEEP static int recurse(volatile int *depth) {
  volatile int here = *depth + 1;
  return recurse(&here) + here;
}

KEEP static int crash_inner(const char *how) {
  volatile int zero = 0;
  if (strcmp(how, "memory") == 0) return *(volatile int *)0xfffffff0u;
  if (strcmp(how, "divide") == 0) return 1 / zero;
  if (strcmp(how, "stack") == 0) return recurse(&zero);
  if (strcmp(how, "abort") == 0) abort();
  __builtin_trap();
}

KEEP static int crash_middle(const char *how) { return crash_inner(how) + 1; }

KEEP static int crash_outer(const char *how) { return crash_middle(how) + 1; }

int main(int argc, char **argv) {
  puts("before");
  fflush(stdout);
  return crash_outer(argc > 1 ? argv[1] : "unreachable");
}
