/* dir.c - directories of the host: the object behind a descriptor, and what can be done to the names in one. */
#include <string.h>

#include "core/sys/path.h"

/* ---- the object ---- */

static void dir_close(wn_sys_t *sys, wn_obj_t *obj) {
  if (sys->dirbuf.owner == obj) sys->dirbuf.owner = NULL;
  if (obj->fd >= 0) (void)sys->os->close(sys->os, obj->fd);
  obj->fd = -1;
}

static wn_err_t dir_stat(wn_sys_t *sys, wn_obj_t *obj, wn_stat_t *st) { return sys->os->fstat(sys->os, obj->fd, st); }

static wn_err_t dir_sync(wn_sys_t *sys, wn_obj_t *obj, bool data_only) {
  return data_only ? sys->os->fdatasync(sys->os, obj->fd) : sys->os->fsync(sys->os, obj->fd);
}

static wn_err_t dir_set_times(wn_sys_t *sys, wn_obj_t *obj, int64_t atim, int64_t mtim) {
  if (wn_share_read_only(obj->share)) return WN_EROFS;
  return sys->os->futimens(sys->os, obj->fd, atim, mtim);
}

static wn_err_t dir_set_flags(wn_sys_t *sys, wn_obj_t *obj, uint16_t fdflags) {
  (void)sys;
  obj->fdflags = fdflags & WN_FD_NONBLOCK; /* the others mean nothing here */
  return 0;
}

/* ---- reading ----
 *
 * A cookie is the ordinal of an entry; the kernel's own offsets stay with us. The buffer of sys belongs to the
 * directory that was read last:
 *
 *   dirbuf.bytes  [entry first][ ... ][entry index][ ... ]      then the kernel goes on by itself
 *                  ^0                  ^at                ^len
 *
 * obj->u.dir remembers the entry given last (its ordinal, the kernel's offsets before and after it), so that a
 * directory whose buffer another one took goes on where it was, also when that entry is gone by now. Only a cookie
 * before it reads from the start again. */

/* Put the kernel's position and an empty buffer at entry `index`, which is at offset `off`. */
static wn_err_t dir_place(wn_sys_t *sys, wn_obj_t *obj, uint64_t index, uint64_t off) {
  wn_dirbuf_t *b = &sys->dirbuf;
  uint64_t pos;
  b->owner = NULL;
  wn_err_t err = sys->os->lseek(sys->os, obj->fd, (int64_t)off, WN_SEEK_SET, &pos);
  if (err) return err;
  b->owner = obj;
  b->first = b->index = index;
  b->first_off = b->off = off;
  b->len = b->at = 0;
  return 0;
}

static wn_err_t dir_refill(wn_sys_t *sys, wn_obj_t *obj, bool *end) {
  wn_dirbuf_t *b = &sys->dirbuf;
  size_t len = 0;
  wn_err_t err = wn_wait_check(sys);
  if (err) return err;
  err = sys->os->getdents(sys->os, obj->fd, b->bytes, WN_DIRBUF_SIZE, &len);
  if (err == WN_ENOENT) len = 0; /* the directory itself was removed: no entries */
  else if (err) {
    b->owner = NULL; /* where the kernel stands now is anybody's guess */
    return err;
  }
  b->first = b->index;
  b->first_off = b->off;
  b->len = len;
  b->at = 0;
  *end = len == 0;
  return 0;
}

static void dir_advance(wn_dirbuf_t *b, const wn_os_dirent_t *e) {
  b->at += e->size;
  b->off = e->next_off;
  ++b->index;
}

/* Find the entry with ordinal `cookie`: in the buffer, after it, or from a remembered place. */
static wn_err_t dir_seek(wn_sys_t *sys, wn_obj_t *obj, uint64_t cookie, wn_os_dirent_t *e, bool *end) {
  wn_dirbuf_t *b = &sys->dirbuf;
  wn_err_t err;
  if (b->owner == obj && cookie >= b->first) {
    if (cookie < b->index) {
      b->index = b->first;
      b->off = b->first_off;
      b->at = 0;
    }
  } else if (cookie > obj->u.dir.index && obj->u.dir.next) {
    if ((err = dir_place(sys, obj, obj->u.dir.index + 1, obj->u.dir.next))) return err;
  } else if (cookie >= obj->u.dir.index) {
    if ((err = dir_place(sys, obj, obj->u.dir.index, obj->u.dir.offset))) return err;
  } else {
    if ((err = dir_place(sys, obj, 0, 0))) return err;
  }
  for (;;) {
    if (b->at >= b->len || !wn_os_dirent_next(b->bytes, b->len, b->at, e)) {
      if ((err = dir_refill(sys, obj, end)) || *end) return err;
      continue;
    }
    if (b->index == cookie) return 0;
    dir_advance(b, e);
  }
}

