/* path.c - the operations on paths: text to place, place to operation, for both trees.
 *
 * Here are the rights, the rules of the text and the meaning of a trailing slash. What a name is and does is
 * asked of the place's tree (path.h).
 *
 * Errnos that every function here can answer, not repeated at each:
 *   BADF        dir is not open
 *   NOTCAPABLE  dir lacks the right for the operation
 *   NOTDIR      dir, or a name on the way, is not a directory
 *   NOENT       the path is empty, or a name on the way is missing
 *   PERM        the path is absolute, or it, or a link on the way, would leave dir
 *   LOOP        more than 40 links on the way
 *   NAMETOOLONG a path of 4096 bytes or more, a name of more than 255
 *   ROFS        the grant is read-only (and the right was there all the same)
 *   and what the kernel says: ACCES, IO, NOMEM, NOSPC ...
 */
#include "core/sys/path.h"

#include <string.h>

/* The text alone: which bytes are the way, which are the name. Nothing is looked up. */
static wn_err_t place_text(wn_place_t *at, const char *path) {
  if (!path[0]) return WN_ENOENT;
  if (path[0] == '/') return WN_EPERM;
  if (strlen(path) >= WN_PATH_MAX) return WN_ENAMETOOLONG;
  at->must_dir = false;
  while (path[0] == '.' && path[1] == '/') {
    for (++path; *path == '/'; ++path) {
    }
  }
  size_t len = strlen(path), end = len;
  while (end && path[end - 1] == '/') --end;
  size_t start = end;
  while (start && path[start - 1] != '/') --start;
  size_t n = end - start;
  at->path = n ? path : ".";
  at->parent_len = start;
  at->name = ".";
  if (n == 0 || (n == 1 && path[start] == '.')) return 0;
  if (n == 2 && path[start] == '.' && path[start + 1] == '.') {
    at->parent_len = len; /* all of it is the way, the name is the directory where it ends */
    return 0;
  }
  if (n > WN_NAME_MAX) return WN_ENAMETOOLONG;
  at->name = path + start;
  if (end < len) {
    at->must_dir = true;
    memcpy(at->buf, at->name, n);
    at->buf[n] = 0;
    at->name = at->buf;
  }
  return 0;
}

/* The descriptor and the text; a place that is not yet resolved. */
static wn_err_t place_init(wn_sys_t *sys, uint32_t dir, uint64_t rights, const char *path, wn_place_t *at) {
  wn_desc_t *desc;
  wn_err_t err = wn_table_get(&sys->table, dir, rights, &desc);
  if (err) return err;
  if (desc->obj->type != WN_TYPE_DIRECTORY) return WN_ENOTDIR;
  if (__atomic_load_n(&sys->wait.cancelled, __ATOMIC_RELAXED)) return WN_CANCELLED;
  at->desc = desc;
  at->base = desc->obj;
  at->share = desc->obj->share;
  at->fd = desc->obj->fd;
  at->owned = false;
  at->node = NULL;
  if (at->fd >= 0) {
    at->tree = &wn_host_tree;
  } else {
    at->tree = &wn_memory_tree;
    at->node = desc->obj->u.mem.node;
  }
  return place_text(at, path);
}

/* And resolved. A plain name needs no look at all: it is in the descriptor's own directory. */
static wn_err_t place_open(wn_sys_t *sys, uint32_t dir, uint64_t rights, const char *path, bool writes,
                           wn_place_t *at) {
  wn_err_t err = place_init(sys, dir, rights, path, at);
  if (err) return err;
  if (writes && wn_share_read_only(at->share)) return WN_EROFS;
  return at->parent_len ? at->tree->resolve(sys, at, false) : 0;
}

static void place_close(wn_sys_t *sys, wn_place_t *at) { at->tree->leave(sys, at); }

/* What is at an unresolved place, when that is no link to be expanded: *known says whether. */
static wn_err_t place_find(wn_sys_t *sys, wn_place_t *at, bool follow, wn_stat_t *st, bool *known) {
  *known = false;
  if (!at->parent_len || at->must_dir || wn_name_is_self(at->name) || !at->tree->find) return 0;
  wn_err_t err = at->tree->find(sys, at, st);
  *known = err || st->type != WN_TYPE_SYMLINK || !follow;
  return err;
}

