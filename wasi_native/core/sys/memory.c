/* memory.c - files in memory, their nodes, and the grants that make and fill such a file system. */
#include "core/sys/memory.h"

#include <string.h>

#define MEMORY_BYTES 1048576u
#define MEMORY_INODES 1000u
#define MEMORY_DEV 0x776e0000u /* plus the descriptor: devices that no kernel has */

/* ---- nodes ---- */

static int64_t node_now(wn_sys_t *sys) {
  uint64_t ns = 0;
  if (wn_clock_time(sys, WN_CLOCK_REALTIME, &ns) || ns > INT64_MAX) return 0;
  return (int64_t)ns;
}

wn_err_t wn_node_new(wn_sys_t *sys, wn_memory_t *fs, uint8_t type, wn_node_t **out) {
  wn_node_t *node = sys->os->alloc(sys->os, sizeof *node);
  if (!node) return WN_ENOMEM;
  node->fs = fs;
  node->refs = 1;
  node->type = type;
  node->ino = fs->next_ino++;
  node->atim = node->mtim = node->ctim = node_now(sys);
  ++fs->nodes;
  *out = node;
  return 0;
}

static void memory_release(wn_sys_t *sys, wn_memory_t *fs) {
  if (fs->nodes) return;
  wn_share_release(sys, fs->share);
  sys->os->free(sys->os, fs);
}

/* Free what a node without references holds. Directories are emptied into `rest`, a list through dir.parent, so that
 * a deep tree costs no stack. */
static void node_free(wn_sys_t *sys, wn_node_t *node, wn_node_t **rest) {
  const wn_os_t *os = sys->os;
  wn_memory_t *fs = node->fs;
  if (node->mounted) {
    (void)os->close(os, node->u.host.fd);
    wn_share_release(sys, node->u.host.share);
  } else if (node->type == WN_TYPE_DIRECTORY) {
    for (uint32_t i = 0; i < node->u.dir.count; ++i) {
      wn_node_t *child = node->u.dir.entries[i].node;
      os->free(os, node->u.dir.entries[i].name);
      if (child->type == WN_TYPE_DIRECTORY) child->u.dir.parent = NULL;
      if (--child->refs) continue;
      if (child->type == WN_TYPE_DIRECTORY) {
        child->u.dir.parent = *rest;
        *rest = child;
      } else {
        node_free(sys, child, rest);
      }
    }
    os->free(os, node->u.dir.entries);
  } else {
    wn_quota_refund(fs->share, node->u.file.size);
    os->free(os, node->u.file.bytes);
  }
  os->free(os, node);
  --fs->nodes;
}

void wn_node_release(wn_sys_t *sys, wn_node_t *node) {
  if (--node->refs) return;
  wn_memory_t *fs = node->fs;
  wn_node_t *rest = NULL;
  node_free(sys, node, &rest);
  while (rest) {
    node = rest;
    rest = node->u.dir.parent;
    node_free(sys, node, &rest);
  }
  memory_release(sys, fs);
}

wn_err_t wn_node_stat(wn_sys_t *sys, const wn_node_t *node, wn_stat_t *st) {
  if (node->mounted) return sys->os->fstat(sys->os, node->u.host.fd, st);
  *st = (wn_stat_t){.dev = node->fs->dev,
                    .ino = node->ino,
                    .nlink = node->nlink,
                    .atim = node->atim,
                    .mtim = node->mtim,
                    .ctim = node->ctim,
                    .type = node->type};
  if (node->type != WN_TYPE_DIRECTORY) st->size = node->u.file.size;
  return 0;
}

wn_err_t wn_node_set_times(wn_sys_t *sys, wn_node_t *node, int64_t atim, int64_t mtim) {
  if (node->mounted) {
    int fd;
    if (wn_share_read_only(node->u.host.share)) return WN_EROFS;
    if (node->type != WN_TYPE_REGULAR) return WN_EPERM;
    wn_err_t err = sys->os->reopen(sys->os, node->u.host.fd, WN_O_READ | WN_O_NONBLOCK, &fd);
    if (err) return err;
    err = sys->os->futimens(sys->os, fd, atim, mtim);
    (void)sys->os->close(sys->os, fd);
    return err;
  }
  if (atim == WN_TIME_KEEP && mtim == WN_TIME_KEEP) return 0; /* and ctim stays too, as on Linux */
  int64_t now = node_now(sys);
  if (atim != WN_TIME_KEEP) node->atim = atim == WN_TIME_NOW ? now : atim;
  if (mtim != WN_TIME_KEEP) node->mtim = mtim == WN_TIME_NOW ? now : mtim;
  node->ctim = now;
  return 0;
}