static wn_err_t dir_read(wn_sys_t *sys, wn_obj_t *obj, uint64_t cookie, wn_dirent_t *out, bool *end) {
  wn_dirbuf_t *b = &sys->dirbuf;
  wn_os_dirent_t e;
  wn_stat_t st;
  *end = false;
  /* The start is read anew each time: rewinddir() must see what changed. */
  if (cookie == 0 && b->owner == obj && b->index != 0) b->owner = NULL;
  if (cookie == 0) obj->u.dir.index = obj->u.dir.offset = obj->u.dir.next = 0;
  wn_err_t err = dir_seek(sys, obj, cookie, &e, end);
  if (err || *end) return err;
  obj->u.dir.index = b->index;
  obj->u.dir.offset = b->off;
  dir_advance(b, &e);
  obj->u.dir.next = b->off;
  out->next = b->index;
  out->ino = e.ino;
  out->name = e.name;
  out->name_len = e.name_len;
  out->type = e.type;
  if (e.name_len == 2 && e.name[0] == '.' && e.name[1] == '.') {
    /* What is above is not the guest's: it sees the directory's own number. */
    if ((err = sys->os->fstat(sys->os, obj->fd, &st))) return err;
    out->ino = st.ino;
    out->type = WN_TYPE_DIRECTORY;
  } else if (e.type == WN_TYPE_UNKNOWN && !sys->os->fstatat(sys->os, obj->fd, e.name, &st)) {
    out->type = st.type;
  }
  return 0;
}

static const wn_obj_ops_t dir_ops = {
    .kind = "dir",
    .close = dir_close,
    .stat = dir_stat,
    .sync = dir_sync,
    .set_times = dir_set_times,
    .set_flags = dir_set_flags,
    .read_dir = dir_read,
};

wn_err_t wn_dir_adopt(wn_sys_t *sys, wn_obj_t *obj, int fd, wn_share_t *share) {
  (void)sys;
  obj->ops = &dir_ops;
  obj->type = WN_TYPE_DIRECTORY;
  obj->fd = fd;
  obj->u.dir.index = obj->u.dir.offset = obj->u.dir.next = 0;
  obj->share = share;
  if (share) ++share->refs;
  return 0;
}

/* The next entry of an open directory.
 * Cousin: getdents(2). Errnos: BADF: fd is not open; NOTCAPABLE: no right to read entries; NOTDIR: not a directory;
 * IO and others as the kernel says. WASI 0.1: fd_readdir. A cookie past the end is the end. */
wn_err_t wn_dir_read(wn_sys_t *sys, uint32_t fd, uint64_t cookie, wn_dirent_t *out, bool *end) {
  wn_desc_t *desc;
  wn_err_t err = wn_table_get(&sys->table, fd, WN_RIGHT_FD_READDIR, &desc);
  if (err) return err;
  if (!desc->obj->ops->read_dir) return WN_ENOTDIR;
  if (__atomic_load_n(&sys->wait.cancelled, __ATOMIC_RELAXED)) return WN_CANCELLED;
  return desc->obj->ops->read_dir(sys, desc->obj, cookie, out, end);
}

/* ---- the names in a directory: one kernel call each, and the accounts of the grant ---- */

static wn_err_t host_stat(wn_sys_t *sys, const wn_place_t *at, wn_stat_t *st) {
  return sys->os->fstatat(sys->os, at->fd, at->name, st);
}

/* The whole path at once, instead of its directory first and the name then. */
static wn_err_t host_find(wn_sys_t *sys, wn_place_t *at, wn_stat_t *st) {
  const wn_os_t *os = sys->os;
  wn_err_t err;
  int fd;
  if (sys->resolver == WN_RESOLVER_WALK ||
      !wn_host_beneath(sys, at->base->fd, at->path, WN_O_PATH | WN_O_NOFOLLOW, 0, &fd, &err)) {
    if ((err = wn_host_resolve(sys, at, false))) return err;
    err = host_stat(sys, at, st);
    wn_host_leave(sys, at);
    return err;
  }
  if (err) return err;
  err = os->fstat(os, fd, st);
  os->close(os, fd);
  return err;
}

static wn_err_t host_set_times(wn_sys_t *sys, const wn_place_t *at, int64_t atim, int64_t mtim) {
  return sys->os->utimensat(sys->os, at->fd, at->name, atim, mtim);
}

/* The bytes that come back to the grant when this name goes. Those of a file that is held open come back when it is
 * closed. */
static uint64_t host_bytes(wn_sys_t *sys, const wn_place_t *at, const wn_stat_t *st) {
  if (!at->share->grant.quota_bytes || st->type != WN_TYPE_REGULAR || st->nlink != 1) return 0;
  return wn_file_held(sys, st, NULL) ? 0 : st->size;
}

static wn_err_t host_take(const wn_place_t *at) { return at->share ? wn_quota_inode(at->share) : 0; }

static wn_err_t host_took(const wn_place_t *at, wn_err_t err) {
  if (err && at->share) wn_quota_inode_gone(at->share, 0);
  return err;
}

