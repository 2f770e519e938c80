/* cat - copy the files named by the arguments, or stdin when there are none, to stdout.
 * Exit code 1 when a file cannot be read; the reason is on stderr. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char buffer[65536];

static int copy(int fd) {
  for (;;) {
    ssize_t got = read(fd, buffer, sizeof buffer);
    if (got <= 0) return (int)got;
    for (ssize_t at = 0; at < got;) {
      ssize_t put = write(1, buffer + at, (size_t)(got - at));
      if (put < 0) return -1;
      at += put;
    }
  }
}

int main(int argc, char **argv) {
  int code = 0;
  if (argc < 2) return copy(0) < 0;
  for (int i = 1; i < argc; i++) {
    int fd = open(argv[i], O_RDONLY);
    if (fd < 0 || copy(fd) < 0) {
      fprintf(stderr, "cat: %s: %s\n", argv[i], strerror(errno));
      code = 1;
    }
    if (fd >= 0) close(fd);
  }
  return code;
}
