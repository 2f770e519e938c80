/* os.h - the kernel's door. One table of calls; everything that the core asks of a kernel is one of them.
 *
 * The only room with system headers is os/posix. The rest of the core sees the constants and types below.
 * Every call answers a wn_err_t: 0, or the WASI errno that errno.def gives for the kernel's. No call retries,
 * waits or allocates by itself, no call keeps state. `os` is always the first argument, so that the table of
 * os/fake can count and fail.
 *
 * Names handed to the *at() calls are one component: they hold no '/'. Only openat2 takes a path.
 */
#ifndef WN_CORE_OS_H
#define WN_CORE_OS_H

#include "wasi_native/base.h"
#include "wasi_native/net.h"
#include "wasi_native/sys.h"

/* Flags of open, openat2, reopen. */
enum {
  WN_O_READ = 1u << 0,
  WN_O_WRITE = 1u << 1,
  WN_O_CREAT = 1u << 2,
  WN_O_EXCL = 1u << 3,
  WN_O_TRUNC = 1u << 4,
  WN_O_DIRECTORY = 1u << 5,
  WN_O_NOFOLLOW = 1u << 6,
  WN_O_PATH = 1u << 7,
  WN_O_APPEND = 1u << 8,
  WN_O_DSYNC = 1u << 9,
  WN_O_SYNC = 1u << 10,
  WN_O_NONBLOCK = 1u << 11 /* CLOEXEC, NOCTTY and LARGEFILE are always set */
};

/* File types, with the numbers of WASI 0.1. */
enum {
  WN_TYPE_UNKNOWN = 0,
  WN_TYPE_BLOCK = 1,
  WN_TYPE_CHARACTER = 2,
  WN_TYPE_DIRECTORY = 3,
  WN_TYPE_REGULAR = 4,
  WN_TYPE_SOCKET_DGRAM = 5,
  WN_TYPE_SOCKET_STREAM = 6,
  WN_TYPE_SYMLINK = 7,
  WN_TYPE_FIFO = 8 /* ours; the guest sees UNKNOWN for it */
};

typedef struct wn_stat {
  uint64_t dev, ino, nlink, size;
  int64_t atim, mtim, ctim; /* ns since 1970, clamped to int64 */
  uint8_t type;
} wn_stat_t;

/* Times to set: WN_TIME_KEEP, WN_TIME_NOW or ns since 1970. */
#define WN_TIME_KEEP INT64_MIN
#define WN_TIME_NOW (INT64_MIN + 1)

enum { WN_POLL_IN = 1, WN_POLL_OUT = 2, WN_POLL_HUP = 4, WN_POLL_ERR = 8, WN_POLL_NVAL = 16 };
typedef struct wn_pollfd {
  int fd;
  uint16_t events, revents; /* WN_POLL_* */
} wn_pollfd_t;

/* One directory entry as the kernel packs them: parsed by wn_os_dirent_next of os/posix. */
typedef struct wn_os_dirent {
  uint64_t ino;
  uint64_t next_off; /* where the kernel goes on after this entry */
  const char *name;  /* borrowed from the buffer, terminated */
  uint32_t name_len;
  uint32_t size; /* bytes that this entry takes in the buffer */
  uint8_t type;  /* WN_TYPE_*, UNKNOWN when the file system does not say */
} wn_os_dirent_t;

enum { WN_SEEK_SET = 0, WN_SEEK_CUR = 1, WN_SEEK_END = 2 };
enum { WN_SHUT_READ = 1, WN_SHUT_WRITE = 2 };
enum { WN_MSG_PEEK = 1, WN_MSG_WAITALL = 2 };
enum { WN_KIND_FILE, WN_KIND_SOCKET }; /* how reopen and blocking behave */

#define WN_WAIT_FOREVER UINT64_MAX

/* An address of the internet. */
typedef struct wn_addr {
  uint8_t ip[16];       /* in the order of the wire; IPv4: the first 4, the others 0 */
  uint32_t flow, scope; /* IPv6 */
  uint16_t port;
  uint8_t family; /* WN_IPV4 or WN_IPV6 */
} wn_addr_t;

/* Options of a socket, and what their numbers count. The kernel's own answers, but for the buffers: half of what it
 * says, since it doubles what it is told. */
enum {
  WN_SO_ERROR,     /* get alone: the host errno of a connect as a WASI errno, 0: none */
  WN_SO_KEEPALIVE, /* 0, 1 */
  WN_SO_KEEPIDLE,  /* s */
  WN_SO_KEEPINTVL, /* s */
  WN_SO_KEEPCNT,
  WN_SO_HOPS4,
  WN_SO_HOPS6,
  WN_SO_RCVBUF, /* bytes */
  WN_SO_SNDBUF,
  WN_SO_REUSEADDR, /* 0, 1 */
  WN_SO_COUNT
};

