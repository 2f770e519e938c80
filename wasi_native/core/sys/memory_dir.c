/* memory_dir.c - directories in memory: the object behind a descriptor, and what can be done to the names in one.
 * Verdicts and their order are those of Linux, so that a guest sees no difference. */
#include <string.h>

#include "core/sys/memory.h"

/* ---- names ---- */

static uint32_t name_hash(const char *name, size_t len) {
  uint32_t h = 2166136261u; /* FNV-1a */
  for (size_t i = 0; i < len; ++i) h = (h ^ (uint8_t)name[i]) * 16777619u;
  return h;
}

wn_entry_t *wn_node_find(const wn_node_t *dir, const char *name) {
  size_t len = strlen(name);
  uint32_t h = name_hash(name, len);
  for (uint32_t i = 0; i < dir->u.dir.count; ++i) {
    wn_entry_t *e = &dir->u.dir.entries[i];
    if (e->hash == h && e->len == len && !memcmp(e->name, name, len)) return e;
  }
  return NULL;
}

/* A directory has a name in parent: count "." and the name, and the ".." of each subdirectory. */
static void dir_bind(wn_node_t *node, wn_node_t *parent) {
  node->u.dir.parent = parent;
  node->nlink = 2;
  for (uint32_t i = 0; i < node->u.dir.count; ++i)
    node->nlink += node->u.dir.entries[i].node->type == WN_TYPE_DIRECTORY;
}

wn_err_t wn_node_add(wn_sys_t *sys, wn_node_t *dir, const char *name, wn_node_t *node) {
  const wn_os_t *os = sys->os;
  size_t len = strlen(name);
  if (dir->u.dir.count == dir->u.dir.cap) {
    if (dir->u.dir.cap >= UINT32_MAX / 2 / sizeof(wn_entry_t)) return WN_ENOSPC;
    uint32_t cap = dir->u.dir.cap ? 2 * dir->u.dir.cap : 8;
    wn_entry_t *entries = os->resize(os, dir->u.dir.entries, sizeof *entries * cap);
    if (!entries) return WN_ENOMEM;
    dir->u.dir.entries = entries;
    dir->u.dir.cap = cap;
  }
  char *copy = os->alloc(os, len + 1);
  if (!copy) return WN_ENOMEM;
  memcpy(copy, name, len);
  dir->u.dir.entries[dir->u.dir.count++] = (wn_entry_t){
      .seq = dir->u.dir.next_seq++, .node = node, .name = copy, .len = (uint32_t)len, .hash = name_hash(name, len)};
  ++node->refs;
  ++node->nlink;
  if (node->type == WN_TYPE_DIRECTORY) {
    dir_bind(node, dir);
    ++dir->nlink;
  }
  wn_node_changed(sys, node, false);
  wn_node_changed(sys, dir, true);
  return 0;
}

/* Take the name away; the node goes with its last reference. */
static void name_remove(wn_sys_t *sys, wn_node_t *dir, wn_entry_t *e) {
  wn_node_t *node = e->node;
  uint32_t at = (uint32_t)(e - dir->u.dir.entries);
  sys->os->free(sys->os, e->name);
  memmove(e, e + 1, sizeof *e * (dir->u.dir.count - at - 1));
  --dir->u.dir.count;
  if (node->type == WN_TYPE_DIRECTORY) {
    node->u.dir.parent = NULL;
    node->nlink = 0;
    --dir->nlink;
  } else {
    --node->nlink;
  }
  wn_node_changed(sys, node, false);
  wn_node_changed(sys, dir, true);
  wn_node_release(sys, node);
}

/* The node of a place; NOENT. */
static wn_err_t place_node(const wn_place_t *at, wn_node_t **out) {
  if (wn_name_is_self(at->name)) {
    *out = at->node;
    return 0;
  }
  const wn_entry_t *e = wn_node_find(at->node, at->name);
  if (!e) return WN_ENOENT;
  *out = e->node;
  return 0;
}

/* Whether a new name may be made there: EXIST; NOENT in a removed directory, and for a slash behind what will not
 * be a directory. */
static wn_err_t place_free(const wn_place_t *at, bool directory) {
  wn_node_t *node;
  if (!place_node(at, &node)) return WN_EEXIST;
  return at->node->nlink == 0 || (at->must_dir && !directory) ? WN_ENOENT : 0;
}

