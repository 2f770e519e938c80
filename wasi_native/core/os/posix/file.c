/* file.c - opening, reading, writing and the other calls on one descriptor. */
#include "core/os/posix/call.h"

/* The kernel's own numbers: headers older than the calls do not have them. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define RESOLVE_NO_MAGIC 0x02u
#define RESOLVE_BELOW 0x08u
typedef struct beneath {
  uint64_t flags, mode, resolve;
} beneath_t;

static int open_flags(uint32_t flags) {
  int f = O_CLOEXEC;
  if (flags & WN_O_DIRECTORY) f |= O_DIRECTORY;
  if (flags & WN_O_NOFOLLOW) f |= O_NOFOLLOW;
  if (flags & WN_O_PATH) return f | O_PATH; /* openat2 takes no other flag with it */
  f |= O_NOCTTY | O_LARGEFILE;
  if (flags & WN_O_WRITE) f |= flags & WN_O_READ ? O_RDWR : O_WRONLY;
  if (flags & WN_O_CREAT) f |= O_CREAT;
  if (flags & WN_O_EXCL) f |= O_EXCL;
  if (flags & WN_O_TRUNC) f |= O_TRUNC;
  if (flags & WN_O_APPEND) f |= O_APPEND;
  if (flags & WN_O_DSYNC) f |= O_DSYNC;
  if (flags & WN_O_SYNC) f |= O_SYNC;
  if (flags & WN_O_NONBLOCK) f |= O_NONBLOCK;
  return f;
}

wn_err_t wn_posix_opened(long r, int *fd) {
  if (WN_UNLIKELY(r < 0)) return wn_posix_err(errno);
  if (WN_UNLIKELY(r <= STDERR_FILENO)) {
    int moved = fcntl((int)r, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    wn_err_t err = moved < 0 ? wn_posix_err(errno) : 0;
    close((int)r);
    if (err) return err;
    r = moved;
  }
  *fd = (int)r;
  return 0;
}

/* The same for a direct call, whose answer holds the errno. */
static inline wn_err_t opened(long r, int *fd) {
  if (WN_LIKELY(r > STDERR_FILENO)) {
    *fd = (int)r;
    return 0;
  }
  return r < 0 ? wn_posix_err((int)-r) : wn_posix_opened(r, fd);
}

wn_err_t wn_posix_open(const wn_os_t *os, const char *host_path, uint32_t flags, int *fd) {
  (void)os;
  return wn_posix_opened(open(host_path, open_flags(flags & ~(uint32_t)WN_O_CREAT)), fd);
}

wn_err_t wn_posix_openat(const wn_os_t *os, int dir, const char *name, uint32_t flags, uint32_t mode, int *fd) {
  (void)os;
  return opened(kernel_openat(dir, name, open_flags(flags), mode), fd);
}

wn_err_t wn_posix_openat2(const wn_os_t *os, int dir, const char *path, uint32_t flags, uint32_t mode, int *fd) {
  (void)os;
  beneath_t how = {.flags = (uint64_t)(unsigned)open_flags(flags),
                   .mode = flags & WN_O_CREAT ? mode : 0,
                   .resolve = RESOLVE_BELOW | RESOLVE_NO_MAGIC};
  return opened(WN_CALL(syscall(SYS_openat2, dir, path, &how, sizeof how), SYS_openat2, dir, path, &how, sizeof how),
                fd);
}

wn_err_t wn_posix_reopen(const wn_os_t *os, int fd, uint32_t flags, int *out) {
  (void)os;
  if (fd < 0) return WN_EBADF;
  char path[32] = "/proc/self/fd/";
  char digits[12];
  size_t n = 0, at = 14;
  unsigned rest = (unsigned)fd;
  do digits[n++] = (char)('0' + rest % 10);
  while (rest /= 10);
  while (n) path[at++] = digits[--n];
  path[at] = 0;
  return wn_posix_opened(open(path, open_flags(flags)), out);
}

wn_err_t wn_posix_dup(const wn_os_t *os, int fd, int *out) {
  (void)os;
  return wn_posix_opened(fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), out);
}

