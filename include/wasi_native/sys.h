/* sys.h - the world of one guest: its descriptors, preopens, clocks, random numbers, limits and its end.
 *
 * A wn_sys_t is built by the embedder, given to one instance, and deleted after it. It knows no version of
 * WASI and no guest memory. Nothing is granted until a function here grants it.
 *
 * Functions take host paths and host descriptors from the embedder only; a path from the guest is resolved
 * in core/sys/path.c and nowhere else. A host descriptor handed in is duplicated or reopened, never changed:
 * the caller keeps and closes its own.
 */
#ifndef WASI_NATIVE_SYS_H
#define WASI_NATIVE_SYS_H

#include "base.h"
#include "limits.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wn_sys wn_sys_t;
typedef struct wn_os wn_os_t;

/* How guest paths are resolved. Both give identical results. */
enum {
  WN_RESOLVER_AUTO = 0, /* openat2 where the kernel has it, else the walk */
  WN_RESOLVER_OPENAT2 = 1,
  WN_RESOLVER_WALK = 2 /* component by component over a stack of directory descriptors */
};

typedef struct wn_sys_config {
  wn_limits_t limits;
  const wn_os_t *os;  /* the kernel's door; NULL: wn_os_posix() */
  uint32_t resolver;  /* WN_RESOLVER_* */
  uint32_t file_mode; /* mode of new files, & 0666; 0 means 0644. Never execute, set-uid or set-gid bits. */
  uint32_t dir_mode;  /* mode of new directories, & 0777; 0 means 0755 */
} wn_sys_config_t;

/* The real kernel. Any thread. */
WN_API const wn_os_t *wn_os_posix(void);

/* New and empty: no descriptors, arguments or environment. NOMEM, MFILE (no eventfd). */
WN_API wn_err_t wn_sys_new(const wn_sys_config_t *config, wn_sys_t **out);

/* Closes every descriptor of the guest and frees all. NULL is fine. */
WN_API void wn_sys_delete(wn_sys_t *sys);

/* Replace the arguments or the environment ("NAME=value"); strings are copied. INVAL: a NUL inside. NOMEM. */
WN_API wn_err_t wn_sys_set_args(wn_sys_t *sys, const wn_str_t *args, size_t count);
WN_API wn_err_t wn_sys_set_env(wn_sys_t *sys, const wn_str_t *vars, size_t count);

/* ---- preopens: each takes the lowest free guest descriptor from 3 up and reports it ---- */

enum {
  WN_GRANT_READ_ONLY = 1, /* no write, create, delete, rename, link, truncate, set-times */
  WN_GRANT_DEVICE = 2     /* wn_sys_mount_file: a character device may be granted */
};

typedef struct wn_grant {
  uint32_t flags;         /* WN_GRANT_* */
  uint64_t quota_bytes;   /* growth of files through this grant; DQUOT above it; 0: none */
  uint64_t quota_inodes;  /* new files, directories, links through this grant; DQUOT above it; 0: none */
  uint64_t max_file_size; /* FBIG above it; 0: none */
} wn_grant_t;

/* A directory of the host. NOENT, NOTDIR, ACCES ... as open(2) says; MFILE. */
WN_API wn_err_t wn_sys_preopen_dir(wn_sys_t *sys, const char *host, wn_str_t guest, const wn_grant_t *grant,
                                   uint32_t *fd);

/* A directory in memory, empty, gone with the guest. quota_bytes and quota_inodes of grant are its caps;
 * 0 there means 1 MiB and 1000. */
WN_API wn_err_t wn_sys_preopen_memory(wn_sys_t *sys, wn_str_t guest, const wn_grant_t *grant, uint32_t *fd);

/* One file of the host as `name` in a directory made by wn_sys_preopen_memory(): to the guest a file like
 * another, in a directory that holds just what was granted. It can be neither removed nor renamed. Opened
 * read-only where READ_ONLY is set. INVAL: neither a regular file nor a character device granted with DEVICE,
 * or dir_fd is not a directory in memory; EXIST; NOENT, ACCES ... as open(2) says. */
WN_API wn_err_t wn_sys_mount_file(wn_sys_t *sys, uint32_t dir_fd, wn_str_t name, const char *host,
                                  const wn_grant_t *grant);

/* A socket of the host: a listener (accept only) or a connected stream (recv, send, shutdown, read, write).
 * The descriptor is duplicated; its O_NONBLOCK flag stays as it is. Who may come to a listener of tcp is what rules
 * of net.h for its address say (LISTEN, ACCEPT), without any: everybody. NOTSOCK. */
WN_API wn_err_t wn_sys_preopen_socket(wn_sys_t *sys, int host_fd, bool listener, uint32_t *fd);

/* ---- standard streams: guest_fd is 0, 1 or 2 and is replaced ---- */

/* Reads give end of file, writes are swallowed. */
WN_API wn_err_t wn_sys_stdio_null(wn_sys_t *sys, uint32_t guest_fd);

/* A descriptor of the host: pipes, ttys and character devices are opened anew on a private description,
 * sockets are used with MSG_DONTWAIT, files share their offset. */
