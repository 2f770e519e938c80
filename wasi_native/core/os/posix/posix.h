/* posix.h - what the files of os/posix share. The first include of each: it selects the widths of the kernel. */
#ifndef WN_CORE_POSIX_H
#define WN_CORE_POSIX_H

#define _GNU_SOURCE
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif

#include <errno.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "core/os/os.h"

_Static_assert(sizeof(off_t) == 8, "file offsets have 64 bits");
_Static_assert(sizeof(wn_iov_t) == sizeof(struct iovec) &&
                   offsetof(wn_iov_t, ptr) == offsetof(struct iovec, iov_base) &&
                   offsetof(wn_iov_t, len) == offsetof(struct iovec, iov_len),
               "wn_iov_t is the kernel's iovec");

#define NS_PER_S 1000000000

/* On 32-bit processors the C libraries of before 2020 have a 32-bit time_t, and what _TIME_BITS would ask for came in
 * glibc 2.34: too late for the wheels. So the wide calls are made by number, also where the kernel's headers are old.
 */
#define WN_NARROW_TIME (sizeof(time_t) < sizeof(int64_t))
#if defined(__arm__) || defined(__i386__)
#ifndef SYS_clock_gettime64
#define SYS_clock_gettime64 403
#endif
#ifndef SYS_utimensat_time64
#define SYS_utimensat_time64 412
#endif
#ifndef SYS_futex_time64
#define SYS_futex_time64 422
#endif
#endif
/* The kernel has no such call, or a sandbox that does not know it forbids it: the older call will do. */
static inline bool wn_posix_unknown(int host) { return host == ENOSYS || host == EPERM; }

/* The WASI errno of a kernel errno; IO for one that WASI does not know. */
wn_err_t wn_posix_err(int host);

/* What a call answered: 0 or more is fine. */
static inline wn_err_t wn_posix_result(long r) { return WN_LIKELY(r >= 0) ? 0 : wn_posix_err(errno); }

static inline wn_err_t wn_posix_done(ssize_t r, uint64_t *done) {
  if (WN_UNLIKELY(r < 0)) return wn_posix_err(errno);
  *done = (uint64_t)r;
  return 0;
}

/* 64-bit times for the calls that take an absolute or relative time, whatever time_t is. */
typedef struct wn_posix_time {
  int64_t sec, nsec;
} wn_posix_time_t;

/* file.c */
/* What a call that opens answered. A number below 3 is moved up: where the host runs without a standard stream, the
 * guest's file must not become it. */
wn_err_t wn_posix_opened(long r, int *fd);
wn_err_t wn_posix_open(const wn_os_t *os, const char *host_path, uint32_t flags, int *fd);
wn_err_t wn_posix_openat(const wn_os_t *os, int dir, const char *name, uint32_t flags, uint32_t mode, int *fd);
wn_err_t wn_posix_openat2(const wn_os_t *os, int dir, const char *path, uint32_t flags, uint32_t mode, int *fd);
wn_err_t wn_posix_reopen(const wn_os_t *os, int fd, uint32_t flags, int *out);
wn_err_t wn_posix_dup(const wn_os_t *os, int fd, int *out);
wn_err_t wn_posix_close(const wn_os_t *os, int fd);
wn_err_t wn_posix_readv(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t *done);
wn_err_t wn_posix_writev(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t *done);
wn_err_t wn_posix_preadv(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t off, uint64_t *done);
wn_err_t wn_posix_pwritev(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t off, uint64_t *done);
wn_err_t wn_posix_lseek(const wn_os_t *os, int fd, int64_t off, uint32_t whence, uint64_t *pos);
wn_err_t wn_posix_ftruncate(const wn_os_t *os, int fd, uint64_t size);
wn_err_t wn_posix_fallocate(const wn_os_t *os, int fd, uint64_t off, uint64_t len);
wn_err_t wn_posix_fadvise(const wn_os_t *os, int fd, uint64_t off, uint64_t len, uint32_t advice);
wn_err_t wn_posix_fsync(const wn_os_t *os, int fd);
wn_err_t wn_posix_fdatasync(const wn_os_t *os, int fd);
wn_err_t wn_posix_set_append(const wn_os_t *os, int fd, bool on);
wn_err_t wn_posix_get_flags(const wn_os_t *os, int fd, uint32_t *flags);
/* pipe.c */
wn_err_t wn_posix_write_pipe(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t *done);
/* stat.c */
wn_err_t wn_posix_fstat(const wn_os_t *os, int fd, wn_stat_t *st);
wn_err_t wn_posix_fstatat(const wn_os_t *os, int dir, const char *name, wn_stat_t *st);
wn_err_t wn_posix_futimens(const wn_os_t *os, int fd, int64_t atim, int64_t mtim);
wn_err_t wn_posix_utimensat(const wn_os_t *os, int dir, const char *name, int64_t atim, int64_t mtim);
/* dir.c */
wn_err_t wn_posix_mkdirat(const wn_os_t *os, int dir, const char *name, uint32_t mode);
wn_err_t wn_posix_unlinkat(const wn_os_t *os, int dir, const char *name, bool directory);
wn_err_t wn_posix_renameat(const wn_os_t *os, int dir, const char *name, int to_dir, const char *to_name);
wn_err_t wn_posix_linkat(const wn_os_t *os, int dir, const char *name, int to_dir, const char *to_name);
wn_err_t wn_posix_symlinkat(const wn_os_t *os, const char *target, int dir, const char *name);
wn_err_t wn_posix_readlinkat(const wn_os_t *os, int dir, const char *name, char *buf, size_t len, size_t *done);
wn_err_t wn_posix_getdents(const wn_os_t *os, int fd, void *buf, size_t len, size_t *done);
/* sock.c */
wn_err_t wn_posix_accept(const wn_os_t *os, int fd, int *out);
wn_err_t wn_posix_recv(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint32_t flags, uint64_t *done,
                       bool *truncated);