/* What is at the place; a link there is expanded where it should be: with follow, and by a trailing slash. */
static wn_err_t place_stat(wn_sys_t *sys, wn_place_t *at, bool follow, wn_stat_t *st) {
  bool must_dir = at->must_dir;
  wn_err_t err = at->tree->stat(sys, at, st);
  if (err) return err;
  if (st->type == WN_TYPE_SYMLINK && (follow || must_dir)) {
    if ((err = at->tree->resolve(sys, at, true))) return err;
    if ((err = at->tree->stat(sys, at, st))) return err;
    must_dir = must_dir || at->must_dir;
    if (st->type == WN_TYPE_SYMLINK) return WN_ELOOP; /* put there just now */
  }
  return must_dir && st->type != WN_TYPE_DIRECTORY ? WN_ENOTDIR : 0;
}

/* Attributes of what a path names.
 * Cousin: fstatat(2). Errnos: see the top; NOTDIR: a trailing slash after something else than a directory.
 * WASI 0.1: path_filestat_get. */
wn_err_t wn_path_stat(wn_sys_t *sys, uint32_t dir, const char *path, bool follow, wn_stat_t *st) {
  wn_place_t at;
  wn_stat_t found;
  bool known;
  wn_err_t err = place_init(sys, dir, WN_RIGHT_PATH_FILESTAT_GET, path, &at);
  if (!err) err = place_find(sys, &at, follow, &found, &known);
  if (err) return err;
  if (!known) {
    if (at.parent_len && (err = at.tree->resolve(sys, &at, false))) return err;
    err = place_stat(sys, &at, follow, &found);
    place_close(sys, &at);
  }
  if (!err) *st = found;
  return err;
}

/* Set the times of what a path names.
 * Cousin: utimensat(2). Errnos: see the top; NOTDIR as wn_path_stat. WASI 0.1: path_filestat_set_times. */
wn_err_t wn_path_set_times(wn_sys_t *sys, uint32_t dir, const char *path, bool follow, int64_t atim, int64_t mtim) {
  wn_place_t at;
  wn_stat_t st;
  wn_err_t err = place_open(sys, dir, WN_RIGHT_PATH_FILESTAT_SET_TIMES, path, true, &at);
  if (err) return err;
  if (follow || at.must_dir) err = place_stat(sys, &at, follow, &st);
  if (!err) err = at.tree->set_times(sys, &at, atim, mtim);
  place_close(sys, &at);
  return err;
}

/* Make a directory.
 * Cousin: mkdirat(2). Errnos: see the top; EXIST: the name is taken, also by a link; DQUOT: no inode left in the
 * grant. WASI 0.1: path_create_directory. */
wn_err_t wn_path_create_directory(wn_sys_t *sys, uint32_t dir, const char *path) {
  wn_place_t at;
  wn_err_t err = place_open(sys, dir, WN_RIGHT_PATH_CREATE_DIRECTORY, path, true, &at);
  if (err) return err;
  err = at.tree->create_directory(sys, &at);
  place_close(sys, &at);
  return err;
}

/* Remove an empty directory.
 * Cousin: unlinkat(2) with AT_REMOVEDIR. Errnos: see the top; NOTDIR: a file or a link, with or without a slash
 * after it; NOTEMPTY; INVAL: the path ends in "." or "..". WASI 0.1: path_remove_directory. */
wn_err_t wn_path_remove_directory(wn_sys_t *sys, uint32_t dir, const char *path) {
  wn_place_t at;
  wn_err_t err = place_open(sys, dir, WN_RIGHT_PATH_REMOVE_DIRECTORY, path, true, &at);
  if (err) return err;
  err = at.tree->remove_directory(sys, &at);
  place_close(sys, &at);
  return err;
}

/* Remove a file or a link.
 * Cousin: unlinkat(2). Errnos: see the top; ISDIR: a directory; NOTDIR: a slash after a file or link; PERM: a file
 * mounted by the embedder. WASI 0.1: path_unlink_file. */
