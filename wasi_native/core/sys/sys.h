/* sys.h - the operations that handlers ask for, one header for all of sys/: the noun is the file.
 *
 * Each function here takes guest descriptors by number, checks the right it needs, and does the work. Paths and
 * names are already copied out of guest memory (wn_mem_string); buffers point into it.
 */
#ifndef WN_CORE_SYS_H
#define WN_CORE_SYS_H

#include "core/sys/state.h"

/* env.c. Kind of strings: &sys->args, &sys->env. */
wn_err_t wn_env_set(wn_sys_t *sys, wn_strings_t *strings, const wn_str_t *items, size_t count);
void wn_env_clear(wn_sys_t *sys, wn_strings_t *strings);

/* clock.c. id: WN_CLOCK_*; INVAL for another. */
wn_err_t wn_clock_time(wn_sys_t *sys, uint32_t id, uint64_t *ns);
/* The same, but a fixed clock does not move on. */
wn_err_t wn_clock_look(wn_sys_t *sys, uint32_t id, uint64_t *ns);
wn_err_t wn_clock_resolution(wn_sys_t *sys, uint32_t id, uint64_t *ns);
/* When a sleep on clock `id` until/for `timeout` ends, as absolute monotonic ns of the kernel; CPU clocks too
 * (*cpu then says that the caller must look at the clock again). WN_WAIT_FOREVER where it never does. */
wn_err_t wn_clock_deadline(wn_sys_t *sys, uint32_t id, uint64_t timeout, bool absolute, uint64_t *until, bool *cpu);
/* Move a fixed clock on by a sleep that returned at once. */
void wn_clock_slept(wn_sys_t *sys, uint32_t id, uint64_t timeout, bool absolute);

/* random.c. Interruptible: looks at deadline and cancel every 64 KiB. */
wn_err_t wn_random_init(wn_sys_t *sys);
void wn_random_deinit(wn_sys_t *sys);
wn_err_t wn_random_fill(wn_sys_t *sys, void *buf, size_t len);
/* From the kernel, also where the guest's own numbers are a repeatable sequence, of which it takes none. */
wn_err_t wn_random_secret(wn_sys_t *sys, void *buf, size_t len);

/* hash.c */
void wn_hash_bytes(const uint64_t key[2], const void *bytes, size_t len, uint64_t out[2]);
/* What a file is now, as a number that tells nothing else; the key is the guest's own. */
wn_err_t wn_hash_stat(wn_sys_t *sys, const wn_stat_t *st, uint64_t out[2]);

/* file.c: what every descriptor has. Buffers: as wn_mem_iovs() leaves them, n may be 0. */
wn_err_t wn_file_readv(wn_sys_t *sys, uint32_t fd, const wn_iov_t *iov, uint32_t n, uint64_t *done);
wn_err_t wn_file_writev(wn_sys_t *sys, uint32_t fd, const wn_iov_t *iov, uint32_t n, uint64_t *done);
wn_err_t wn_file_preadv(wn_sys_t *sys, uint32_t fd, const wn_iov_t *iov, uint32_t n, uint64_t off, uint64_t *done);
wn_err_t wn_file_pwritev(wn_sys_t *sys, uint32_t fd, const wn_iov_t *iov, uint32_t n, uint64_t off, uint64_t *done);
wn_err_t wn_file_seek(wn_sys_t *sys, uint32_t fd, int64_t off, uint32_t whence, uint64_t *pos); /* WN_SEEK_* */
wn_err_t wn_file_tell(wn_sys_t *sys, uint32_t fd, uint64_t *pos);
wn_err_t wn_file_stat(wn_sys_t *sys, uint32_t fd, wn_stat_t *st);
wn_err_t wn_file_set_size(wn_sys_t *sys, uint32_t fd, uint64_t size);
wn_err_t wn_file_set_times(wn_sys_t *sys, uint32_t fd, int64_t atim, int64_t mtim);
wn_err_t wn_file_allocate(wn_sys_t *sys, uint32_t fd, uint64_t off, uint64_t len);
wn_err_t wn_file_advise(wn_sys_t *sys, uint32_t fd, uint64_t off, uint64_t len, uint32_t advice);
wn_err_t wn_file_sync(wn_sys_t *sys, uint32_t fd, bool data_only);
wn_err_t wn_file_set_flags(wn_sys_t *sys, uint32_t fd, uint16_t fdflags);
/* A slot of its own for writing to the end of a file, with those rights of fd that are in `rights`. BADF, NOTCAPABLE,
 * ISDIR, MFILE, and what opening it anew answers. */