/* Make a node and its name, one inode of the account. */
static wn_err_t place_make(wn_sys_t *sys, const wn_place_t *at, uint8_t type, wn_node_t **out) {
  wn_memory_t *fs = at->node->fs;
  wn_node_t *node;
  wn_err_t err = wn_quota_inode(fs->share);
  if (err) return err;
  if (!(err = wn_node_new(sys, fs, type, &node))) {
    err = wn_node_add(sys, at->node, at->name, node);
    *out = node; /* the name keeps it */
    wn_node_release(sys, node);
  }
  if (err) wn_quota_inode_gone(fs->share, 0);
  return err;
}

/* ---- the walk ---- */

typedef struct wn_memory_walk {
  wn_node_t *base, *dir;
} wn_memory_walk_t;

static wn_err_t memory_enter(void *self, const char *name) {
  wn_memory_walk_t *w = self;
  const wn_entry_t *e = wn_node_find(w->dir, name);
  if (!e) return WN_ENOENT;
  if (e->node->type != WN_TYPE_DIRECTORY) return WN_ENOTDIR;
  w->dir = e->node;
  return 0;
}

static wn_err_t memory_up(void *self) {
  wn_memory_walk_t *w = self;
  if (w->dir == w->base || !w->dir->u.dir.parent) return WN_EPERM;
  w->dir = w->dir->u.dir.parent;
  return 0;
}

static wn_err_t node_readlink(const wn_node_t *node, char *buf, size_t len, size_t *done) {
  if (node->type != WN_TYPE_SYMLINK) return WN_EINVAL;
  *done = node->u.file.size < len ? (size_t)node->u.file.size : len;
  memcpy(buf, node->u.file.bytes, *done);
  return 0;
}

static wn_err_t memory_link_text(void *self, const char *name, char *buf, size_t len, size_t *done) {
  wn_memory_walk_t *w = self;
  const wn_entry_t *e = wn_node_find(w->dir, name);
  return e ? node_readlink(e->node, buf, len, done) : WN_ENOENT;
}

static const wn_steps_t memory_steps = {memory_enter, memory_up, memory_link_text};

static wn_err_t memory_resolve(wn_sys_t *sys, wn_place_t *at, bool follow) {
  wn_memory_walk_t w = {at->base->u.mem.node, at->base->u.mem.node};
  wn_err_t err = wn_walk(sys, &memory_steps, &w, follow, at);
  at->node = w.dir;
  return err;
}

static void memory_leave(wn_sys_t *sys, wn_place_t *at) { (void)sys, (void)at; }

/* ---- operations on names ---- */

static wn_err_t memory_stat(wn_sys_t *sys, const wn_place_t *at, wn_stat_t *st) {
  wn_node_t *node;
  wn_err_t err = place_node(at, &node);
  return err ? err : wn_node_stat(sys, node, st);
}

static wn_err_t memory_set_times(wn_sys_t *sys, const wn_place_t *at, int64_t atim, int64_t mtim) {
  wn_node_t *node;
  wn_err_t err = place_node(at, &node);
  return err ? err : wn_node_set_times(sys, node, atim, mtim);
}

static wn_err_t memory_create_directory(wn_sys_t *sys, const wn_place_t *at) {
  wn_node_t *node;
  wn_err_t err = place_free(at, true);
  return err ? err : place_make(sys, at, WN_TYPE_DIRECTORY, &node);
}

static wn_err_t memory_remove_directory(wn_sys_t *sys, const wn_place_t *at) {
  if (wn_name_is_self(at->name)) return WN_EINVAL;
  wn_entry_t *e = wn_node_find(at->node, at->name);
  if (!e) return WN_ENOENT;
  if (e->node->type != WN_TYPE_DIRECTORY) return WN_ENOTDIR;
  if (e->node->u.dir.count) return WN_ENOTEMPTY;
  name_remove(sys, at->node, e);
  wn_quota_inode_gone(at->share, 0);
  return 0;
}

static wn_err_t memory_unlink_file(wn_sys_t *sys, const wn_place_t *at) {
  if (wn_name_is_self(at->name)) return WN_EISDIR;
  wn_entry_t *e = wn_node_find(at->node, at->name);
  if (!e) return WN_ENOENT;
  if (e->node->type == WN_TYPE_DIRECTORY) return WN_EISDIR;
  if (at->must_dir) return WN_ENOTDIR;
  if (e->node->mounted) return WN_EPERM;
  name_remove(sys, at->node, e);
  wn_quota_inode_gone(at->share, 0);
  return 0;
}

