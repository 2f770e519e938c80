/* native.c - the same loops as the guest's, as a native program would write them: plain system calls.
 *
 * Paths that leave the first component go through openat2(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS), the kernel's
 * own sandbox. bench_<case>(turns) returns 0 or the errno of the first call that failed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define BENEATH 0x08
#define NO_MAGICLINKS 0x02
#define BATCH 256
#define CHUNK 65536
#define LIST 32768
#define DEEP "d1/d2/d3/d4/d5/d6/d7/f"
#define EXPORT __attribute__((visibility("default")))
#define TRY(call)                 \
  do {                            \
    if ((call) < 0) return errno; \
  } while (0)
#define LOOP(name, ...)                     \
  EXPORT int64_t bench_##name(uint32_t n) { \
    for (uint32_t i = 0; i < n; i++) {      \
      __VA_ARGS__;                          \
    }                                       \
    return 0;                               \
  }

struct how {
  uint64_t flags, mode, resolve;
};

static int root = -1, rw = -1, ro = -1, many = -1;
static char buffer[CHUNK];
static struct iovec pieces[16];
static struct stat st;

static int beneath(const char *path, int flags, mode_t mode) {
  struct how how = {(uint64_t)(flags | O_CLOEXEC), mode, BENEATH | NO_MAGICLINKS};
  int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
  if (fd < 0 && errno == ENOSYS) fd = openat(root, path, flags | O_CLOEXEC, mode); /* bench_beneath() tells */
  return fd;
}

