/* sys.c - the rooms of sys/ called directly: embedders' mistakes, callbacks that break their contract, a kernel that
 * fails between two steps, numbers that the handlers above refuse before they come here.
 */
#include "check.h"

#include <sys/socket.h>

#include "core/sys/memory.h"
#include "core/sys/ops.h"

static wn_os_t os; /* the kernel, with calls exchanged for these */
static const wn_os_t *real;

static wn_err_t bad_fstat(const wn_os_t *o, int fd, wn_stat_t *st) { return (void)o, (void)fd, (void)st, WN_EIO; }
static wn_err_t bad_lseek(const wn_os_t *o, int fd, int64_t off, uint32_t whence, uint64_t *pos) {
  return (void)o, (void)fd, (void)off, (void)whence, (void)pos, WN_EIO;
}
static wn_err_t bad_available(const wn_os_t *o, int fd, uint64_t *n) {
  return (void)o, (void)fd, (void)n, WN_ENOTSUP;
}
static wn_err_t bad_flags(const wn_os_t *o, int fd, uint32_t *f) { return (void)o, (void)fd, (void)f, WN_EIO; }
static wn_err_t bad_reopen(const wn_os_t *o, int fd, uint32_t f, int *out) {
  return (void)o, (void)fd, (void)f, (void)out, WN_EMFILE;
}
static wn_err_t bad_dup(const wn_os_t *o, int fd, int *out) { return (void)o, (void)fd, (void)out, WN_EMFILE; }
static wn_err_t bad_type(const wn_os_t *o, int fd, uint8_t *t) { return (void)o, (void)fd, (void)t, WN_EIO; }
static wn_err_t bad_clock(const wn_os_t *o, uint32_t id, uint64_t *ns) { return (void)o, (void)id, (void)ns, WN_EIO; }
static wn_err_t zero_clock(const wn_os_t *o, uint32_t id, uint64_t *ns) { return (void)o, (void)id, *ns = 0, 0; }
static wn_err_t bad_getrandom(const wn_os_t *o, void *p, size_t n, size_t *done) {
  return (void)o, (void)p, (void)n, (void)done, WN_EIO;
}
static void *bad_resize(const wn_os_t *o, void *p, size_t n) { return (void)o, (void)p, (void)n, NULL; }

static wn_sys_t *world(const wn_limits_t *limits) {
  wn_sys_config_t config = {.os = &os};
  if (limits) config.limits = *limits;
  wn_sys_t *sys;
  os = *real;
  CHECK(wn_sys_new(&config, &sys) == 0);
  return sys;
}

static void end(wn_sys_t *sys) {
  os = *real;
  wn_sys_delete(sys);
}

static void worlds(void) {
  wn_sys_t *sys = NULL;
  wn_sys_config_t wrong = {.resolver = 9};
  CHECK(wn_sys_new(&wrong, &sys) == WN_EINVAL && !sys);
  CHECK(wn_sys_new(NULL, &sys) == 0);
  uint32_t fd;
  CHECK(wn_sys_preopen_dir(sys, ".", (wn_str_t){0}, NULL, &fd) == 0 && fd == 3);
  CHECK(wn_sys_preopen_dir(sys, "none", text("/"), NULL, &fd) == WN_ENOENT && fd == 3);
  CHECK(wn_sys_set_clock(sys, 9, 0, 0, 0) == WN_EINVAL && wn_sys_set_clock(sys, 0, 9, 0, 0) == WN_EINVAL);
  CHECK(wn_table_replace(sys, 100000, NULL, 0, 0) == WN_EBADF);
  wn_sys_delete(sys);
  wn_sys_delete(NULL);

  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  sys = world(NULL);
  os.dup = bad_dup;
  CHECK(wn_sys_preopen_socket(sys, pair[0], false, &fd) == WN_EMFILE);
  CHECK(wn_sys_preopen_socket(sys, CLOSED_FD, false, &fd) == WN_EBADF && sys->table.open == 0);
  end(sys);
  close(pair[0]);
  close(pair[1]);
}

/* ---- streams ---- */

typedef struct talk {
  wn_sys_t *sys;
  int calls, fails_at;
  wn_err_t with;
} talk_t;