static wn_err_t memory_link(wn_sys_t *sys, const wn_place_t *from, const wn_place_t *to) {
  wn_node_t *node;
  wn_err_t err = place_node(from, &node);
  if (err) return err;
  if (from->must_dir && node->type != WN_TYPE_DIRECTORY) return WN_ENOTDIR;
  if (!from->must_dir && (err = place_free(to, false))) return err;
  if (node->type == WN_TYPE_DIRECTORY || node->mounted) return WN_EPERM;
  if (node->fs != to->node->fs) return WN_EXDEV;
  if ((err = wn_quota_inode(to->share))) return err;
  err = wn_node_add(sys, to->node, to->name, node);
  if (err) wn_quota_inode_gone(to->share, 0);
  return err;
}

/* Whether dir is node or anywhere below it. */
static bool node_below(const wn_node_t *node, const wn_node_t *dir) {
  for (; dir; dir = dir->u.dir.parent) {
    if (dir == node) return true;
  }
  return false;
}

static wn_err_t memory_rename(wn_sys_t *sys, const wn_place_t *from, const wn_place_t *to) {
  wn_node_t *node = NULL, *over = NULL;
  wn_err_t err = place_node(from, &node);
  bool slash = from->must_dir || to->must_dir;
  if (err && slash) return err;
  if (slash && node->type != WN_TYPE_DIRECTORY) return WN_ENOTDIR;
  if (wn_name_is_self(from->name) || wn_name_is_self(to->name)) return WN_EBUSY;
  if (err) return err;
  if (node->fs != to->node->fs) return WN_EXDEV;
  bool directory = node->type == WN_TYPE_DIRECTORY;
  wn_entry_t *target = wn_node_find(to->node, to->name);
  if (directory && node_below(node, to->node)) return WN_EINVAL;
  if (target) {
    over = target->node;
    if (over == node) return 0; /* two names of one file: both stay */
    if (over->type == WN_TYPE_DIRECTORY && node_below(over, from->node)) return WN_ENOTEMPTY;
    if (directory && over->type != WN_TYPE_DIRECTORY) return WN_ENOTDIR;
    if (!directory && over->type == WN_TYPE_DIRECTORY) return WN_EISDIR;
    if (directory && over->u.dir.count) return WN_ENOTEMPTY;
  } else if (to->node->nlink == 0) {
    return WN_ENOENT;
  }
  if (node->mounted || (over && over->mounted)) return WN_EPERM;
  /* The new name first: whatever fails, fails before anything has changed. */
  ++node->refs;
  if (!(err = wn_node_add(sys, to->node, to->name, node))) {
    if (over) {
      name_remove(sys, to->node, wn_node_find(to->node, to->name)); /* the older of the two comes first */
      wn_quota_inode_gone(to->share, 0);
    }
    name_remove(sys, from->node, wn_node_find(from->node, from->name));
    if (directory) { /* name_remove took the node for removed */
      dir_bind(node, to->node);
    }
  }
  wn_node_release(sys, node);
  return err;
}

static wn_err_t memory_symlink(wn_sys_t *sys, const char *target, const wn_place_t *at) {
  size_t len = strlen(target);
  wn_node_t *node;
  wn_err_t err = place_free(at, false);
  if (err) return err;
  if (len >= WN_PATH_MAX) return WN_ENAMETOOLONG;
  if ((err = place_make(sys, at, WN_TYPE_SYMLINK, &node))) return err;
  err = wn_node_resize(sys, node, len);
  if (!err) {
    memcpy(node->u.file.bytes, target, len);
    return 0;
  }
  name_remove(sys, at->node, wn_node_find(at->node, at->name));
  wn_quota_inode_gone(at->share, 0);
  return err;
}

static wn_err_t memory_readlink(wn_sys_t *sys, const wn_place_t *at, char *buf, size_t len, size_t *done) {
  wn_node_t *node;
  wn_err_t err = place_node(at, &node);
  (void)sys;
  return err ? err : node_readlink(node, buf, len, done);
}

/* ---- open ---- */