wn_err_t wn_file_append(wn_sys_t *sys, uint32_t fd, uint64_t rights, uint32_t *out);
/* The object of a host descriptor that path.c has opened; takes fd in every case, and a reference of its own to
 * share. An obj->type other than UNKNOWN is believed, else fstat says. Anything but a regular file must have been
 * opened with WN_O_NONBLOCK. INVAL: a directory. */
wn_err_t wn_file_adopt(wn_sys_t *sys, wn_obj_t *obj, int fd, bool writable, uint16_t fdflags, wn_share_t *share);

/* Whether the guest holds this file of the host open, by another object than `except`: then its bytes are still used
 * after its last name has gone. */
bool wn_file_held(wn_sys_t *sys, const wn_stat_t *st, const wn_obj_t *except);

/* dir.c. wn_dir_adopt takes fd in every case, and a reference of its own to share. */
wn_err_t wn_dir_adopt(wn_sys_t *sys, wn_obj_t *obj, int fd, wn_share_t *share);
/* The entry at cookie (0: the first), or *end. NOTDIR, INVAL for a cookie that cannot be. */
wn_err_t wn_dir_read(wn_sys_t *sys, uint32_t fd, uint64_t cookie, wn_dirent_t *out, bool *end);

/* path.c. `dir` is a guest descriptor, `path` terminated and checked by wn_mem_string(). follow: the last name
 * too. Every function resolves beneath dir and nowhere else: PERM for what would leave it. */
typedef struct wn_open {
  bool follow;
  bool create, directory, exclusive, truncate; /* oflags */
  uint16_t fdflags;                            /* WN_FD_* */
  uint64_t rights, inheriting;                 /* asked for */
} wn_open_t;
wn_err_t wn_path_open(wn_sys_t *sys, uint32_t dir, const char *path, const wn_open_t *how, uint32_t *fd);
wn_err_t wn_path_stat(wn_sys_t *sys, uint32_t dir, const char *path, bool follow, wn_stat_t *st);
wn_err_t wn_path_set_times(wn_sys_t *sys, uint32_t dir, const char *path, bool follow, int64_t atim, int64_t mtim);
wn_err_t wn_path_create_directory(wn_sys_t *sys, uint32_t dir, const char *path);
wn_err_t wn_path_remove_directory(wn_sys_t *sys, uint32_t dir, const char *path);
wn_err_t wn_path_unlink_file(wn_sys_t *sys, uint32_t dir, const char *path);
wn_err_t wn_path_link(wn_sys_t *sys, uint32_t dir, const char *path, uint32_t to_dir, const char *to_path);
wn_err_t wn_path_rename(wn_sys_t *sys, uint32_t dir, const char *path, uint32_t to_dir, const char *to_path);
wn_err_t wn_path_symlink(wn_sys_t *sys, const char *target, uint32_t dir, const char *path);
wn_err_t wn_path_readlink(wn_sys_t *sys, uint32_t dir, const char *path, char *buf, size_t len, size_t *done);

/* memory.c: a file system in memory; see memory.h for its nodes. */

/* sock.c. flags: WN_MSG_*; how: WN_SHUT_*. */
wn_err_t wn_sock_accept(wn_sys_t *sys, uint32_t fd, uint16_t fdflags, uint32_t *out);
wn_err_t wn_sock_recv(wn_sys_t *sys, uint32_t fd, const wn_iov_t *iov, uint32_t n, uint32_t flags, uint64_t *done,
                      bool *truncated);
wn_err_t wn_sock_send(wn_sys_t *sys, uint32_t fd, const wn_iov_t *iov, uint32_t n, uint64_t *done);
wn_err_t wn_sock_shutdown(wn_sys_t *sys, uint32_t fd, uint32_t how);

/* poll.c: many waits at once. Filled in by the caller, answered in place. */
typedef struct wn_sub {
  uint64_t userdata; /* the caller's */
  uint64_t timeout;  /* clock: ns; answer: bytes that can be read */
  uint32_t fd;       /* or the clock id */
  uint8_t kind;      /* 0 clock, 1 read, 2 write: as eventtype of WASI 0.1 */
  bool absolute;
  bool fired;     /* answer: this one has an event */
  bool hangup;    /* answer */
  wn_err_t err;   /* answer: 0 or the errno of this one alone */
  uint64_t until; /* poll.c's own */
} wn_sub_t;
/* Waits until at least one has fired. Room for limits.subscriptions of them is in sys->poll_scratch. */
wn_err_t wn_poll(wn_sys_t *sys, wn_sub_t *subs, uint32_t n);
/* The same without waiting: none may have fired. */
wn_err_t wn_poll_now(wn_sys_t *sys, wn_sub_t *subs, uint32_t n);

#endif
