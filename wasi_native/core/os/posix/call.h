/* call.h - the kernel calls on the path of a guest's call, without a detour through libc where that is sound.
 *
 * libc's wrappers are points where a thread can be cancelled, look whether there are threads, and keep errno in
 * thread-local memory: a tenth of the price of a short call. Each function here answers what the kernel does, 0
 * or more, or minus an errno. On other processors, and under a sanitizer (which watches libc's functions), they
 * are libc's.
 */
#ifndef WN_CORE_CALL_H
#define WN_CORE_CALL_H

#include "core/os/posix/posix.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h> /* renameat */
#include <sys/stat.h>

#if (defined(__x86_64__) && defined(__LP64__) || defined(__aarch64__)) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define WN_DIRECT 1

#if defined(__x86_64__)
static inline long kernel(long n, long a, long b, long c, long d) {
  long r;
  register long r10 __asm__("r10") = d;
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return r;
}
#else
static inline long kernel(long n, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
#endif
/* The direct call, not the wrapper. */
#define WN_CALL(wrapper, n, a, b, c, d) kernel(n, (long)(a), (long)(b), (long)(c), (long)(d))
#else
/* The wrapper's answer, with its errno. */
#define WN_CALL(wrapper, n, a, b, c, d) kernel_answer((long)(wrapper))
static inline long kernel_answer(long r) { return r < 0 ? -(long)errno : r; }
#endif

static inline long kernel_read(int fd, void *p, size_t len) {
  return WN_CALL(read(fd, p, len), SYS_read, fd, p, len, 0);
}
static inline long kernel_write(int fd, const void *p, size_t len) {
  return WN_CALL(write(fd, p, len), SYS_write, fd, p, len, 0);
}
static inline long kernel_readv(int fd, const struct iovec *iov, int n) {
  return WN_CALL(readv(fd, iov, n), SYS_readv, fd, iov, n, 0);
}
static inline long kernel_writev(int fd, const struct iovec *iov, int n) {
  return WN_CALL(writev(fd, iov, n), SYS_writev, fd, iov, n, 0);
}
#ifdef WN_DIRECT
static inline long kernel_pread(int fd, void *p, size_t len, uint64_t off) {
  return kernel(SYS_pread64, fd, (long)p, (long)len, (long)off);
}
static inline long kernel_pwrite(int fd, const void *p, size_t len, uint64_t off) {
  return kernel(SYS_pwrite64, fd, (long)p, (long)len, (long)off);
}
static inline int64_t kernel_lseek(int fd, int64_t off, int whence) { return kernel(SYS_lseek, fd, off, whence, 0); }
#else
static inline long kernel_pread(int fd, void *p, size_t len, uint64_t off) {
  return kernel_answer(pread(fd, p, len, (off_t)off));
}
static inline long kernel_pwrite(int fd, const void *p, size_t len, uint64_t off) {
  return kernel_answer(pwrite(fd, p, len, (off_t)off));
}
static inline int64_t kernel_lseek(int fd, int64_t off, int whence) {
  off_t r = lseek(fd, off, whence);
  return r < 0 ? -(int64_t)errno : r;
}
#endif
/* struct stat of libc is the kernel's on the processors of the direct path. */
static inline long kernel_fstat(int fd, struct stat *s) { return WN_CALL(fstat(fd, s), SYS_fstat, fd, s, 0, 0); }
static inline long kernel_fstatat(int dir, const char *name, struct stat *s) {
  return WN_CALL(fstatat(dir, name, s, AT_SYMLINK_NOFOLLOW), SYS_newfstatat, dir, name, s, AT_SYMLINK_NOFOLLOW);
}
static inline long kernel_openat(int dir, const char *name, int flags, uint32_t mode) {
  return WN_CALL(openat(dir, name, flags, (mode_t)mode), SYS_openat, dir, name, flags, mode);
}
static inline long kernel_close(int fd) { return WN_CALL(close(fd), SYS_close, fd, 0, 0, 0); }
static inline long kernel_mkdirat(int dir, const char *name, uint32_t mode) {
  return WN_CALL(mkdirat(dir, name, (mode_t)mode), SYS_mkdirat, dir, name, mode, 0);
}
static inline long kernel_unlinkat(int dir, const char *name, int flags) {
  return WN_CALL(unlinkat(dir, name, flags), SYS_unlinkat, dir, name, flags, 0);
}
static inline long kernel_renameat(int dir, const char *name, int to_dir, const char *to_name) {
  return WN_CALL(renameat(dir, name, to_dir, to_name), SYS_renameat, dir, name, to_dir, to_name);
}
static inline long kernel_yield(void) { return WN_CALL(sched_yield(), SYS_sched_yield, 0, 0, 0, 0); }

/* Their answers as errors of WASI. */
static inline wn_err_t kernel_result(long r) { return WN_LIKELY(r >= 0) ? 0 : wn_posix_err((int)-r); }
static inline wn_err_t kernel_done(long r, uint64_t *done) {
  if (WN_UNLIKELY(r < 0)) return wn_posix_err((int)-r);
  *done = (uint64_t)r;
  return 0;
}

#endif
