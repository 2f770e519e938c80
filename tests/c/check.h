/* check.h - for the programs beside it: what must hold, and a kernel of which single calls can be made to fail. */
#ifndef WN_TEST_CHECK_H
#define WN_TEST_CHECK_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/link.h"
#include "core/sys/sys.h"
#include "wasi_native.h"

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                        \
    }                                                                 \
  } while (0)

#define CLOSED_FD 9999

static inline wn_str_t text(const char *s) { return (wn_str_t){s, strlen(s)}; }

/* A file of the folder of work with these bytes, open for reading and writing. */
static inline int file_with(const char *name, const char *bytes, int flags) {
  int fd = open(name, O_RDWR | O_CREAT | flags, 0644);
  CHECK(fd >= 0 && write(fd, bytes, strlen(bytes)) == (ssize_t)strlen(bytes));
  return fd;
}

#endif