void wn_node_changed(wn_sys_t *sys, wn_node_t *node, bool contents) {
  if (node->mounted) return;
  node->ctim = node_now(sys);
  if (contents) node->mtim = node->ctim;
}

wn_err_t wn_node_resize(wn_sys_t *sys, wn_node_t *node, uint64_t size) {
  wn_share_t *share = node->fs->share;
  uint64_t had = node->u.file.size, cap = node->u.file.cap, taken = 0;
  if (size <= had) {
    wn_quota_refund(share, had - size);
    node->u.file.size = size;
    if (size == 0) {
      sys->os->free(sys->os, node->u.file.bytes);
      node->u.file.bytes = NULL;
      node->u.file.cap = 0;
    } else if (size < cap / 2) {
      /* What the account got back, the host gets back. */
      uint8_t *less = sys->os->resize(sys->os, node->u.file.bytes, (size_t)size);
      if (less) {
        node->u.file.bytes = less;
        node->u.file.cap = size;
      }
    }
    return 0;
  }
  if (size > SIZE_MAX / 2) return WN_EFBIG;
  wn_err_t err = wn_quota_grow(share, had, size, &taken);
  if (err) return err;
  if (size > cap) {
    /* By doubling, so that appending is cheap, but never beyond what the grant could fill. */
    uint64_t most = share->grant.quota_bytes, want = cap < 256 ? 256 : 2 * cap;
    if (want > most) want = most;
    if (want < size) want = size;
    uint8_t *bytes = sys->os->resize(sys->os, node->u.file.bytes, (size_t)want);
    if (!bytes) {
      wn_quota_refund(share, taken);
      return WN_ENOSPC;
    }
    node->u.file.bytes = bytes;
    node->u.file.cap = want;
  }
  memset(node->u.file.bytes + had, 0, (size_t)(size - had));
  node->u.file.size = size;
  return 0;
}

/* ---- an open file ---- */

static void file_close(wn_sys_t *sys, wn_obj_t *obj) { wn_node_release(sys, obj->u.mem.node); }

static wn_err_t file_preadv(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t off,
                            uint64_t *done) {
  const wn_node_t *node = obj->u.mem.node;
  uint64_t total = 0;
  (void)sys;
  if (off > INT64_MAX) return WN_EINVAL;
  for (uint32_t i = 0; i < n && off < node->u.file.size; ++i) {
    uint64_t left = node->u.file.size - off;
    size_t len = iov[i].len < left ? iov[i].len : (size_t)left;
    memcpy(iov[i].ptr, node->u.file.bytes + off, len);
    off += len;
    total += len;
  }
  *done = total;
  return 0;
}

static wn_err_t file_pwritev(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t off,
                             uint64_t *done) {
  wn_node_t *node = obj->u.mem.node;
  uint64_t total = 0;
  if (!obj->writable) return WN_EBADF;
  if (off > INT64_MAX) return WN_EINVAL;
  if (obj->fdflags & WN_FD_APPEND) off = node->u.file.size; /* as Linux; POSIX would write at off */
  for (uint32_t i = 0; i < n; ++i) total += iov[i].len;
  if (total > INT64_MAX - off) return WN_EFBIG;
  uint64_t end = off + total, had = node->u.file.size;
  if (end > had) {
    wn_err_t err = wn_node_resize(sys, node, end);
    if (err == WN_EDQUOT || err == WN_EFBIG) {
      /* As much as there is room for, as on a disk that fills up. */
      uint64_t reach = wn_quota_reach(node->fs->share, had);
      if (reach > off && reach > had) err = wn_node_resize(sys, node, end = reach);
      else if (off < had) {
        end = had;
        err = 0;
      }
    }
    if (err) return err;
  }
  total = 0;
  for (uint32_t i = 0; i < n && off < end; ++i) {
    uint64_t left = end - off;
    size_t len = iov[i].len < left ? iov[i].len : (size_t)left;
    memcpy(node->u.file.bytes + off, iov[i].ptr, len);
    off += len;
    total += len;
  }
  wn_node_changed(sys, node, true);
  *done = total;
  return 0;
}

static wn_err_t file_readv(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  wn_err_t err = file_preadv(sys, obj, iov, n, obj->u.mem.pos, done);
  if (!err) obj->u.mem.pos += *done;
  return err;
}

static wn_err_t file_writev(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done) {
  uint64_t pos = obj->fdflags & WN_FD_APPEND ? obj->u.mem.node->u.file.size : obj->u.mem.pos;
  wn_err_t err = file_pwritev(sys, obj, iov, n, pos, done);
  if (!err) obj->u.mem.pos = pos + *done;
  return err;
}