static wn_err_t talk_read(void *ctx, void *buf, size_t len, size_t *done) {
  (void)ctx, (void)buf;
  *done = len + 1; /* more than there was room for */
  return 0;
}
static wn_err_t talk_write(void *ctx, const void *buf, size_t len) {
  talk_t *t = ctx;
  (void)buf, (void)len;
  if (++t->calls != t->fails_at) return 0;
  if (t->with == WN_CANCELLED) return wn_sys_cancel(t->sys), 0;
  return t->with;
}

static wn_err_t write_two(wn_sys_t *sys, uint64_t *done) {
  char bytes[] = "abcdef";
  wn_iov_t pieces[2] = {{bytes, 4}, {bytes + 4, 2}};
  *done = 77;
  return wn_file_writev(sys, 1, pieces, 2, done);
}

static void callbacks(void) {
  static const wn_stream_ops_t mute, both = {.read = talk_read, .write = talk_write};
  talk_t t = {0};
  uint64_t done;
  char byte;
  wn_iov_t one = {&byte, 1};
  wn_sys_t *sys = t.sys = world(NULL);
  CHECK(wn_sys_stdio_stream(sys, 0, &mute, NULL) == 0 && wn_sys_stdio_stream(sys, 1, &mute, NULL) == 0);
  CHECK(wn_file_readv(sys, 0, &one, 1, &done) == WN_EBADF && write_two(sys, &done) == WN_EBADF);
  CHECK(wn_sys_stdio_stream(sys, 0, &both, &t) == 0 && wn_sys_stdio_stream(sys, 1, &both, &t) == 0);
  CHECK(wn_file_readv(sys, 0, &one, 1, &done) == WN_EIO);

  CHECK(write_two(sys, &done) == 0 && done == 6 && t.calls == 2);
  t = (talk_t){sys, 0, 1, WN_EPIPE};
  CHECK(write_two(sys, &done) == WN_EPIPE && t.calls == 1);
  t = (talk_t){sys, 0, 2, WN_EPIPE};
  CHECK(write_two(sys, &done) == 0 && done == 4); /* what came before is told */
  t = (talk_t){sys, 0, 2, WN_HOST};
  CHECK(write_two(sys, &done) == WN_HOST); /* a verdict is not hidden by what came before */
  t = (talk_t){sys, 0, 1, WN_CANCELLED};
  CHECK(write_two(sys, &done) == WN_CANCELLED && t.calls == 1);
  CHECK(wn_file_readv(sys, 0, &one, 1, &done) == WN_CANCELLED);
  end(sys);
}

