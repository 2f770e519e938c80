/* hog - take memory in blocks of 1 MiB and touch each page until there is no more, or argv[1] blocks are
 * taken. Prints how many it got; exit code 1 when it got fewer than it was asked for. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 65536, BLOCK_PAGES = 16 };

int main(int argc, char **argv) {
  long wanted = argc > 1 ? atol(argv[1]) : 65536;
  long got = 0;
  for (; got < wanted; got++) {
    size_t page = __builtin_wasm_memory_grow(0, BLOCK_PAGES);
    if (page == SIZE_MAX) break;
    volatile char *block = (volatile char *)(page * PAGE);
    for (size_t at = 0; at < (size_t)BLOCK_PAGES * PAGE; at += 4096) block[at] = 1;
  }
  printf("blocks %ld\n", got);
  return got == wanted ? 0 : 1;
}