static wn_err_t file_seek(wn_sys_t *sys, wn_obj_t *obj, int64_t off, uint32_t whence, uint64_t *pos) {
  int64_t from;
  (void)sys;
  switch (whence) {
    case WN_SEEK_SET:
      from = 0;
      break;
    case WN_SEEK_CUR:
      from = (int64_t)obj->u.mem.pos;
      break;
    case WN_SEEK_END:
      from = (int64_t)obj->u.mem.node->u.file.size;
      break;
    default:
      return WN_EINVAL;
  }
  if (off > INT64_MAX - from) return WN_EOVERFLOW; /* from is never negative */
  if (from + off < 0) return WN_EINVAL;
  *pos = obj->u.mem.pos = (uint64_t)(from + off);
  return 0;
}

static wn_err_t file_stat(wn_sys_t *sys, wn_obj_t *obj, wn_stat_t *st) {
  return wn_node_stat(sys, obj->u.mem.node, st);
}

static wn_err_t file_set_size(wn_sys_t *sys, wn_obj_t *obj, uint64_t size) {
  if (!obj->writable) return WN_EINVAL; /* as ftruncate(2) */
  if (size > INT64_MAX) return WN_EINVAL;
  wn_err_t err = wn_node_resize(sys, obj->u.mem.node, size);
  if (!err) wn_node_changed(sys, obj->u.mem.node, true);
  return err;
}

static wn_err_t file_allocate(wn_sys_t *sys, wn_obj_t *obj, uint64_t off, uint64_t len) {
  if (!obj->writable) return WN_EBADF;
  if (off > INT64_MAX || len == 0 || len > INT64_MAX) return WN_EINVAL;
  if (len > INT64_MAX - off) return WN_EFBIG;
  if (off + len <= obj->u.mem.node->u.file.size) return 0;
  return file_set_size(sys, obj, off + len);
}

static wn_err_t file_advise(wn_sys_t *sys, wn_obj_t *obj, uint64_t off, uint64_t len, uint32_t advice) {
  (void)sys, (void)obj;
  return off > INT64_MAX || len > INT64_MAX || advice > 5 ? WN_EINVAL : 0;
}

static wn_err_t file_sync(wn_sys_t *sys, wn_obj_t *obj, bool data_only) {
  (void)sys, (void)obj, (void)data_only;
  return 0;
}

static wn_err_t file_set_times(wn_sys_t *sys, wn_obj_t *obj, int64_t atim, int64_t mtim) {
  if (wn_share_read_only(obj->share)) return WN_EROFS;
  return wn_node_set_times(sys, obj->u.mem.node, atim, mtim);
}

static wn_err_t file_set_flags(wn_sys_t *sys, wn_obj_t *obj, uint16_t fdflags) {
  (void)sys;
  obj->fdflags = fdflags;
  return 0;
}

static wn_err_t file_available(wn_sys_t *sys, wn_obj_t *obj, uint64_t *bytes) {
  uint64_t size = obj->u.mem.node->u.file.size;
  (void)sys;
  *bytes = size > obj->u.mem.pos ? size - obj->u.mem.pos : 0;
  return 0;
}

static const wn_obj_ops_t file_ops = {
    .kind = "memory file",
    .close = file_close,
    .readv = file_readv,
    .writev = file_writev,
    .preadv = file_preadv,
    .pwritev = file_pwritev,
    .seek = file_seek,
    .stat = file_stat,
    .set_size = file_set_size,
    .allocate = file_allocate,
    .advise = file_advise,
    .sync = file_sync,
    .set_times = file_set_times,
    .set_flags = file_set_flags,
    .available = file_available,
};

void wn_memory_adopt_file(wn_obj_t *obj, wn_node_t *node, bool writable, uint16_t fdflags) {
  obj->ops = &file_ops;
  obj->type = WN_TYPE_REGULAR;
  obj->fdflags = fdflags;
  obj->writable = writable;
  obj->u.mem.node = node;
  obj->u.mem.pos = 0;
  ++node->refs;
  obj->share = node->fs->share;
  ++obj->share->refs;
}

/* ---- the embedder's calls ---- */

static wn_err_t memory_new(wn_sys_t *sys, const wn_grant_t *grant, wn_node_t **root) {
  wn_grant_t full = grant ? *grant : (wn_grant_t){0};
  if (!full.quota_bytes) full.quota_bytes = MEMORY_BYTES;
  if (!full.quota_inodes) full.quota_inodes = MEMORY_INODES;
  wn_memory_t *fs = sys->os->alloc(sys->os, sizeof *fs);
  if (!fs) return WN_ENOMEM;
  wn_err_t err = wn_share_new(sys, &full, &fs->share);
  if (err) {
    sys->os->free(sys->os, fs);
    return err;
  }
  fs->next_ino = 1;
  fs->dev = MEMORY_DEV;
  err = wn_node_new(sys, fs, WN_TYPE_DIRECTORY, root);
  if (err) memory_release(sys, fs);
  return err;
}

