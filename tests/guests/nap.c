/* nap - sleep for argv[1] milliseconds (default 20), then wait for stdin to become readable for as long again.
 * Prints whether the clock went on by at least that much, and what stdin said: "ready", "hangup" or "timeout". */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv) {
  int ms = argc > 1 ? atoi(argv[1]) : 20;
  struct timespec nap = {ms / 1000, ms % 1000 * 1000000L};
  long long start = now();
  if (nanosleep(&nap, NULL) != 0) return 1;
  printf("slept %s\n", now() - start >= ms * 1000000LL ? "enough" : "too little");
  struct pollfd fds = {.fd = 0, .events = POLLIN};
  int ready = poll(&fds, 1, ms);
  if (ready < 0) return 2;
  printf("stdin %s\n", ready == 0 ? "timeout" : fds.revents & POLLIN ? "ready" : "hangup");
  return 0;
}