/* A mounted file: the host's, on a description of its own, by the grant of this file. */
static wn_err_t open_mounted(wn_sys_t *sys, const wn_node_t *node, wn_opening_t *op, wn_obj_t **out) {
  const wn_open_t *how = op->how;
  wn_share_t *share = node->u.host.share;
  bool write = (op->rights & (WN_RIGHT_FD_WRITE | WN_RIGHT_FD_ALLOCATE)) || how->truncate;
  uint32_t flags = WN_O_NONBLOCK;
  wn_obj_t *obj;
  wn_stat_t st;
  int fd;
  if (wn_share_read_only(share)) {
    if (write) return WN_EROFS;
    op->rights &= ~WN_RIGHTS_WRITING;
  }
  if (write) flags |= WN_O_WRITE;
  if ((op->rights & WN_RIGHT_FD_READ) || !(op->rights & (WN_RIGHT_FD_WRITE | WN_RIGHT_FD_ALLOCATE)))
    flags |= WN_O_READ;
  if (how->fdflags & WN_FD_APPEND) flags |= WN_O_APPEND;
  if (how->fdflags & (WN_FD_SYNC | WN_FD_RSYNC)) flags |= WN_O_SYNC;
  if (how->fdflags & WN_FD_DSYNC) flags |= WN_O_DSYNC;
  wn_err_t err = wn_obj_new(sys, node->type, &obj);
  if (err) return err;
  if (!(err = sys->os->reopen(sys->os, node->u.host.fd, flags, &fd))) {
    if (how->truncate && node->type == WN_TYPE_REGULAR) {
      err = sys->os->fstat(sys->os, fd, &st);
      if (!err && !(err = sys->os->ftruncate(sys->os, fd, 0))) wn_quota_refund(share, st.size);
    }
    if (err) {
      (void)sys->os->close(sys->os, fd);
    } else if (!(err = wn_file_adopt(sys, obj, fd, write, how->fdflags, share))) {
      *out = obj;
      return 0;
    }
  }
  wn_obj_release(sys, obj);
  return err;
}

static wn_err_t memory_open(wn_sys_t *sys, wn_place_t *at, wn_opening_t *op, wn_obj_t **out) {
  const wn_open_t *how = op->how;
  bool write = (op->rights & (WN_RIGHT_FD_WRITE | WN_RIGHT_FD_ALLOCATE)) || how->truncate;
  bool read_only = wn_share_read_only(at->share);
  bool follow = (how->follow || at->must_dir) && !(how->create && how->exclusive);
  wn_node_t *node;
  wn_obj_t *obj;
  wn_err_t err = at->parent_len ? memory_resolve(sys, at, false) : 0;
  if (err) return err;
  if (how->create && wn_name_is_self(at->name)) return how->exclusive ? WN_EEXIST : WN_EISDIR;
  if (how->create && at->must_dir) return WN_EISDIR;
  err = place_node(at, &node);
  if (!err && node->type == WN_TYPE_SYMLINK && follow) {
    if ((err = memory_resolve(sys, at, true))) return err;
    err = place_node(at, &node);
  }
  if (err == WN_ENOENT && how->create) {
    if (at->must_dir) return WN_EISDIR; /* a link to a name that ends in a slash */
    if (read_only) return WN_EROFS;
    if (at->node->nlink == 0) return WN_ENOENT;
    if ((err = wn_obj_new(sys, WN_TYPE_REGULAR, &obj))) return err;
    if ((err = place_make(sys, at, WN_TYPE_REGULAR, &node))) {
      wn_obj_release(sys, obj);
      return err;
    }
    wn_memory_adopt_file(obj, node, write, how->fdflags);
    *out = obj;
    return 0;
  }
  if (err) return err;
  if (how->create && how->exclusive) return WN_EEXIST;
  if (node->type == WN_TYPE_SYMLINK) return how->directory ? WN_ENOTDIR : WN_ELOOP;
  if (node->type == WN_TYPE_DIRECTORY) {
    if (how->create || write) return WN_EISDIR;
    if (read_only) op->rights &= ~WN_RIGHTS_WRITING | WN_RIGHT_PATH_CREATE_FILE | WN_RIGHT_PATH_FILESTAT_SET_SIZE;
    if ((err = wn_obj_new(sys, WN_TYPE_DIRECTORY, &obj))) return err;
    wn_memory_adopt_dir(obj, node);
    *out = obj;
    return 0;
  }
  if (how->directory || at->must_dir) return WN_ENOTDIR;
  if (node->mounted) return open_mounted(sys, node, op, out);
  if (read_only) {
    if (write) return WN_EROFS;
    op->rights &= ~WN_RIGHTS_WRITING;
  }
  if ((err = wn_obj_new(sys, WN_TYPE_REGULAR, &obj))) return err;
  if (how->truncate) {
    (void)wn_node_resize(sys, node, 0);
    wn_node_changed(sys, node, true);
  }
  wn_memory_adopt_file(obj, node, write, how->fdflags);
  *out = obj;
  return 0;
}