WN_API wn_err_t wn_sys_stdio_fd(wn_sys_t *sys, uint32_t guest_fd, int host_fd);

/* stdin: these bytes, copied, then end of file. */
WN_API wn_err_t wn_sys_stdio_bytes(wn_sys_t *sys, uint32_t guest_fd, wn_str_t bytes);

/* stdout, stderr: kept in memory up to limit bytes, then NOSPC. wn_sys_stdio_captured() borrows what there
 * is until the next call of the guest. */
WN_API wn_err_t wn_sys_stdio_capture(wn_sys_t *sys, uint32_t guest_fd, uint64_t limit);
WN_API wn_err_t wn_sys_stdio_captured(wn_sys_t *sys, uint32_t guest_fd, wn_str_t *out);

/* Callbacks of the embedder. read fills at most len bytes and reports how many (0: end of file); write takes
 * all of them. Return 0, an errno for the guest, or WN_HOST to end the guest. `closed` is called once. None of
 * them may call the guest. */
typedef struct wn_stream_ops {
  wn_err_t (*read)(void *ctx, void *buf, size_t len, size_t *done);
  wn_err_t (*write)(void *ctx, const void *buf, size_t len);
  void (*closed)(void *ctx);
} wn_stream_ops_t;
WN_API wn_err_t wn_sys_stdio_stream(wn_sys_t *sys, uint32_t guest_fd, const wn_stream_ops_t *ops, void *ctx);

/* Report EAGAIN to a guest that set O_NONBLOCK on a stream or preset it here for 0, 1 and 2. */
WN_API void wn_sys_stdio_nonblocking(wn_sys_t *sys, bool on);

/* ---- clocks and random numbers ---- */

enum { WN_CLOCK_REALTIME = 0, WN_CLOCK_MONOTONIC = 1, WN_CLOCK_PROCESS_CPU = 2, WN_CLOCK_THREAD_CPU = 3 };
enum {
  WN_CLOCK_SYSTEM = 0, /* the kernel's, through the vDSO */
  WN_CLOCK_OFFSET = 1, /* the kernel's plus value (ns, signed) */
  WN_CLOCK_FIXED = 2   /* value, then value + step, value + 2 step ... at each reading; sleeps return at once */
};
/* INVAL: another id or mode. */
WN_API wn_err_t wn_sys_set_clock(wn_sys_t *sys, uint32_t id, uint32_t mode, int64_t value_ns, uint64_t step_ns);

/* Replace the kernel's random numbers by a repeatable sequence; not for secrets. */
WN_API void wn_sys_set_seed(wn_sys_t *sys, uint64_t seed);

/* ---- deadline, cancel, end ---- */

/* Absolute time on the monotonic clock in ns, after which every call of the guest ends with WN_TIMEOUT;
 * 0: none. Sleeps of the guest are cut at it. */
WN_API void wn_sys_set_deadline(wn_sys_t *sys, uint64_t monotonic_ns);

/* End the guest with WN_CANCELLED: wakes it when it blocks. Sticky, idempotent. Any thread; safe in a signal
 * handler. A guest that computes is stopped by wn_instance_cancel(), which calls this. */
WN_API void wn_sys_cancel(wn_sys_t *sys);

/* Called on the guest's thread when a signal interrupted a wait, at the engine's own ticks, and while the guest
 * waits every 50 ms: return 0 to go on, < 0 to end the guest. It may not call the guest. */
typedef wn_err_t (*wn_interrupt_fn_t)(void *ctx);
WN_API void wn_sys_set_interrupt(wn_sys_t *sys, wn_interrupt_fn_t fn, void *ctx);

/* ---- what it used ---- */
typedef struct wn_usage {
  uint64_t output_bytes; /* to stdout and stderr */
  uint64_t cpu_ns;       /* of the guest's thread, in calls */
  uint32_t fds;          /* open now */
  uint32_t resolver;     /* WN_RESOLVER_OPENAT2 or WN_RESOLVER_WALK: the one in use */
} wn_usage_t;
WN_API void wn_sys_get_usage(const wn_sys_t *sys, wn_usage_t *usage);

/* ---- the kernel that fails on demand, for tests ---- */

/* A copy of the real kernel's table that counts calls and injects errors. wn_os_fake_delete() frees it. */
WN_API wn_err_t wn_os_fake_new(const wn_os_t **out);
WN_API void wn_os_fake_delete(const wn_os_t *os);

/* From the nth call (1 = next) of `call` ("openat2", "writev", "alloc" ...; "*" for any) on, `times` calls
 * (0: for ever) answer the WASI errno `err`; err 0 with short_bytes > 0 caps reads and writes to that many
 * bytes. INVAL: no such call. */
WN_API wn_err_t wn_os_fake_inject(const wn_os_t *os, const char *call, uint64_t nth, uint64_t times, wn_err_t err,
                                  uint64_t short_bytes);
WN_API void wn_os_fake_clear(const wn_os_t *os);

/* How often `call` ("*": all of them) was made since the last clear. */
WN_API uint64_t wn_os_fake_count(const wn_os_t *os, const char *call);

#ifdef __cplusplus
}
#endif
#endif