WN_API wn_err_t wn_sys_preopen_memory(wn_sys_t *sys, wn_str_t guest, const wn_grant_t *grant, uint32_t *fd) {
  uint64_t rights = WN_RIGHTS_DIR, inheriting = WN_RIGHTS_DIR | WN_RIGHTS_FILE;
  wn_node_t *root;
  wn_obj_t *obj;
  uint32_t at;
  wn_err_t err = memory_new(sys, grant, &root);
  if (err) return err;
  /* Read-only: nothing can be made here, but a mounted file may be writable by its own grant. The rights to open
   * with CREAT and TRUNC stay for it; the share refuses the rest. */
  if (wn_share_read_only(root->fs->share))
    rights &= ~WN_RIGHTS_WRITING | WN_RIGHT_PATH_CREATE_FILE | WN_RIGHT_PATH_FILESTAT_SET_SIZE;
  if (!(err = wn_obj_new(sys, WN_TYPE_DIRECTORY, &obj))) {
    root->nlink = 2;
    wn_memory_adopt_dir(obj, root);
    if ((err = wn_table_insert(sys, obj, rights, inheriting, 3, &at))) {
      wn_obj_release(sys, obj);
    } else if ((err = wn_table_set_preopen(sys, at, guest))) {
      (void)wn_table_close(sys, at);
    } else {
      root->fs->dev = MEMORY_DEV + at;
      *fd = at;
    }
  }
  wn_node_release(sys, root);
  return err;
}

/* A new, unbound node for a file of the host. */
static wn_err_t mount_new(wn_sys_t *sys, wn_memory_t *fs, const char *host, const wn_grant_t *grant,
                          wn_node_t **out) {
  const wn_os_t *os = sys->os;
  uint32_t flags = grant ? grant->flags : 0;
  wn_stat_t st;
  wn_share_t *share;
  int fd, probe;
  wn_err_t err = os->open(os, host, WN_O_PATH, &fd);
  if (err) return err;
  if (!(err = os->fstat(os, fd, &st))) {
    if (st.type == WN_TYPE_REGULAR) {
      /* What open(2) would say is said now, not to the guest. Opening a device could do something. */
      uint32_t mode = flags & WN_GRANT_READ_ONLY ? WN_O_READ : WN_O_READ | WN_O_WRITE;
      if (!(err = os->reopen(os, fd, mode | WN_O_NONBLOCK, &probe))) (void)os->close(os, probe);
    } else if (st.type != WN_TYPE_CHARACTER || !(flags & WN_GRANT_DEVICE)) {
      err = WN_EINVAL;
    }
  }
  if (!err && !(err = wn_share_new(sys, grant, &share))) {
    err = wn_node_new(sys, fs, st.type, out);
    if (err) wn_share_release(sys, share);
  }
  if (err) {
    (void)os->close(os, fd);
    return err;
  }
  (*out)->mounted = true;
  (*out)->u.host.fd = fd;
  (*out)->u.host.share = share;
  return 0;
}

WN_API wn_err_t wn_sys_mount_file(wn_sys_t *sys, uint32_t dir_fd, wn_str_t name, const char *host,
                                  const wn_grant_t *grant) {
  char text[WN_NAME_MAX + 1];
  wn_desc_t *desc;
  wn_node_t *node;
  wn_err_t err = wn_table_get(&sys->table, dir_fd, 0, &desc);
  if (err) return err;
  if (desc->obj->type != WN_TYPE_DIRECTORY || desc->obj->fd >= 0) return WN_EINVAL;
  if (name.len > WN_NAME_MAX) return WN_ENAMETOOLONG;
  if (!name.len || memchr(name.ptr, '/', name.len) || memchr(name.ptr, 0, name.len)) return WN_EINVAL;
  memcpy(text, name.ptr, name.len);
  text[name.len] = 0;
  if (wn_name_is_self(text) || !strcmp(text, "..")) return WN_EINVAL;
  wn_node_t *dir = desc->obj->u.mem.node;
  if (wn_node_find(dir, text)) return WN_EEXIST;
  if ((err = mount_new(sys, dir->fs, host, grant, &node))) return err;
  err = wn_node_add(sys, dir, text, node); /* not an inode of the guest's: it did not make it */
  wn_node_release(sys, node);
  return err;
}