const wn_tree_t wn_memory_tree = {
    .resolve = memory_resolve,
    .leave = memory_leave,
    .stat = memory_stat,
    .set_times = memory_set_times,
    .create_directory = memory_create_directory,
    .remove_directory = memory_remove_directory,
    .unlink_file = memory_unlink_file,
    .link = memory_link,
    .rename = memory_rename,
    .symlink = memory_symlink,
    .readlink = memory_readlink,
    .open = memory_open,
};

/* ---- the object ---- */

static void dir_close(wn_sys_t *sys, wn_obj_t *obj) { wn_node_release(sys, obj->u.mem.node); }

static wn_err_t dir_stat(wn_sys_t *sys, wn_obj_t *obj, wn_stat_t *st) {
  return wn_node_stat(sys, obj->u.mem.node, st);
}

static wn_err_t dir_sync(wn_sys_t *sys, wn_obj_t *obj, bool data_only) {
  (void)sys, (void)obj, (void)data_only;
  return 0;
}

static wn_err_t dir_set_times(wn_sys_t *sys, wn_obj_t *obj, int64_t atim, int64_t mtim) {
  if (wn_share_read_only(obj->share)) return WN_EROFS;
  return wn_node_set_times(sys, obj->u.mem.node, atim, mtim);
}

static wn_err_t dir_set_flags(wn_sys_t *sys, wn_obj_t *obj, uint16_t fdflags) {
  (void)sys;
  obj->fdflags = fdflags & WN_FD_NONBLOCK;
  return 0;
}

/* Cookies: 0 is ".", 1 is "..", then 2 + seq. */
static wn_err_t dir_read(wn_sys_t *sys, wn_obj_t *obj, uint64_t cookie, wn_dirent_t *out, bool *end) {
  const wn_node_t *dir = obj->u.mem.node;
  wn_stat_t st;
  *end = dir->nlink == 0; /* removed: no entries, as on the host */
  if (*end) return 0;
  if (cookie < 2) {
    *out = (wn_dirent_t){.next = cookie + 1,
                         .ino = dir->ino,
                         .name = cookie ? ".." : ".",
                         .name_len = (uint32_t)cookie + 1,
                         .type = WN_TYPE_DIRECTORY};
    return 0;
  }
  uint32_t low = 0, high = dir->u.dir.count;
  while (low < high) { /* the first entry that is not before the cookie */
    uint32_t mid = low + (high - low) / 2;
    if (dir->u.dir.entries[mid].seq < cookie - 2) low = mid + 1;
    else high = mid;
  }
  if (low == dir->u.dir.count) {
    *end = true;
    return 0;
  }
  const wn_entry_t *e = &dir->u.dir.entries[low];
  *out = (wn_dirent_t){
      .next = e->seq + 3, .ino = e->node->ino, .name = e->name, .name_len = e->len, .type = e->node->type};
  if (e->node->mounted && !wn_node_stat(sys, e->node, &st)) out->ino = st.ino;
  return 0;
}

static const wn_obj_ops_t dir_ops = {
    .kind = "memory directory",
    .close = dir_close,
    .stat = dir_stat,
    .sync = dir_sync,
    .set_times = dir_set_times,
    .set_flags = dir_set_flags,
    .read_dir = dir_read,
};

void wn_memory_adopt_dir(wn_obj_t *obj, wn_node_t *node) {
  obj->ops = &dir_ops;
  obj->type = WN_TYPE_DIRECTORY;
  obj->u.mem.node = node;
  ++node->refs;
  obj->share = node->fs->share;
  ++obj->share->refs;
}