static wn_err_t host_create_directory(wn_sys_t *sys, const wn_place_t *at) {
  wn_err_t err = host_take(at);
  if (err) return err;
  return host_took(at, sys->os->mkdirat(sys->os, at->fd, at->name, sys->dir_mode & 0777u));
}

static wn_err_t host_remove_directory(wn_sys_t *sys, const wn_place_t *at) {
  wn_err_t err = sys->os->unlinkat(sys->os, at->fd, at->name, true);
  if (!err && at->share) wn_quota_inode_gone(at->share, 0);
  return err == WN_EEXIST ? WN_ENOTEMPTY : err; /* POSIX allows both */
}

static wn_err_t host_unlink_file(wn_sys_t *sys, const wn_place_t *at) {
  bool counted = wn_share_counted(at->share);
  uint64_t bytes = 0;
  wn_err_t err;
  if (at->must_dir || counted) {
    wn_stat_t st;
    if ((err = host_stat(sys, at, &st))) return err;
    if (st.type == WN_TYPE_DIRECTORY) return WN_EISDIR;
    if (at->must_dir) return WN_ENOTDIR;
    bytes = host_bytes(sys, at, &st);
  }
  err = sys->os->unlinkat(sys->os, at->fd, at->name, false);
  if (!err && counted) wn_quota_inode_gone(at->share, bytes);
  return err;
}

/* A slash after a name that is to be new, and not as a directory. */
static wn_err_t host_slash(wn_sys_t *sys, const wn_place_t *at) {
  wn_stat_t st;
  wn_err_t err = host_stat(sys, at, &st);
  return err ? err : WN_EEXIST;
}

static wn_err_t host_link(wn_sys_t *sys, const wn_place_t *from, const wn_place_t *to) {
  wn_stat_t st;
  wn_err_t err;
  if (from->must_dir) {
    if ((err = host_stat(sys, from, &st))) return err;
    return st.type == WN_TYPE_DIRECTORY ? WN_EPERM : WN_ENOTDIR;
  }
  if (to->must_dir) {
    if ((err = host_stat(sys, from, &st))) return err;
    return host_slash(sys, to);
  }
  if ((err = host_take(to))) return err;
  return host_took(to, sys->os->linkat(sys->os, from->fd, from->name, to->fd, to->name));
}

/* The account of a rename: what it replaces comes back. Both names are in one account, or there is none: path.c. */
typedef struct wn_move {
  bool replaces;
  uint64_t freed;
} wn_move_t;

static wn_err_t move_begin(wn_sys_t *sys, const wn_place_t *from, const wn_place_t *to, wn_move_t *m) {
  wn_stat_t old, over;
  wn_err_t err = host_stat(sys, from, &old);
  if (err) return err;
  err = host_stat(sys, to, &over);
  if (err && err != WN_ENOENT) return err;
  m->replaces = !err && !(old.dev == over.dev && old.ino == over.ino); /* one file: nothing happens */
  m->freed = m->replaces ? host_bytes(sys, to, &over) : 0;
  return 0;
}

static wn_err_t host_rename(wn_sys_t *sys, const wn_place_t *from, const wn_place_t *to) {
  wn_move_t move = {0};
  wn_stat_t st;
  wn_err_t err;
  if (from->must_dir || to->must_dir) {
    if ((err = host_stat(sys, from, &st))) return err;
    if (st.type != WN_TYPE_DIRECTORY) return WN_ENOTDIR;
  }
  if (wn_name_is_self(from->name) || wn_name_is_self(to->name)) return WN_EBUSY;
  if (wn_share_counted(to->share) && (err = move_begin(sys, from, to, &move))) return err;
  err = sys->os->renameat(sys->os, from->fd, from->name, to->fd, to->name);
  if (!err && move.replaces) wn_quota_inode_gone(to->share, move.freed);
  return err == WN_EEXIST ? WN_ENOTEMPTY : err; /* POSIX allows both */
}

static wn_err_t host_symlink(wn_sys_t *sys, const char *target, const wn_place_t *at) {
  wn_err_t err;
  if (at->must_dir) return host_slash(sys, at);
  if ((err = host_take(at))) return err;
  return host_took(at, sys->os->symlinkat(sys->os, target, at->fd, at->name));
}

static wn_err_t host_readlink(wn_sys_t *sys, const wn_place_t *at, char *buf, size_t len, size_t *done) {
  return sys->os->readlinkat(sys->os, at->fd, at->name, buf, len, done);
}

const wn_tree_t wn_host_tree = {
    .resolve = wn_host_resolve,
    .leave = wn_host_leave,
    .find = host_find,
    .stat = host_stat,
    .set_times = host_set_times,
    .create_directory = host_create_directory,
    .remove_directory = host_remove_directory,
    .unlink_file = host_unlink_file,
    .link = host_link,
    .rename = host_rename,
    .symlink = host_symlink,
    .readlink = host_readlink,
    .open = wn_host_open,
};