wn_err_t wn_path_unlink_file(wn_sys_t *sys, uint32_t dir, const char *path) {
  wn_place_t at;
  wn_err_t err = place_open(sys, dir, WN_RIGHT_PATH_UNLINK_FILE, path, true, &at);
  if (err) return err;
  err = at.tree->unlink_file(sys, &at);
  place_close(sys, &at);
  return err;
}

/* Make a symbolic link with the text `target`, which is not looked at beyond its first byte.
 * Cousin: symlinkat(2). Errnos: see the top; PERM: an absolute target; NOENT: an empty one, or a slash after a new
 * name; EXIST: the name is taken; DQUOT. WASI 0.1: path_symlink. */
wn_err_t wn_path_symlink(wn_sys_t *sys, const char *target, uint32_t dir, const char *path) {
  wn_place_t at;
  wn_err_t err = place_init(sys, dir, WN_RIGHT_PATH_SYMLINK, path, &at);
  if (err) return err;
  if (wn_share_read_only(at.share)) return WN_EROFS;
  if (!target[0]) return WN_ENOENT;
  if (target[0] == '/') return WN_EPERM;
  if (at.parent_len && (err = at.tree->resolve(sys, &at, false))) return err;
  err = at.tree->symlink(sys, target, &at);
  place_close(sys, &at);
  return err;
}

/* The text of a symbolic link, cut at len; bytes, not terminated.
 * Cousin: readlinkat(2). Errnos: see the top; INVAL: no link; PERM: its target is absolute, a name of the outside.
 * WASI 0.1: path_readlink. */
wn_err_t wn_path_readlink(wn_sys_t *sys, uint32_t dir, const char *path, char *buf, size_t len, size_t *done) {
  wn_place_t at;
  size_t n = 0;
  wn_err_t err = place_open(sys, dir, WN_RIGHT_PATH_READLINK, path, false, &at);
  if (err) return err;
  if (at.must_dir) {
    wn_stat_t st;
    err = place_stat(sys, &at, true, &st);
    if (!err) err = WN_EINVAL; /* what is before the slash is a directory */
  } else {
    /* Not straight into the guest's memory: the first byte decides whether it may see any. */
    char text[WN_PATH_MAX];
    err = at.tree->readlink(sys, &at, text, sizeof text, &n);
    if (!err && n && text[0] == '/') err = WN_EPERM;
    if (n > len) n = len;
    if (!err && n) memcpy(buf, text, n);
  }
  place_close(sys, &at);
  if (!err) *done = n;
  return err;
}

/* Two places whose grants are alike: a name never gains rights by moving. */
static wn_err_t pair_open(wn_sys_t *sys, uint32_t dir, uint64_t right, const char *path, uint32_t to_dir,
                          uint64_t to_right, const char *to_path, wn_place_t *from, wn_place_t *to) {
  wn_err_t err = place_init(sys, dir, right, path, from);
  if (err) return err;
  if ((err = place_init(sys, to_dir, to_right, to_path, to))) return err;
  if (wn_share_read_only(from->share) || wn_share_read_only(to->share)) return WN_EROFS;
  if (from->share != to->share) {
    if (!from->share || !to->share || from->share->grant.flags != to->share->grant.flags) return WN_EPERM;
    /* An account is a file system of its own: what is paid for in one must not be given back to the other. */
    if (from->tree != to->tree || wn_share_counted(from->share) || wn_share_counted(to->share)) return WN_EXDEV;
  }
  if (from->parent_len && (err = from->tree->resolve(sys, from, false))) return err;
  if (to->parent_len && (err = to->tree->resolve(sys, to, false))) {
    place_close(sys, from);
    return err;
  }
  return 0;
}

/* Give a file one more name. A link at the end of path is itself linked.
 * Cousin: linkat(2) without AT_SYMLINK_FOLLOW. Errnos: see the top; PERM: a directory, or a grant of another kind;
 * EXIST: the new name is taken; NOENT: a slash after a new name; XDEV: another file system, or a grant with a quota
 * of its own; DQUOT. WASI 0.1: path_link. */