#define WN_LOOKUP_ANSWERS 16u         /* addresses that are kept of one lookup */
typedef struct wn_lookup wn_lookup_t; /* opaque, ours to give back by lookup_drop */

typedef struct wn_thread wn_thread_t; /* opaque, ours to delete by join */

struct wn_os {
  /* files */
  wn_err_t (*open)(const wn_os_t *os, const char *host_path, uint32_t flags, int *fd); /* embedder's paths only */
  wn_err_t (*openat)(const wn_os_t *os, int dir, const char *name, uint32_t flags, uint32_t mode, int *fd);
  /* Beneath dir, no magic links. NOSYS: no such call here. AGAIN: try again. XDEV: would leave dir. */
  wn_err_t (*openat2)(const wn_os_t *os, int dir, const char *path, uint32_t flags, uint32_t mode, int *fd);
  /* A new private description of what fd refers to, through the kernel's descriptor file system. */
  wn_err_t (*reopen)(const wn_os_t *os, int fd, uint32_t flags, int *out);
  wn_err_t (*dup)(const wn_os_t *os, int fd, int *out);
  wn_err_t (*close)(const wn_os_t *os, int fd); /* never retried, the descriptor is gone whatever it answers */
  wn_err_t (*readv)(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t *done);
  wn_err_t (*writev)(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t *done);
  /* writev to a pipe or FIFO: PIPE when nobody reads, and the thread gets no SIGPIPE for it. */
  wn_err_t (*write_pipe)(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t *done);
  wn_err_t (*preadv)(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t off, uint64_t *done);
  wn_err_t (*pwritev)(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t off, uint64_t *done);
  wn_err_t (*lseek)(const wn_os_t *os, int fd, int64_t off, uint32_t whence, uint64_t *pos);
  wn_err_t (*fstat)(const wn_os_t *os, int fd, wn_stat_t *st);
  wn_err_t (*fstatat)(const wn_os_t *os, int dir, const char *name, wn_stat_t *st); /* never follows */
  wn_err_t (*ftruncate)(const wn_os_t *os, int fd, uint64_t size);
  wn_err_t (*fallocate)(const wn_os_t *os, int fd, uint64_t off, uint64_t len);
  wn_err_t (*fadvise)(const wn_os_t *os, int fd, uint64_t off, uint64_t len, uint32_t advice); /* WASI numbers */
  wn_err_t (*fsync)(const wn_os_t *os, int fd);
  wn_err_t (*fdatasync)(const wn_os_t *os, int fd);
  wn_err_t (*futimens)(const wn_os_t *os, int fd, int64_t atim, int64_t mtim);
  wn_err_t (*utimensat)(const wn_os_t *os, int dir, const char *name, int64_t atim, int64_t mtim); /* never follows */
  wn_err_t (*set_append)(const wn_os_t *os, int fd, bool on);        /* F_SETFL on a private description */
  wn_err_t (*get_flags)(const wn_os_t *os, int fd, uint32_t *flags); /* WN_O_READ, _WRITE, _APPEND of an open one */
  wn_err_t (*mkdirat)(const wn_os_t *os, int dir, const char *name, uint32_t mode);
  wn_err_t (*unlinkat)(const wn_os_t *os, int dir, const char *name, bool directory);
  wn_err_t (*renameat)(const wn_os_t *os, int dir, const char *name, int to_dir, const char *to_name);
  wn_err_t (*linkat)(const wn_os_t *os, int dir, const char *name, int to_dir, const char *to_name); /* no follow */
  wn_err_t (*symlinkat)(const wn_os_t *os, const char *target, int dir, const char *name);
  wn_err_t (*readlinkat)(const wn_os_t *os, int dir, const char *name, char *buf, size_t len, size_t *done);
  wn_err_t (*getdents)(const wn_os_t *os, int fd, void *buf, size_t len, size_t *done);
  /* sockets: no call blocks, AGAIN instead; no call raises SIGPIPE */
  wn_err_t (*accept)(const wn_os_t *os, int fd, int *out); /* the new one is non-blocking */
  wn_err_t (*recv)(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint32_t flags, uint64_t *done,
                   bool *truncated);
  wn_err_t (*send)(const wn_os_t *os, int fd, const wn_iov_t *iov, uint32_t n, uint64_t *done);
  wn_err_t (*shutdown)(const wn_os_t *os, int fd, uint32_t how);
  wn_err_t (*available)(const wn_os_t *os, int fd, uint64_t *bytes); /* FIONREAD */
  wn_err_t (*socket_type)(const wn_os_t *os, int fd, uint8_t *type); /* WN_TYPE_SOCKET_*; NOTSOCK */
  /* sockets of the guest's own: non-blocking, of one family alone. family: WN_IPV4, WN_IPV6 */
  wn_err_t (*socket)(const wn_os_t *os, uint8_t family, bool datagram, int *fd);
  wn_err_t (*bind)(const wn_os_t *os, int fd, const wn_addr_t *local);
  wn_err_t (*connect)(const wn_os_t *os, int fd, const wn_addr_t *peer); /* INPROGRESS; NULL: no peer any more */
  wn_err_t (*listen)(const wn_os_t *os, int fd, uint32_t backlog);
  wn_err_t (*accept_from)(const wn_os_t *os, int fd, int *out, wn_addr_t *peer);
  wn_err_t (*address)(const wn_os_t *os, int fd, bool peer, wn_addr_t *out); /* NOTCONN */
  wn_err_t (*option_get)(const wn_os_t *os, int fd, uint32_t option, uint32_t *value);
  wn_err_t (*option_set)(const wn_os_t *os, int fd, uint32_t option, uint32_t value);
  wn_err_t (*recv_from)(const wn_os_t *os, int fd, void *buf, size_t len, wn_addr_t *from, uint64_t *done);
  wn_err_t (*send_to)(const wn_os_t *os, int fd, const void *buf, size_t len, const wn_addr_t *to, uint64_t *done);
  /* The addresses of a name, asked for by a thread of its own; fd can be read when they are there, and belongs to the
   * lookup. */
  wn_err_t (*lookup_start)(const wn_os_t *os, const char *name, int *fd, wn_lookup_t **out);
  /* Borrowed until lookup_drop. AGAIN: not there yet. NOENT: there are none; BUSY: ask again later; NOTRECOVERABLE.
   */
  wn_err_t (*lookup_get)(const wn_os_t *os, const wn_lookup_t *lookup, const wn_addr_t **answers, uint32_t *n);
  void (*lookup_drop)(const wn_os_t *os, wn_lookup_t *lookup); /* never waits: a thread that is late ends by itself */
  /* waiting. deadline: absolute, monotonic, ns, or WN_WAIT_FOREVER; 0 looks once. INTR when a signal came. */
  wn_err_t (*poll)(const wn_os_t *os, wn_pollfd_t *fds, uint32_t n, uint64_t deadline, uint32_t *ready);
  wn_err_t (*event_open)(const wn_os_t *os, int *fd);  /* an eventfd */
  wn_err_t (*event_signal)(const wn_os_t *os, int fd); /* any thread, safe in a signal handler */
  wn_err_t (*yield)(const wn_os_t *os);
  /* clocks: WN_CLOCK_* */
  wn_err_t (*clock_get)(const wn_os_t *os, uint32_t id, uint64_t *ns);
  wn_err_t (*clock_res)(const wn_os_t *os, uint32_t id, uint64_t *ns);
  /* random and memory */
  wn_err_t (*getrandom)(const wn_os_t *os, void *buf, size_t len, size_t *done); /* AGAIN: too early after boot */
  void *(*page_alloc)(const wn_os_t *os, size_t len); /* zeroed, and zeroed again in a forked child; NULL */
  void (*page_free)(const wn_os_t *os, void *page, size_t len);
  void *(*alloc)(const wn_os_t *os, size_t len);             /* zeroed; NULL when there is none */
  void *(*resize)(const wn_os_t *os, void *ptr, size_t len); /* as realloc */
  void (*free)(const wn_os_t *os, void *ptr);
  /* Whole pages, zeroed, from old_len to new_len bytes; they may move. old_len 0: new ones; new_len 0: gone. NULL:
   * refused, and what there was stays. */
  void *(*pages_resize)(const wn_os_t *os, void *pages, size_t old_len, size_t new_len);
  /* Where the stack of the calling thread may reach, lowest and highest address. */
  wn_err_t (*stack_get)(const wn_os_t *os, uintptr_t *low, uintptr_t *high);
  /* one thread that keeps no descriptor open: the ticker of the engines */
  wn_err_t (*thread_start)(const wn_os_t *os, void (*fn)(void *), void *arg, wn_thread_t **out);
  void (*thread_join)(const wn_os_t *os, wn_thread_t *thread);
  /* Sleep until *word != expected or the deadline; spurious returns are fine. */
  void (*word_wait)(const wn_os_t *os, const uint32_t *word, uint32_t expected, uint64_t deadline);
  void (*word_wake)(const wn_os_t *os, const uint32_t *word);
};

/* The next entry of a buffer that getdents filled; false at its end. Pure. */
bool wn_os_dirent_next(const void *buf, size_t len, size_t off, wn_os_dirent_t *out);

/* A shared library of an engine: the loader's search when the path holds no '/'. NULL with *why, a static or
 * loader-owned text. */
void *wn_os_library_open(const char *path, const char **why);
void *wn_os_library_symbol(void *library, const char *name);
void wn_os_library_close(void *library);

#endif
