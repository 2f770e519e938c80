/* spin - compute for ever; only the host can end it. "yield" or "fail" as an argument makes it spin in
 * sched_yield, or in a call that always fails. One line tells that it began. */
#include <string.h>
#include <stdio.h>
#include <wasi/api.h>

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "";
  volatile unsigned turns = 0;
  puts("spinning");
  fflush(stdout);
  for (;;) {
    turns = turns + 1;
    if (strcmp(how, "yield") == 0) (void)__wasi_sched_yield();
    if (strcmp(how, "fail") == 0) (void)__wasi_fd_close(0x7ffffff0);
  }
}