wn_err_t wn_posix_close(const wn_os_t *os, int fd) {
  (void)os;
  return kernel_result(kernel_close(fd));
}

wn_err_t wn_posix_readv(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  (void)os;
  if (WN_LIKELY(n == 1)) return kernel_done(kernel_read(fd, iov->ptr, iov->len), done);
  return kernel_done(kernel_readv(fd, (const struct iovec *)(const void *)iov, (int)n), done);
}

wn_err_t wn_posix_writev(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  (void)os;
  if (WN_LIKELY(n == 1)) return kernel_done(kernel_write(fd, iov->ptr, iov->len), done);
  return kernel_done(kernel_writev(fd, (const struct iovec *)(const void *)iov, (int)n), done);
}

wn_err_t wn_posix_preadv(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t off, uint64_t *done) {
  (void)os;
  if (WN_LIKELY(n == 1)) return kernel_done(kernel_pread(fd, iov->ptr, iov->len, off), done);
  return wn_posix_done(preadv(fd, (const struct iovec *)(const void *)iov, (int)n, (off_t)off), done);
}

wn_err_t wn_posix_pwritev(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t off, uint64_t *done) {
  (void)os;
  if (WN_LIKELY(n == 1)) return kernel_done(kernel_pwrite(fd, iov->ptr, iov->len, off), done);
  return wn_posix_done(pwritev(fd, (const struct iovec *)(const void *)iov, (int)n, (off_t)off), done);
}

wn_err_t wn_posix_lseek(const wn_os_t *os, int fd, int64_t off, uint32_t whence, uint64_t *pos) {
  (void)os;
  static const int whences[] = {[WN_SEEK_SET] = SEEK_SET, [WN_SEEK_CUR] = SEEK_CUR, [WN_SEEK_END] = SEEK_END};
  if (whence > WN_SEEK_END) return WN_EINVAL;
  int64_t r = kernel_lseek(fd, off, whences[whence]);
  if (WN_UNLIKELY(r < 0)) return wn_posix_err((int)-r);
  *pos = (uint64_t)r;
  return 0;
}

wn_err_t wn_posix_ftruncate(const wn_os_t *os, int fd, uint64_t size) {
  (void)os;
  return wn_posix_result(ftruncate(fd, (off_t)size));
}

wn_err_t wn_posix_fallocate(const wn_os_t *os, int fd, uint64_t off, uint64_t len) {
  (void)os;
  return wn_posix_result(fallocate(fd, 0, (off_t)off, (off_t)len));
}

wn_err_t wn_posix_fadvise(const wn_os_t *os, int fd, uint64_t off, uint64_t len, uint32_t advice) {
  (void)os;
  /* In the order of WASI's numbers. */
  static const int advices[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
  if (advice >= sizeof advices / sizeof *advices) return WN_EINVAL;
  int r = posix_fadvise(fd, (off_t)off, (off_t)len, advices[advice]); /* answers the errno itself */
  return r ? wn_posix_err(r) : 0;
}

wn_err_t wn_posix_fsync(const wn_os_t *os, int fd) {
  (void)os;
  return wn_posix_result(fsync(fd));
}

wn_err_t wn_posix_fdatasync(const wn_os_t *os, int fd) {
  (void)os;
  return wn_posix_result(fdatasync(fd));
}

wn_err_t wn_posix_set_append(const wn_os_t *os, int fd, bool on) {
  (void)os;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return wn_posix_err(errno);
  return wn_posix_result(fcntl(fd, F_SETFL, on ? flags | O_APPEND : flags & ~O_APPEND));
}

wn_err_t wn_posix_get_flags(const wn_os_t *os, int fd, uint32_t *flags) {
  (void)os;
  int f = fcntl(fd, F_GETFL);
  if (f < 0) return wn_posix_err(errno);
  uint32_t got = f & O_APPEND ? WN_O_APPEND : 0;
  if (f & O_PATH) {
    *flags = WN_O_PATH;
    return 0;
  }
  if ((f & O_ACCMODE) != O_WRONLY) got |= WN_O_READ;
  if ((f & O_ACCMODE) != O_RDONLY) got |= WN_O_WRITE;
  *flags = got;
  return 0;
}