wn_err_t wn_posix_send(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t *done);
wn_err_t wn_posix_shutdown(const wn_os_t *os, int fd, uint32_t how);
wn_err_t wn_posix_available(const wn_os_t *os, int fd, uint64_t *bytes);
wn_err_t wn_posix_socket_type(const wn_os_t *os, int fd, uint8_t *type);
/* net.c */
wn_err_t wn_posix_socket(const wn_os_t *os, uint8_t family, bool datagram, int *fd);
wn_err_t wn_posix_bind(const wn_os_t *os, int fd, const wn_addr_t *local);
wn_err_t wn_posix_connect(const wn_os_t *os, int fd, const wn_addr_t *peer);
wn_err_t wn_posix_listen(const wn_os_t *os, int fd, uint32_t backlog);
wn_err_t wn_posix_accept_from(const wn_os_t *os, int fd, int *out, wn_addr_t *peer);
wn_err_t wn_posix_address(const wn_os_t *os, int fd, bool peer, wn_addr_t *out);
wn_err_t wn_posix_option_get(const wn_os_t *os, int fd, uint32_t option, uint32_t *value);
wn_err_t wn_posix_option_set(const wn_os_t *os, int fd, uint32_t option, uint32_t value);
wn_err_t wn_posix_recv_from(const wn_os_t *os, int fd, void *buf, size_t len, wn_addr_t *from, uint64_t *done);
wn_err_t wn_posix_send_to(const wn_os_t *os, int fd, const void *buf, size_t len, const wn_addr_t *to,
                          uint64_t *done);
/* lookup.c */
wn_err_t wn_posix_lookup_start(const wn_os_t *os, const char *name, int *fd, wn_lookup_t **out);
wn_err_t wn_posix_lookup_get(const wn_os_t *os, const wn_lookup_t *lookup, const wn_addr_t **answers, uint32_t *n);
void wn_posix_lookup_drop(const wn_os_t *os, wn_lookup_t *lookup);
/* wait.c */
wn_err_t wn_posix_poll(const wn_os_t *os, wn_pollfd_t *fds, uint32_t n, uint64_t deadline, uint32_t *ready);
wn_err_t wn_posix_event_open(const wn_os_t *os, int *fd);
wn_err_t wn_posix_event_signal(const wn_os_t *os, int fd);
wn_err_t wn_posix_yield(const wn_os_t *os);
/* clock.c */
wn_err_t wn_posix_clock_get(const wn_os_t *os, uint32_t id, uint64_t *ns);
wn_err_t wn_posix_clock_res(const wn_os_t *os, uint32_t id, uint64_t *ns);
/* thread.c */
wn_err_t wn_posix_stack_get(const wn_os_t *os, uintptr_t *low, uintptr_t *high);
wn_err_t wn_posix_thread_start(const wn_os_t *os, void (*fn)(void *), void *arg, wn_thread_t **out);
void wn_posix_thread_join(const wn_os_t *os, wn_thread_t *thread);
void wn_posix_word_wait(const wn_os_t *os, const uint32_t *word, uint32_t expected, uint64_t deadline);
void wn_posix_word_wake(const wn_os_t *os, const uint32_t *word);

#endif
