/* stat.c - what a file is, and its times: 64 bits of nanoseconds whatever the kernel's time_t. */
#include "core/os/posix/call.h"

static int64_t to_ns(int64_t sec, int64_t nsec) {
  int64_t ns;
  if (__builtin_mul_overflow(sec, (int64_t)NS_PER_S, &ns)) {
    /* The lowest second may come back into range with its nanoseconds; a clamp is as good there. */
    return sec < 0 ? INT64_MIN : INT64_MAX;
  }
  if (__builtin_add_overflow(ns, nsec, &ns)) return INT64_MAX;
  return ns;
}

static uint8_t to_type(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return WN_TYPE_REGULAR;
    case S_IFDIR:
      return WN_TYPE_DIRECTORY;
    case S_IFLNK:
      return WN_TYPE_SYMLINK;
    case S_IFCHR:
      return WN_TYPE_CHARACTER;
    case S_IFBLK:
      return WN_TYPE_BLOCK;
    case S_IFIFO:
      return WN_TYPE_FIFO;
    case S_IFSOCK:
      return WN_TYPE_SOCKET_STREAM;
    default:
      return WN_TYPE_UNKNOWN;
  }
}

static wn_err_t convert(long r, const struct stat *from, wn_stat_t *st) {
  if (WN_UNLIKELY(r < 0)) return wn_posix_err((int)-r);
  st->dev = (uint64_t)from->st_dev;
  st->ino = (uint64_t)from->st_ino;
  st->nlink = (uint64_t)from->st_nlink;
  st->size = (uint64_t)from->st_size;
  st->atim = to_ns(from->st_atim.tv_sec, from->st_atim.tv_nsec);
  st->mtim = to_ns(from->st_mtim.tv_sec, from->st_mtim.tv_nsec);
  st->ctim = to_ns(from->st_ctim.tv_sec, from->st_ctim.tv_nsec);
  st->type = to_type(from->st_mode);
  return 0;
}

#ifdef SYS_statx
/* The kernel's statx, which has wide times everywhere; libc's, where there is one, may be another. */
typedef struct wide_time {
  int64_t sec;
  uint32_t nsec;
  int32_t pad;
} wide_time_t;
typedef struct wide {
  uint32_t mask, blksize;
  uint64_t attributes;
  uint32_t nlink, uid, gid;
  uint16_t mode, pad;
  uint64_t ino, size, blocks, attributes_mask;
  wide_time_t atime, btime, ctime, mtime;
  uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
  uint64_t spare[14];
} wide_t;
_Static_assert(sizeof(wide_t) == 256, "the kernel's struct statx");
#define STATX_BASIC 0x7ffu
#define EMPTY_PATH 0x1000
#define NO_FOLLOW 0x100

/* The number that stat has. makedev is a function of glibc alone where it is not inlined. */
static uint64_t to_device(uint64_t major, uint64_t minor) {
  return (major & ~0xfffull) << 32 | (major & 0xfff) << 8 | (minor & ~0xffull) << 12 | (minor & 0xff);
}

static wn_err_t stat_wide(int dir, const char *name, int flags, wn_stat_t *st) {
  wide_t w;
  if (syscall(SYS_statx, dir, name, flags, STATX_BASIC, &w) < 0) return wn_posix_err(errno);
  st->dev = to_device(w.dev_major, w.dev_minor);
  st->ino = w.ino;
  st->nlink = w.nlink;
  st->size = w.size;
  st->atim = to_ns(w.atime.sec, w.atime.nsec);
  st->mtim = to_ns(w.mtime.sec, w.mtime.nsec);
  st->ctim = to_ns(w.ctime.sec, w.ctime.nsec);
  st->type = to_type(w.mode);
  return 0;
}
#else
#define EMPTY_PATH 0
#define NO_FOLLOW 0
static wn_err_t stat_wide(int dir, const char *name, int flags, wn_stat_t *st) {
  (void)dir, (void)name, (void)flags, (void)st;
  return WN_ENOSYS;
}
#endif

/* Where time_t is narrow, kernels without statx (before 4.11) give narrow times. */
static bool unknown(wn_err_t err) { return err == WN_ENOSYS || err == WN_EPERM; }

wn_err_t wn_posix_fstat(const wn_os_t *os, int fd, wn_stat_t *st) {
  (void)os;
  struct stat s;
  if (WN_NARROW_TIME) {
    wn_err_t err = stat_wide(fd, "", EMPTY_PATH, st);
    if (!unknown(err)) return err;
  }
  return convert(kernel_fstat(fd, &s), &s, st);
}

wn_err_t wn_posix_fstatat(const wn_os_t *os, int dir, const char *name, wn_stat_t *st) {
  (void)os;
  struct stat s;
  if (WN_NARROW_TIME) {
    wn_err_t err = stat_wide(dir, name, NO_FOLLOW, st);
    if (!unknown(err)) return err;
  }
  return convert(kernel_fstatat(dir, name, &s), &s, st);
}

static wn_posix_time_t to_time(int64_t ns) {
  if (ns == WN_TIME_KEEP) return (wn_posix_time_t){0, UTIME_OMIT};
  if (ns == WN_TIME_NOW) return (wn_posix_time_t){0, UTIME_NOW};
  wn_posix_time_t t = {ns / NS_PER_S, ns % NS_PER_S};
  if (t.nsec < 0) {
    t.sec -= 1;
    t.nsec += NS_PER_S;
  }
  return t;
}

/* name NULL: of the descriptor dir itself. */
static wn_err_t set_times(int dir, const char *name, int64_t atim, int64_t mtim) {
  const wn_posix_time_t wide[2] = {to_time(atim), to_time(mtim)};
  int flags = name ? AT_SYMLINK_NOFOLLOW : 0;
#ifdef SYS_utimensat_time64
  long r = syscall(SYS_utimensat_time64, dir, name, wide, flags);
  if (r == 0 || !wn_posix_unknown(errno)) return wn_posix_result(r);
#endif
  struct timespec times[2];
  for (int i = 0; i < 2; i++) {
    times[i].tv_sec = (time_t)wide[i].sec;
    times[i].tv_nsec = (long)wide[i].nsec;
    if (times[i].tv_sec != wide[i].sec) return WN_EOVERFLOW;
  }
  return wn_posix_result(name ? utimensat(dir, name, times, flags) : futimens(dir, times));
}

wn_err_t wn_posix_futimens(const wn_os_t *os, int fd, int64_t atim, int64_t mtim) {
  (void)os;
  return set_times(fd, NULL, atim, mtim);
}

wn_err_t wn_posix_utimensat(const wn_os_t *os, int dir, const char *name, int64_t atim, int64_t mtim) {
  (void)os;
  return set_times(dir, name, atim, mtim);
}
