/* path_open.c - open and create in directories of the host.
 *
 * What is opened is known only afterwards (the name may change at any time), so: the object is opened so that it
 * cannot block (O_NONBLOCK), nor be made (no O_CREAT on a name that may be a link), nor be emptied (no O_TRUNC);
 * its type is then asked of the descriptor; and only a regular file is emptied, by that descriptor. Creating is a
 * call of its own that never meets an existing object (O_EXCL).
 */
#include "core/sys/path.h"

/* A name that comes and goes while we look: so many rounds. */
#define OPEN_TRIES 4

/* In the directory found: never follows. */
static wn_err_t open_name(wn_sys_t *sys, const wn_place_t *at, uint32_t flags, int *fd) {
  if (at->must_dir) flags |= WN_O_DIRECTORY;
  return sys->os->openat(sys->os, at->fd, at->name, flags | WN_O_NOFOLLOW, 0, fd);
}

static wn_err_t open_existing(wn_sys_t *sys, wn_place_t *at, uint32_t flags, bool follow, int *fd) {
  wn_err_t err;
  if (!at->parent_len) {
    err = open_name(sys, at, flags, fd);
    bool perhaps_link = err == WN_ELOOP || (err == WN_ENOTDIR && (flags & WN_O_DIRECTORY));
    if (!follow || !perhaps_link) return err;
  }
  uint32_t how = follow ? flags : flags | WN_O_NOFOLLOW;
  if (sys->resolver != WN_RESOLVER_WALK && wn_host_beneath(sys, at->base->fd, at->path, how, 0, fd, &err)) return err;
  if ((err = wn_host_walk(sys, at, follow))) return err;
  return open_name(sys, at, flags, fd);
}

/* Make a new file: EXIST where anything has the name, a dangling link too. */
static wn_err_t create_new(wn_sys_t *sys, wn_place_t *at, uint32_t flags, bool resolved, int *fd) {
  uint32_t how = (flags & ~(uint32_t)WN_O_DIRECTORY) | WN_O_CREAT | WN_O_EXCL | WN_O_NOFOLLOW;
  wn_err_t err;
  if (!resolved && at->parent_len) {
    if (sys->resolver != WN_RESOLVER_WALK &&
        wn_host_beneath(sys, at->base->fd, at->path, how, sys->file_mode & 0666u, fd, &err))
      return err;
    if ((err = wn_host_walk(sys, at, false))) return err;
  }
  if (at->must_dir) return WN_EISDIR;
  return sys->os->openat(sys->os, at->fd, at->name, how, sys->file_mode & 0666u, fd);
}

static wn_err_t open_or_create(wn_sys_t *sys, wn_place_t *at, const wn_open_t *how, uint32_t flags, bool *made,
                               int *fd) {
  bool follow = how->follow || at->must_dir, resolved = false;
  wn_err_t err;
  if (wn_name_is_self(at->name)) {
    if (at->parent_len && (err = wn_host_resolve(sys, at, false))) return err;
    return how->exclusive ? WN_EEXIST : WN_EISDIR;
  }
  for (int tries = 0; tries < OPEN_TRIES; ++tries) {
    wn_err_t full = at->share ? wn_quota_inode(at->share) : 0;
    if (!full) {
      err = create_new(sys, at, flags, resolved, fd);
      if (!err) {
        *made = true;
        return 0;
      }
      if (at->share) wn_quota_inode_gone(at->share, 0);
      if (err != WN_EEXIST || how->exclusive) return err;
    } else if (how->exclusive) {
      return full;
    }
    err = resolved ? open_name(sys, at, flags, fd) : open_existing(sys, at, flags, follow, fd);
    if (err != WN_ENOENT && !(resolved && err == WN_ELOOP)) return err;
    /* It vanished; or it is a link to what is not there yet, and then the walk says where that would be. */
    if (full) return full;
    if (!follow) continue;
    if ((err = wn_host_walk(sys, at, true))) return err;
    if (wn_name_is_self(at->name)) return WN_EISDIR;
    resolved = true;
  }
  return WN_ENOENT;
}