wn_err_t wn_path_link(wn_sys_t *sys, uint32_t dir, const char *path, uint32_t to_dir, const char *to_path) {
  wn_place_t from, to;
  wn_err_t err =
      pair_open(sys, dir, WN_RIGHT_PATH_LINK_SOURCE, path, to_dir, WN_RIGHT_PATH_LINK_TARGET, to_path, &from, &to);
  if (err) return err;
  err = from.tree->link(sys, &from, &to);
  place_close(sys, &from);
  place_close(sys, &to);
  return err;
}

/* Move a file, link or directory, replacing a file or link or an empty directory.
 * Cousin: renameat(2). Errnos: see the top; NOTDIR: a slash after something else than a directory, or a directory
 * over a file; ISDIR: a file over a directory; NOTEMPTY; INVAL: a directory into itself; BUSY: "." or ".." at an
 * end; PERM: a grant of another kind, a mounted file; XDEV: another file system, or a grant with a quota of its own.
 * WASI 0.1: path_rename. */
wn_err_t wn_path_rename(wn_sys_t *sys, uint32_t dir, const char *path, uint32_t to_dir, const char *to_path) {
  wn_place_t from, to;
  wn_err_t err = pair_open(sys, dir, WN_RIGHT_PATH_RENAME_SOURCE, path, to_dir, WN_RIGHT_PATH_RENAME_TARGET, to_path,
                           &from, &to);
  if (err) return err;
  err = from.tree->rename(sys, &from, &to);
  place_close(sys, &from);
  place_close(sys, &to);
  return err;
}

/* Open, and perhaps create, a file or directory.
 * Cousin: openat(2). Errnos: see the top; INVAL: DIRECTORY with CREAT; NOTCAPABLE: reading, writing or allocating is
 * asked for and the directory does not pass it on, or the object is a FIFO, socket or device; LOOP: a link at the
 * end and no follow (NOTDIR with DIRECTORY); EXIST: EXCL and the name is taken; ISDIR: writing to, truncating or
 * creating over a directory; NOTDIR: DIRECTORY or a trailing slash and something else; MFILE; DQUOT.
 * WASI 0.1: path_open. Other rights that the directory does not pass on are dropped, unknown bits too. */
wn_err_t wn_path_open(wn_sys_t *sys, uint32_t dir, const char *path, const wn_open_t *how, uint32_t *fd) {
  const uint64_t moving = WN_RIGHT_FD_READ | WN_RIGHT_FD_WRITE | WN_RIGHT_FD_ALLOCATE;
  uint64_t need = WN_RIGHT_PATH_OPEN;
  wn_place_t at;
  wn_obj_t *obj;
  if (how->create) need |= WN_RIGHT_PATH_CREATE_FILE;
  if (how->truncate) need |= WN_RIGHT_PATH_FILESTAT_SET_SIZE;
  wn_err_t err = place_init(sys, dir, need, path, &at);
  if (err) return err;
  if (how->create && how->directory) return WN_EINVAL;
  if (sys->table.open >= sys->table.limit) return WN_EMFILE;
  if (how->rights & ~at.desc->inheriting & moving) return WN_ENOTCAPABLE;
  wn_opening_t op = {how, how->rights & at.desc->inheriting & WN_RIGHT_ALL,
                     how->inheriting & at.desc->inheriting & WN_RIGHT_ALL};
  err = at.tree->open(sys, &at, &op, &obj);
  place_close(sys, &at);
  if (err) return err;
  switch (obj->type) {
    case WN_TYPE_DIRECTORY:
      op.rights &= WN_RIGHTS_DIR;
      op.inheriting &= WN_RIGHTS_DIR | WN_RIGHTS_FILE;
      break;
    case WN_TYPE_CHARACTER: /* a device that the embedder mounted */
      op.rights &= WN_RIGHTS_STREAM;
      op.inheriting = 0;
      break;
    default:
      op.rights &= WN_RIGHTS_FILE;
      op.inheriting = 0;
      break;
  }
  err = wn_table_insert(sys, obj, op.rights, op.inheriting, 0, fd);
  if (err) wn_obj_release(sys, obj);
  return err;
}