static void streams(void) {
  wn_sys_t *sys = world(NULL);
  wn_str_t got;
  uint64_t done;
  CHECK(wn_sys_stdio_null(sys, 3) == WN_EINVAL && wn_sys_stdio_bytes(sys, 1, text("x")) == WN_EINVAL);
  CHECK(wn_sys_stdio_capture(sys, 0, 9) == WN_EINVAL && wn_sys_stdio_capture(sys, 3, 9) == WN_EINVAL);
  CHECK(wn_sys_stdio_captured(sys, 1, &got) == WN_EINVAL && wn_sys_stdio_captured(sys, 7, &got) == WN_EINVAL);
  CHECK(wn_sys_stdio_stream(sys, 7, NULL, NULL) == WN_EINVAL && wn_sys_stdio_fd(sys, 7, 0) == WN_EINVAL);
  CHECK(wn_sys_stdio_fd(sys, 1, CLOSED_FD) == WN_EBADF);
  CHECK(wn_sys_stdio_capture(sys, 1, 4) == 0);
  CHECK(write_two(sys, &done) == 0 && done == 4 && write_two(sys, &done) == WN_ENOSPC);
  CHECK(wn_sys_stdio_captured(sys, 1, &got) == 0 && got.len == 4 && memcmp(got.ptr, "abcd", 4) == 0);

  int log = file_with("log", "old", O_TRUNC | O_APPEND), ends[2], pair[2];
  CHECK(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  CHECK(wn_sys_stdio_fd(sys, 2, log) == 0 && sys->table.slots[2].obj->fdflags == WN_FD_APPEND);
  CHECK(wn_sys_stdio_fd(sys, 0, ends[1]) == 0); /* open, but not for reading */
  char byte;
  CHECK(wn_file_readv(sys, 0, &(wn_iov_t){&byte, 1}, 1, &done) == WN_EBADF);
  os.get_flags = bad_flags;
  CHECK(wn_sys_stdio_fd(sys, 1, log) == WN_EIO && wn_sys_stdio_fd(sys, 1, ends[1]) == WN_EIO);
  os.get_flags = real->get_flags;
  os.socket_type = bad_type;
  CHECK(wn_sys_stdio_fd(sys, 1, pair[0]) == WN_EIO);
  os.reopen = bad_reopen; /* no descriptor file system here: the host's own description serves */
  CHECK(wn_sys_stdio_fd(sys, 1, ends[1]) == 0 && sys->table.slots[1].obj->u.host.shared);
  os.dup = bad_dup;
  CHECK(wn_sys_stdio_fd(sys, 1, ends[1]) == WN_EMFILE && wn_sys_stdio_fd(sys, 1, log) == WN_EMFILE);
  CHECK(write_two(sys, &done) == 0 && done == 6); /* what stood there stands */
  CHECK(wn_table_close(sys, 0) == 0);
  wn_sys_stdio_nonblocking(sys, true);
  CHECK(sys->table.slots[1].obj->fdflags & WN_FD_NONBLOCK);
  wn_sys_stdio_nonblocking(sys, false);
  CHECK(!(sys->table.slots[1].obj->fdflags & WN_FD_NONBLOCK));
  end(sys);
  close(log);
  for (int i = 0; i < 2; i++) close(ends[i]), close(pair[i]);
}

/* ---- objects ---- */

/* An object that can do nothing answers every call with the errno of its kind. */
static void without_operations(void) {
  static const wn_obj_ops_t none = {.kind = "none"};
  wn_sys_t *sys = world(NULL);
  wn_obj_t *obj;
  uint64_t n;
  wn_stat_t st;
  bool truncated;
  char byte = 0;
  wn_iov_t one = {&byte, 1};
  wn_dirent_t entry;
  CHECK(wn_obj_new(sys, WN_TYPE_UNKNOWN, &obj) == 0);
  obj->ops = &none;
  CHECK(wn_table_replace(sys, 5, obj, WN_RIGHT_ALL, 0) == 0);
  CHECK(wn_file_readv(sys, 5, &one, 1, &n) == WN_EBADF && wn_file_writev(sys, 5, &one, 1, &n) == WN_EBADF);
  CHECK(wn_file_preadv(sys, 5, &one, 1, 0, &n) == WN_ESPIPE && wn_file_pwritev(sys, 5, &one, 1, 0, &n) == WN_ESPIPE);
  CHECK(wn_file_seek(sys, 5, 1, WN_SEEK_SET, &n) == WN_ESPIPE && wn_file_tell(sys, 5, &n) == WN_ESPIPE);
  CHECK(wn_file_set_size(sys, 5, 1) == WN_EINVAL && wn_file_allocate(sys, 5, 0, 1) == WN_ESPIPE);
  CHECK(wn_file_advise(sys, 5, 0, 1, 0) == WN_ESPIPE && wn_file_sync(sys, 5, true) == WN_EINVAL);
  CHECK(wn_file_set_times(sys, 5, 0, 0) == WN_ENOTSUP && wn_file_stat(sys, 5, &st) == 0 && st.nlink == 1);
  bool last;
  CHECK(wn_dir_read(sys, 5, 0, &entry, &last) == WN_ENOTDIR);
  obj->type = WN_TYPE_SOCKET_STREAM;
  CHECK(wn_sock_recv(sys, 5, &one, 1, 0, &n, &truncated) == WN_ENOTCONN);
  CHECK(wn_sock_send(sys, 5, &one, 1, &n) == WN_ENOTCONN && wn_sock_shutdown(sys, 5, 1) == WN_ENOTCONN);
  CHECK(wn_sock_shutdown(sys, 5, 0) == WN_EINVAL && wn_sock_shutdown(sys, 5, 4) == WN_EINVAL);
  obj->type = WN_TYPE_DIRECTORY;
  CHECK(wn_file_readv(sys, 5, &one, 1, &n) == WN_EISDIR && wn_file_allocate(sys, 5, 0, 1) == WN_EISDIR);
  CHECK(wn_file_advise(sys, 5, 0, 1, 0) == WN_EBADF);
  obj->type = WN_TYPE_UNKNOWN;
  end(sys);
}

static void files(void) {
  wn_sys_t *sys = world(NULL);
  wn_obj_t *obj;
  uint64_t n = 7;
  int fd = file_with("file", "hello", O_TRUNC), dir = open(".", O_RDONLY | O_DIRECTORY);
  CHECK(wn_obj_new(sys, WN_TYPE_UNKNOWN, &obj) == 0);
  CHECK(wn_file_adopt(sys, obj, dir, false, 0, NULL) == WN_EINVAL &&
        fcntl(dir, F_GETFD) < 0); /* taken all the same */
  os.fstat = bad_fstat;
  CHECK(wn_file_adopt(sys, obj, dup(fd), false, 0, NULL) == WN_EIO);
  os.fstat = real->fstat;
  CHECK(wn_file_adopt(sys, obj, fd, true, 0, NULL) == 0 && obj->type == WN_TYPE_REGULAR && !obj->share);
  CHECK(wn_table_replace(sys, 5, obj, WN_RIGHT_ALL, 0) == 0);
  const wn_obj_ops_t *ops = obj->ops;

  CHECK(wn_file_seek(sys, 5, 2, WN_SEEK_SET, &n) == 0 && wn_file_seek(sys, 5, 2, 9, &n) == WN_EINVAL);
  CHECK(ops->available(sys, obj, &n) == 0 && n == 3);
  os.available = bad_available; /* then what is left of its size */
  CHECK(ops->available(sys, obj, &n) == 0 && n == 3);
  CHECK(wn_file_seek(sys, 5, 100, WN_SEEK_SET, &n) == 0 && ops->available(sys, obj, &n) == 0 && n == 0);
  os.lseek = bad_lseek;
  CHECK(ops->available(sys, obj, &n) == WN_EIO);
  os.fstat = bad_fstat;
  CHECK(ops->available(sys, obj, &n) == WN_EIO);
  os = *real;
  CHECK(wn_file_set_size(sys, 5, UINT64_MAX) == WN_EINVAL && wn_file_advise(sys, 5, 0, 1, 6) == WN_EINVAL);
  CHECK(wn_file_advise(sys, 5, UINT64_MAX, 1, 0) == WN_EINVAL &&
        wn_file_advise(sys, 5, 1, INT64_MAX, 0) == WN_EINVAL);
  wn_sys_cancel(sys);
  CHECK(wn_file_tell(sys, 5, &n) == WN_CANCELLED && wn_file_sync(sys, 5, false) == WN_CANCELLED);
  end(sys);
}

static void directories(void) {
  wn_sys_t *sys = world(NULL);
  wn_obj_t *obj;
  wn_dirent_t entry;
  bool last;
  uint32_t fd;
  wn_grant_t read_only = {.flags = WN_GRANT_READ_ONLY};
  CHECK(wn_obj_new(sys, WN_TYPE_DIRECTORY, &obj) == 0);
  CHECK(wn_dir_adopt(sys, obj, open(".", O_RDONLY | O_DIRECTORY), NULL) == 0 && !obj->share);
  CHECK(wn_table_replace(sys, 5, obj, WN_RIGHT_ALL, WN_RIGHT_ALL) == 0);
  /* A directory that no preopen gave has no account, and may be written. */
  CHECK(wn_path_create_directory(sys, 5, "made") == 0 && wn_path_create_directory(sys, 5, "made") == WN_EEXIST);
  CHECK(wn_path_symlink(sys, "made", 5, "link") == 0);
  wn_open_t how = {.create = true, .rights = WN_RIGHTS_FILE};
  CHECK(wn_path_open(sys, 5, "made/new", &how, &fd) == 0 && wn_table_close(sys, fd) == 0);
  CHECK(wn_path_open(sys, 5, "made/new", &(wn_open_t){.truncate = true, .rights = WN_RIGHTS_FILE}, &fd) == 0);
  CHECK(wn_path_link(sys, 5, "made/new", 5, "hard") == 0 && wn_path_rename(sys, 5, "hard", 5, "made/new") == 0);
  CHECK(wn_sys_preopen_dir(sys, ".", text("/other"), NULL, &fd) == 0);
  CHECK(wn_path_link(sys, 5, "made/new", fd, "hard") ==
        WN_EPERM); /* only between grants that are known to be alike */
  CHECK(wn_path_link(sys, fd, "made/new", 5, "hard") == WN_EPERM);
  CHECK(wn_path_unlink_file(sys, 5, "hard") == 0 && wn_path_unlink_file(sys, 5, "made/new") == 0);
  CHECK(wn_path_unlink_file(sys, 5, "link") == 0 && wn_path_remove_directory(sys, 5, "made") == 0);

  CHECK(wn_dir_read(sys, 5, 0, &entry, &last) == 0 && !last);
  CHECK(wn_file_set_times(sys, 5, 1000000000, WN_TIME_KEEP) == 0);
  CHECK(wn_sys_preopen_dir(sys, ".", text("/ro"), &read_only, &fd) == 0);
  sys->table.slots[fd].rights = WN_RIGHT_ALL; /* as if a right had slipped through: the share still refuses */
  CHECK(wn_file_set_times(sys, fd, 0, 0) == WN_EROFS && wn_path_create_directory(sys, fd, "x") == WN_EROFS);
  CHECK(wn_path_symlink(sys, "x", fd, "y") == WN_EROFS && wn_path_rename(sys, fd, "log", fd, "x") == WN_EROFS);
  os.fstat = bad_fstat;
  wn_err_t err = 0;
  for (uint64_t cookie = 0; !err && !last; cookie = entry.next) err = wn_dir_read(sys, fd, cookie, &entry, &last);
  CHECK(err == WN_EIO); /* at "..", whose number is asked */
  os = *real;
  wn_sys_cancel(sys);
  CHECK(wn_dir_read(sys, 5, 0, &entry, &last) == WN_CANCELLED && wn_path_unlink_file(sys, 5, "x") == WN_CANCELLED);
  end(sys);
}

/* ---- files in memory ---- */

static void in_memory(void) {
  wn_sys_t *sys = world(NULL);
  uint32_t dir, fd, host;
  uint64_t n = 7;
  char byte = 'x';
  wn_iov_t one = {&byte, 1};
  CHECK(wn_sys_preopen_memory(sys, text("/m"), NULL, &dir) == 0);
  wn_open_t how = {.create = true, .rights = WN_RIGHTS_FILE};
  CHECK(wn_path_open(sys, dir, "f", &how, &fd) == 0);
  wn_obj_t *obj = sys->table.slots[fd].obj;
  const wn_obj_ops_t *ops = obj->ops;
  wn_node_t *node = obj->u.mem.node;
  CHECK(ops->preadv(sys, obj, &one, 1, UINT64_MAX, &n) == WN_EINVAL);
  CHECK(ops->pwritev(sys, obj, &one, 1, UINT64_MAX, &n) == WN_EINVAL && n == 7);
  CHECK(ops->pwritev(sys, obj, &one, 1, INT64_MAX, &n) == WN_EFBIG);
  CHECK(ops->seek(sys, obj, 0, 9, &n) == WN_EINVAL);
  CHECK(ops->set_size(sys, obj, UINT64_MAX) == WN_EINVAL && ops->set_size(sys, obj, INT64_MAX) != 0);
  CHECK(ops->allocate(sys, obj, UINT64_MAX, 1) == WN_EINVAL && ops->allocate(sys, obj, 0, 0) == WN_EINVAL);
  CHECK(ops->allocate(sys, obj, 0, UINT64_MAX) == WN_EINVAL && ops->allocate(sys, obj, INT64_MAX, 1) == WN_EFBIG);
  CHECK(ops->advise(sys, obj, UINT64_MAX, 1, 0) == WN_EINVAL && ops->advise(sys, obj, 0, UINT64_MAX, 0) == WN_EINVAL);
  CHECK(ops->advise(sys, obj, 0, 1, 6) == WN_EINVAL && ops->advise(sys, obj, 0, 1, 5) == 0);
  CHECK(ops->seek(sys, obj, 10, WN_SEEK_SET, &n) == 0 && ops->available(sys, obj, &n) == 0 && n == 0);
  CHECK(ops->set_size(sys, obj, 100000) == 0);
  os.resize = bad_resize; /* to shrink is to promise nothing */
  CHECK(ops->set_size(sys, obj, 10) == 0 && node->u.file.size == 10 && node->u.file.cap >= 100000);
  CHECK(ops->set_size(sys, obj, 500000) == WN_ENOSPC && node->u.file.size == 10);
  os.resize = real->resize;
  os.clock_get = bad_clock; /* no time: 1970 */
  CHECK(ops->set_times(sys, obj, WN_TIME_NOW, WN_TIME_NOW) == 0 && node->mtim == 0);
  os.clock_get = real->clock_get;
  obj->writable = false;
  CHECK(ops->pwritev(sys, obj, &one, 1, 0, &n) == WN_EBADF && ops->allocate(sys, obj, 0, 1) == WN_EBADF);
  CHECK(ops->set_size(sys, obj, 1) == WN_EINVAL);
  obj->share->grant.flags = WN_GRANT_READ_ONLY;
  CHECK(ops->set_times(sys, obj, 0, 0) == WN_EROFS);
  obj->share->grant.flags = 0;

  /* Mounting: what open(2) would say is said now. */
  wn_grant_t device = {.flags = WN_GRANT_DEVICE}, read_only = {.flags = WN_GRANT_READ_ONLY};
  int file = file_with("file", "hello", O_TRUNC);
  close(file);
  CHECK(wn_sys_mount_file(sys, 99, text("x"), "file", NULL) == WN_EBADF);
  CHECK(wn_sys_mount_file(sys, fd, text("x"), "file", NULL) == WN_EINVAL);
  CHECK(wn_sys_preopen_dir(sys, ".", text("/h"), NULL, &host) == 0);
  CHECK(wn_sys_mount_file(sys, host, text("x"), "file", NULL) == WN_EINVAL);
  CHECK(wn_sys_mount_file(sys, dir, text(".."), "file", NULL) == WN_EINVAL);
  CHECK(wn_sys_mount_file(sys, dir, text("f"), "file", NULL) == WN_EEXIST);
  os.fstat = bad_fstat;
  CHECK(wn_sys_mount_file(sys, dir, text("x"), "file", NULL) == WN_EIO);
  os.fstat = real->fstat;
  os.reopen = bad_reopen;
  CHECK(wn_sys_mount_file(sys, dir, text("x"), "file", NULL) == WN_EMFILE);
  os.reopen = real->reopen;
  CHECK(wn_sys_mount_file(sys, dir, text("x"), "file", NULL) == 0);
  CHECK(wn_sys_mount_file(sys, dir, text("ro"), "file", &read_only) == 0);
  CHECK(wn_sys_mount_file(sys, dir, text("null"), "/dev/null", &read_only) == WN_EINVAL);
  CHECK(wn_sys_mount_file(sys, dir, text("null"), "/dev/null", &device) == 0);
  CHECK(wn_path_set_times(sys, dir, "x", false, 1000000000, WN_TIME_KEEP) == 0);
  CHECK(wn_path_set_times(sys, dir, "ro", false, 0, 0) == WN_EROFS);
  CHECK(wn_path_set_times(sys, dir, "null", false, 0, 0) == WN_EPERM);
  os.reopen = bad_reopen;
  CHECK(wn_path_set_times(sys, dir, "x", false, 0, 0) == WN_EMFILE);
  CHECK(wn_path_open(sys, dir, "x", &(wn_open_t){.rights = WN_RIGHT_FD_READ}, &fd) == WN_EMFILE);
  os.reopen = real->reopen;
  /* What is mounted stays where it is, in a directory that may be written otherwise. */
  CHECK(wn_path_unlink_file(sys, dir, "x") == WN_EPERM && wn_path_link(sys, dir, "x", dir, "y") == WN_EPERM);
  CHECK(wn_path_rename(sys, dir, "x", dir, "y") == WN_EPERM && wn_path_rename(sys, dir, "f", dir, "x") == WN_EPERM);
  how = (wn_open_t){.rights = WN_RIGHT_FD_READ | WN_RIGHT_FD_WRITE, .fdflags = WN_FD_SYNC | WN_FD_DSYNC};
  CHECK(wn_path_open(sys, dir, "x", &how, &fd) == 0 && wn_file_writev(sys, fd, &one, 1, &n) == 0 && n == 1);
  how = (wn_open_t){.truncate = true, .rights = WN_RIGHT_FD_WRITE};
  CHECK(wn_path_open(sys, dir, "x", &how, &fd) == 0 && wn_file_seek(sys, fd, 0, WN_SEEK_END, &n) == WN_ENOTCAPABLE);
  os.fstat = bad_fstat;
  CHECK(wn_path_open(sys, dir, "x", &how, &fd) == WN_EIO);
  end(sys);

  sys = world(NULL);
  wn_grant_t sealed = {.flags = WN_GRANT_READ_ONLY};
  CHECK(wn_sys_preopen_memory(sys, text("/m"), &sealed, &dir) == 0);
  sys->table.slots[dir].rights = WN_RIGHT_ALL;
  sys->table.slots[dir].inheriting = WN_RIGHT_ALL;
  CHECK(wn_path_create_directory(sys, dir, "x") == WN_EROFS && wn_path_unlink_file(sys, dir, "x") == WN_EROFS);
  CHECK(wn_file_set_times(sys, dir, 0, 0) == WN_EROFS);
  end(sys);
}

/* ---- accounts, clocks, verdicts ---- */

static void without_an_account(void) {
  uint64_t grown = 7;
  CHECK(wn_quota_grow(NULL, 0, 100, &grown) == 0 && grown == 0);
  CHECK(wn_quota_reach(NULL, 5) == UINT64_MAX && wn_quota_inode(NULL) == 0);
  wn_quota_refund(NULL, 5);
  wn_quota_inode_gone(NULL, 5);
  wn_sys_t *sys = world(NULL);
  wn_share_t *share;
  wn_share_release(sys, NULL);
  CHECK(wn_share_new(sys, &(wn_grant_t){.quota_bytes = 10}, &share) == 0);
  wn_quota_refund(share, 5);
  wn_quota_inode_gone(share, 5);
  CHECK(share->bytes == 0 && share->inodes == 0); /* never below zero */
  CHECK(wn_quota_reach(share, 4) == 14 && wn_quota_grow(share, 4, 14, &grown) == 0 && grown == 10);
  CHECK(wn_quota_reach(share, 14) == 14 && wn_quota_grow(share, 14, 15, &grown) == WN_EDQUOT);
  wn_share_release(sys, share);
  end(sys);
}

static void clocks(void) {
  wn_sys_t *sys = world(NULL);
  uint64_t ns = 7, until;
  bool cpu;
  CHECK(wn_clock_time(sys, 9, &ns) == WN_EINVAL && wn_clock_resolution(sys, 9, &ns) == WN_EINVAL);
  CHECK(wn_clock_deadline(sys, 9, 1, false, &until, &cpu) == WN_EINVAL && ns == 7);
  os.clock_res = zero_clock;
  CHECK(wn_clock_resolution(sys, 0, &ns) == 0 && ns == 1);
  CHECK(wn_sys_set_clock(sys, 0, WN_CLOCK_OFFSET, INT64_MIN, 0) == 0);
  CHECK(wn_clock_time(sys, 0, &ns) == 0 && ns == 0); /* held at 0 */
  CHECK(wn_sys_set_clock(sys, 0, WN_CLOCK_OFFSET, INT64_MAX, 0) == 0);
  CHECK(wn_clock_time(sys, 0, &ns) == 0 && ns > INT64_MAX);
  os.clock_get = bad_clock;
  os.clock_res = bad_clock;
  CHECK(wn_clock_time(sys, 0, &ns) == WN_EIO && wn_clock_resolution(sys, 0, &ns) == WN_EIO);
  CHECK(wn_clock_deadline(sys, 1, 5, true, &until, &cpu) == WN_EIO);
  CHECK(wn_clock_deadline(sys, 1, 5, false, &until, &cpu) == WN_EIO);
  wn_sys_set_deadline(sys, 1);
  CHECK(wn_wait_check(sys) == WN_EIO);
  os = *real;

  wn_clock_slept(sys, 9, 5, false);
  wn_clock_slept(sys, 1, 5, false); /* the kernel's goes by itself */
  CHECK(wn_sys_set_clock(sys, 1, WN_CLOCK_FIXED, 100, 0) == 0);
  CHECK(wn_sys_set_clock(sys, 3, WN_CLOCK_FIXED, 50, 0) == 0);
  wn_clock_slept(sys, 1, 40, true);
  CHECK(sys->clocks[1].value == 100); /* that was over */
  wn_clock_slept(sys, 1, 140, true);
  CHECK(sys->clocks[1].value == 140 && sys->clocks[3].value == 50);
  wn_clock_slept(sys, 3, 5, false);
  CHECK(sys->clocks[1].value == 140 && sys->clocks[3].value == 55);
  wn_clock_slept(sys, 1, UINT64_MAX, false);
  CHECK(sys->clocks[1].value == INT64_MAX);
  end(sys);
}

static wn_err_t answers(wn_guest_t *guest, const wn_row_t *row, void *slots) {
  (void)guest, (void)slots;
  return *(const wn_err_t *)row->ctx;
}

static void verdicts(void) {
  wn_sys_t *sys = world(&(wn_limits_t){.cpu_ns = 1});
  wn_guest_t guest = {.sys = sys};
  wn_err_t answer = WN_EIO;
  wn_row_t row = {.fn = answers, .ctx = &answer};
  CHECK(wn_dispatch(&guest, &row, NULL) == WN_INVALID && guest.end.err == WN_INVALID); /* rows answer verdicts */
  answer = WN_HOST;
  CHECK(wn_dispatch(&guest, &row, NULL) == WN_HOST && guest.end.err == WN_INVALID); /* the first one stays */
  guest.end = (wn_end_t){0};
  answer = WN_LIMIT;
  CHECK(wn_dispatch(&guest, &row, NULL) == WN_LIMIT && strcmp(guest.end.limit, "unknown") == 0);
  guest.end = (wn_end_t){0};
  os.clock_get = bad_clock; /* no CPU clock: nothing is counted, nothing ends */
  wn_guest_enter(&guest);
  wn_guest_enter(&guest);
  CHECK(wn_guest_check(&guest) == 0);
  wn_guest_leave(&guest);
  wn_guest_leave(&guest);
  CHECK(sys->cpu_used == 0);
  os.clock_get = real->clock_get;
  wn_guest_enter(&guest);
  os.clock_get = bad_clock;
  CHECK(wn_guest_check(&guest) == 0);
  wn_guest_leave(&guest);
  os.clock_get = zero_clock;
  wn_guest_enter(&guest);
  CHECK(sys->cpu_start == 1 && wn_guest_check(&guest) == 0);
  wn_guest_leave(&guest);
  os.clock_get = real->clock_get;
  sys->cpu_used = 2;
  CHECK(wn_guest_check(&guest) == WN_LIMIT && strcmp(guest.end.limit, "cpu_time") == 0);
  end(sys);
}

/* The reference's own numbers for these keys and bytes; and two guests never agree on a file. */
static void hashes(void) {
  const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
  const uint8_t bytes[] = {0};
  uint64_t none[2], one[2], again[2];
  wn_hash_bytes(key, bytes, 0, none);
  wn_hash_bytes(key, bytes, 1, one);
  CHECK(none[0] == 0xe6a825ba047f81a3u && none[1] == 0x930255c71472f66du);
  CHECK(one[0] == 0x44af996bd8c187dau && one[1] == 0x45fc229b11597634u);
  wn_sys_t *sys = world(NULL), *other;
  wn_stat_t st = {.dev = 1, .ino = 2, .size = 3, .mtim = 4, .ctim = 5, .atim = 6, .nlink = 7};
  CHECK(wn_sys_new(NULL, &other) == 0);
  CHECK(wn_hash_stat(sys, &st, one) == 0 && wn_hash_stat(other, &st, none) == 0 && one[0] != none[0]);
  st.atim = st.nlink = 0; /* a look changes nothing */
  CHECK(wn_hash_stat(sys, &st, again) == 0 && again[0] == one[0] && again[1] == one[1]);
  st.size = 0;
  CHECK(wn_hash_stat(sys, &st, again) == 0 && again[0] != one[0] && again[1] != one[1]);
  end(sys);
  sys = world(NULL);
  os.getrandom = bad_getrandom;
  CHECK(wn_hash_stat(sys, &st, one) == WN_EIO);
  os.getrandom = real->getrandom;
  CHECK(wn_hash_stat(sys, &st, one) == 0);
  end(sys);
  wn_sys_delete(other);
}

int main(void) {
  real = wn_os_posix();
  hashes();
  worlds();
  callbacks();
  streams();
  without_operations();
  files();
  directories();
  in_memory();
  without_an_account();
  clocks();
  verdicts();
  puts("fine");
  return 0;
}