static uint32_t open_flags(const wn_open_t *how, uint64_t rights) {
  const uint64_t writing = WN_RIGHT_FD_WRITE | WN_RIGHT_FD_ALLOCATE;
  uint32_t flags = WN_O_NONBLOCK;
  if ((rights & writing) || how->truncate) flags |= WN_O_WRITE;
  if ((rights & WN_RIGHT_FD_READ) || !(rights & writing)) flags |= WN_O_READ;
  if (how->directory) flags |= WN_O_DIRECTORY;
  if (how->fdflags & WN_FD_APPEND) flags |= WN_O_APPEND;
  if (how->fdflags & (WN_FD_SYNC | WN_FD_RSYNC)) flags |= WN_O_SYNC;
  else if (how->fdflags & WN_FD_DSYNC) flags |= WN_O_DSYNC;
  return flags;
}

/* The type of what was opened, refused where it is none of ours; emptied where that was asked. */
static wn_err_t open_settle(wn_sys_t *sys, const wn_place_t *at, const wn_open_t *how, int fd, uint8_t *type) {
  wn_stat_t st;
  wn_err_t err = sys->os->fstat(sys->os, fd, &st);
  if (err) return err;
  *type = st.type;
  if (st.type == WN_TYPE_DIRECTORY) return how->create || how->truncate ? WN_EISDIR : 0;
  if (st.type != WN_TYPE_REGULAR) return WN_ENOTCAPABLE;
  if (!how->truncate) return 0;
  if ((err = sys->os->ftruncate(sys->os, fd, 0))) return err;
  if (at->share) wn_quota_refund(at->share, st.size);
  return 0;
}

wn_err_t wn_host_open(wn_sys_t *sys, wn_place_t *at, wn_opening_t *op, wn_obj_t **out) {
  const wn_open_t *how = op->how;
  uint32_t flags = open_flags(how, op->rights);
  wn_obj_t *obj = NULL;
  bool made = false;
  wn_err_t err;
  int fd;
  if (wn_share_read_only(at->share)) {
    if ((flags & WN_O_WRITE) || how->create) return WN_EROFS;
    op->rights &= ~WN_RIGHTS_WRITING;
    op->inheriting &= ~WN_RIGHTS_WRITING;
  }
  if (at->must_dir && !how->create) flags |= WN_O_DIRECTORY;
  /* Room in the table before anything is made or emptied. */
  uint8_t type = WN_TYPE_UNKNOWN;
  if (how->create || how->truncate) type = WN_TYPE_REGULAR;
  else if (flags & WN_O_DIRECTORY) type = WN_TYPE_DIRECTORY;
  if (type && (err = wn_obj_new(sys, type, &obj))) return err;
  err = how->create ? open_or_create(sys, at, how, flags, &made, &fd)
                    : open_existing(sys, at, flags, how->follow || at->must_dir, &fd);
  if (err) {
    if (obj) wn_obj_release(sys, obj);
    return err == WN_ENXIO ? WN_ENOTCAPABLE : err; /* a FIFO or socket that has no other end */
  }
  if (!made && !(flags & WN_O_DIRECTORY)) err = open_settle(sys, at, how, fd, &type);
  if (!err && !obj) err = wn_obj_new(sys, type, &obj);
  if (err) {
    (void)sys->os->close(sys->os, fd);
    if (obj) wn_obj_release(sys, obj);
    return err;
  }
  err = type == WN_TYPE_DIRECTORY ? wn_dir_adopt(sys, obj, fd, at->share)
                                  : wn_file_adopt(sys, obj, fd, (flags & WN_O_WRITE) != 0, how->fdflags, at->share);
  if (err) {
    wn_obj_release(sys, obj);
    return err;
  }
  *out = obj;
  return 0;
}
