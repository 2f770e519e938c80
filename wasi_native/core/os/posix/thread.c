/* thread.c - the ticker's thread, and a word of memory to sleep on. */
#include "core/os/posix/posix.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2u
#endif
#define STACK_SIZE 131072u
#define STACK_UNLIMITED (8u << 20) /* what of an unlimited one is counted on */
#define STACK_COUNTED (64u << 20)

struct wn_thread {
  pthread_t id;
  void (*fn)(void *);
  void *arg;
};

/* Close what getdents64 listed of our own descriptor directory, but for the directory itself. */
static bool close_listed(int self, const char *buf, size_t len) {
  bool closed = false;
  wn_os_dirent_t entry;
  for (size_t off = 0; wn_os_dirent_next(buf, len, off, &entry); off += entry.size) {
    if (entry.name[0] < '0' || entry.name[0] > '9') continue;
    int fd = (int)strtol(entry.name, NULL, 10);
    if (fd == self) continue;
    close(fd);
    closed = true;
  }
  return closed;
}

/* A thread that shares the process's table of descriptors makes every call on one of them slower, because the
 * kernel must then count references; and one with a copy keeps pipes and sockets open. So: a table of its own,
 * empty. Where the kernel has no close_range (before 5.9) or forbids it, the copy is emptied by hand; where that
 * cannot be done either, the table stays shared, which costs time and nothing else. */
static void leave_descriptors(void) {
  if (syscall(SYS_close_range, 0u, ~0u, CLOSE_RANGE_UNSHARE) == 0) return;
  int self = open("/proc/thread-self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (self < 0) return;
  if (unshare(CLONE_FILES) == 0) {
    char buf[2048];
    bool closed = true;
    while (closed) {
      closed = false;
      lseek(self, 0, SEEK_SET);
      long len;
      while ((len = syscall(SYS_getdents64, self, buf, sizeof buf)) > 0)
        closed |= close_listed(self, buf, (size_t)len);
    }
  }
  close(self);
}

static void *run(void *arg) {
  wn_thread_t *thread = arg;
  leave_descriptors();
  thread->fn(thread->arg);
  return NULL;
}

wn_err_t wn_posix_thread_start(const wn_os_t *os, void (*fn)(void *), void *arg, wn_thread_t **out) {
  wn_thread_t *thread = os->alloc(os, sizeof *thread);
  if (!thread) return WN_ENOMEM;
  thread->fn = fn;
  thread->arg = arg;
  pthread_attr_t attr;
  int r = pthread_attr_init(&attr);
  if (r == 0) {
    /* Refused where the C library needs more (static TLS): its own size is fine too. */
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    sigset_t all, before;
    sigfillset(&all);
    r = pthread_sigmask(SIG_SETMASK, &all, &before); /* inherited: no signal of the host ever runs on it */
    if (r == 0) {
      r = pthread_create(&thread->id, &attr, run, thread);
      if (r == EINVAL) r = pthread_create(&thread->id, NULL, run, thread);
      pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    pthread_attr_destroy(&attr);
  }
  if (r) {
    os->free(os, thread);
    return wn_posix_err(r);
  }
  *out = thread;
  return 0;
}

void wn_posix_thread_join(const wn_os_t *os, wn_thread_t *thread) {
  if (!thread) return;
  pthread_join(thread->id, NULL);
  os->free(os, thread);
}

void wn_posix_word_wait(const wn_os_t *os, const uint32_t *word, uint32_t expected, uint64_t deadline) {
  (void)os;
  /* FUTEX_WAIT_BITSET takes absolute monotonic time: nothing to compute, nothing to be early by. */
  const int op = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG;
#ifdef SYS_futex_time64
  const wn_posix_time_t wide = {(int64_t)(deadline / NS_PER_S), (int64_t)(deadline % NS_PER_S)};
  long r = syscall(SYS_futex_time64, word, op, expected, deadline == WN_WAIT_FOREVER ? NULL : &wide, NULL,
                   FUTEX_BITSET_MATCH_ANY);
  if (r == 0 || !wn_posix_unknown(errno)) return;
#endif
#ifdef SYS_futex
  /* The kernel's own timespec: two longs, also where libc's has 64-bit time. */
  const uint64_t sec = deadline / NS_PER_S;
  const long until[2] = {(long)(sec < LONG_MAX ? sec : LONG_MAX), (long)(deadline % NS_PER_S)};
  syscall(SYS_futex, word, op, expected, deadline == WN_WAIT_FOREVER ? NULL : until, NULL, FUTEX_BITSET_MATCH_ANY);
#endif
}

void wn_posix_word_wake(const wn_os_t *os, const uint32_t *word) {
  (void)os;
  const int op = FUTEX_WAKE | FUTEX_PRIVATE_FLAG;
#ifdef SYS_futex
  syscall(SYS_futex, word, op, INT_MAX, NULL, NULL, 0);
#else
  syscall(SYS_futex_time64, word, op, INT_MAX, NULL, NULL, 0);
#endif
}

/* The stack of the first thread grows until its limit; a C library that is asked measures what it is now, or reads a
 * file. The name of the program, which the kernel puts at its very end, says where it begins. The kernel maps nothing
 * else within 128 MiB of that, so who is in there is the first thread. */
static bool first_stack(uintptr_t *low, uintptr_t *high) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit)) return false;
  const uintptr_t top = getauxval(AT_EXECFN), here = (uintptr_t)__builtin_frame_address(0);
  uintptr_t size = limit.rlim_cur < STACK_COUNTED ? (uintptr_t)limit.rlim_cur : STACK_COUNTED;
  if (limit.rlim_cur == RLIM_INFINITY) size = STACK_UNLIMITED;
  if (here > top || here < top - size) return false;
  *high = top;
  *low = top - size;
  return true;
}

wn_err_t wn_posix_stack_get(const wn_os_t *os, uintptr_t *low, uintptr_t *high) {
  (void)os;
  if (first_stack(low, high)) return 0;
  pthread_attr_t attr;
  void *start = NULL;
  size_t size = 0, guard = 0;
  int r = pthread_getattr_np(pthread_self(), &attr);
  if (r) return wn_posix_err(r);
  pthread_attr_getstack(&attr, &start, &size);
  pthread_attr_getguardsize(&attr, &guard); /* inside it or below, as the library likes */
  pthread_attr_destroy(&attr);
  *low = (uintptr_t)start + guard;
  *high = (uintptr_t)start + size;
  return 0;
}
