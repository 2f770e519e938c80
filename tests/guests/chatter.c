/* chatter - argv[1] writes (default 1000) of argv[2] bytes each (default 16) to stdout, or to the file in
 * argv[3]: write i is filled with the letter 'a' + i % 26. A short write or an error ends it with code 1 and
 * the number of bytes written on stderr. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  long writes = argc > 1 ? atol(argv[1]) : 1000;
  long size = argc > 2 ? atol(argv[2]) : 16;
  int fd = argc > 3 ? open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0644) : 1;
  unsigned long long total = 0;
  char *block = size > 0 ? malloc((size_t)size) : NULL;
  if (fd < 0 || block == NULL) return 2;
  for (long i = 0; i < writes; i++) {
    memset(block, 'a' + (int)(i % 26), (size_t)size);
    ssize_t put = write(fd, block, (size_t)size);
    if (put > 0) total += (unsigned long long)put;
    if (put != size) {
      fprintf(stderr, "chatter: %llu bytes, then %s\n", total, put < 0 ? strerror(errno) : "a short write");
      return 1;
    }
  }
  return close(fd) == 0 ? 0 : 3;
}