EXPORT int64_t bench_beneath(void) {
  struct how how = {O_PATH | O_CLOEXEC, 0, BENEATH | NO_MAGICLINKS};
  int fd = (int)syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

/* Whether another thread of this process has the same table of descriptors as the caller; -1: nobody says. */
EXPORT int64_t bench_shares(int64_t tid) {
#ifdef SYS_kcmp
  enum { KCMP_FILES = 2 };
  long order = syscall(SYS_kcmp, syscall(SYS_gettid), (long)tid, KCMP_FILES, 0L, 0L);
  return order < 0 ? -1 : order == 0;
#else
  (void)tid;
  return -1;
#endif
}

EXPORT int64_t bench_setup(const char *path) {
  TRY(root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  TRY(rw = beneath("rw", O_RDWR, 0));
  TRY(ro = beneath("ro", O_RDONLY, 0));
  TRY(many = beneath("many", O_RDONLY | O_DIRECTORY, 0));
  memset(buffer, 'x', sizeof buffer);
  for (size_t i = 0; i < 16; i++) pieces[i] = (struct iovec){buffer + i * 256, 256};
  return 0;
}

EXPORT int64_t bench_entry(uint32_t n) {
  (void)n;
  return 0;
}

/* A call that moves the file's position; back to the start after each batch, and before the first. */
#define STREAM(name, fd, call) LOOP(name, if ((i & (BATCH - 1)) == 0) TRY(lseek(fd, 0, SEEK_SET)); TRY(call))

static struct timespec now;
LOOP(clock_realtime, TRY(clock_gettime(CLOCK_REALTIME, &now)))
LOOP(clock_monotonic, TRY(clock_gettime(CLOCK_MONOTONIC, &now)))
LOOP(random16, TRY(getrandom(buffer, 16, 0)))
LOOP(random4k, TRY(getrandom(buffer, 4096, 0)))
STREAM(write1, rw, write(rw, buffer, 1))
STREAM(write4k, rw, write(rw, buffer, 4096))
STREAM(writev, rw, writev(rw, pieces, 16))
STREAM(read4k, ro, read(ro, buffer, 4096))
LOOP(pread1, TRY(pread(ro, buffer, 1, 0)))
LOOP(pread4k, TRY(pread(ro, buffer, 4096, 0)))
LOOP(pread64k, TRY(pread(ro, buffer, CHUNK, 0)))
LOOP(seek, TRY(lseek(ro, i & 4095, SEEK_SET)))
LOOP(fdstat, TRY(fcntl(ro, F_GETFL)))
LOOP(filestat, TRY(fstat(ro, &st)))
LOOP(stat1, TRY(fstatat(root, "f", &st, AT_SYMLINK_NOFOLLOW)))
LOOP(stat8_plain, TRY(fstatat(root, DEEP, &st, AT_SYMLINK_NOFOLLOW)))
LOOP(stat8, int fd; TRY(fd = beneath(DEEP, O_PATH | O_NOFOLLOW, 0)); TRY(fstat(fd, &st)); TRY(close(fd)))
LOOP(open1, int fd; TRY(fd = beneath("f", O_RDONLY | O_NOFOLLOW, 0)); TRY(close(fd)))
LOOP(open8, int fd; TRY(fd = beneath(DEEP, O_RDONLY | O_NOFOLLOW, 0)); TRY(close(fd)))
LOOP(mkdir, TRY(mkdirat(root, "m", 0777)); TRY(unlinkat(root, "m", AT_REMOVEDIR)))
LOOP(rename, TRY(renameat(root, "r0", root, "r1")); TRY(renameat(root, "r1", root, "r0")))
LOOP(poll_clock, TRY(poll(NULL, 0, 0)))
LOOP(poll_fd, struct pollfd p = {.fd = ro, .events = POLLIN}; TRY(poll(&p, 1, 0)))
LOOP(yield, TRY(sched_yield()))

/* Walks the records, as readdir(3) does. */
static int64_t list(void) {
  static char records[LIST];
  int64_t count = 0;
  TRY(lseek(many, 0, SEEK_SET));
  for (;;) {
    long got = syscall(SYS_getdents64, many, records, sizeof records);
    if (got <= 0) return got < 0 ? errno : count < 1000 ? ENOENT : 0;
    for (long at = 0; at < got; count++) {
      uint16_t size;
      memcpy(&size, records + at + 16, sizeof size);
      at += size;
    }
  }
}
LOOP(readdir, int64_t e = list(); if (e != 0) return e)
LOOP(readdir4k, int64_t e = list(); if (e != 0) return e)

/* n chunks from "big" to a new "out". */
EXPORT int64_t bench_copy(uint32_t n) {
  int in, out;
  TRY(in = beneath("big", O_RDONLY, 0));
  TRY(out = beneath("out", O_WRONLY | O_CREAT | O_TRUNC, 0600));
  for (uint32_t i = 0; i < n; i++) {
    ssize_t got;
    TRY(got = read(in, buffer, CHUNK));
    if (write(out, buffer, (size_t)got) != got) return EIO;
  }
  TRY(close(in));
  TRY(close(out));
  return 0;
}

/* ---- functions that a guest imports as bench.nop and bench.nop_mem ---- */

/* For the layer: wn_host_fn_t; the context of nop_mem is wn_guest_bytes(). */
typedef void *(*guest_bytes_t)(void *guest, uint32_t ptr, uint32_t len);
EXPORT int32_t bench_host_nop(void *ctx, void *guest, uint64_t *values) {
  (void)ctx, (void)guest;
  values[0] = 0;
  return 0;
}
EXPORT int32_t bench_host_nop_mem(void *ctx, void *guest, uint64_t *values) {
  char *at = ((guest_bytes_t)ctx)(guest, (uint32_t)values[0], 8);
  if (at == NULL) return -1;
  memset(at, 1, 8);
  values[0] = 0;
  return 0;
}

/* For the engine alone: an unchecked raw callback of wasmtime, with base and size asked at each call. */
struct memory_door {
  void *(*context)(void *caller);
  char *(*data)(void *context, const void *memory);
  size_t (*size)(void *context, const void *memory);
  const void *memory;
};
EXPORT void *bench_raw_nop(void *env, void *caller, uint64_t *slots, size_t count) {
  (void)env, (void)caller, (void)count;
  slots[0] = 0;
  return NULL;
}
EXPORT void *bench_raw_nop_mem(void *env, void *caller, uint64_t *slots, size_t count) {
  const struct memory_door *door = env;
  (void)count;
  void *context = door->context(caller);
  char *base = door->data(context, door->memory);
  uint64_t ptr = (uint32_t)slots[0];
  if (ptr + 8 <= door->size(context, door->memory)) memset(base + ptr, 1, 8);
  slots[0] = 0;
  return NULL;
}
