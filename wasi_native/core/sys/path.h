/* path.h - a guest's path on its way to a name in a directory; and what a tree of names must be able to do.
 *
 *   text -> wn_place_t (which directory, which name) -> one operation of the tree on that place
 *
 * Two trees: directories of the host (dir.c, path_open.c, path_walk.c) and directories in memory (memory_dir.c).
 * Both obey the same text rules because one walker (wn_walk) reads the text for both.
 */
#ifndef WN_CORE_PATH_H
#define WN_CORE_PATH_H

#include "core/sys/quota.h"
#include "core/sys/sys.h"

typedef struct wn_tree wn_tree_t;

/* A name in a directory. `name` is one component, terminated: never empty, never "..", without '/'; "." means the
 * directory itself. */
typedef struct wn_place {
  const wn_tree_t *tree;
  const wn_desc_t *desc; /* the guest's descriptor: its rights */
  wn_obj_t *base;        /* and its object: nothing above it is ever reached */
  wn_share_t *share;     /* of base; may be NULL */
  const char *path;      /* the guest's text without leading "./"; relative, shorter than WN_PATH_MAX */
  const char *name;
  size_t parent_len; /* bytes of path before the name; 0: name is in base itself, nothing to resolve */
  wn_node_t *node;   /* in memory: the directory that holds name */
  int fd;            /* on the host: the same */
  bool owned;        /* fd is ours to close */
  bool must_dir;     /* the text ended in a slash: only a directory will do */
  char buf[WN_NAME_MAX + 1];
} wn_place_t;

/* path_open on its way: rights are masked by the tree where the share forbids writing. */
typedef struct wn_opening {
  const wn_open_t *how;
  uint64_t rights, inheriting;
} wn_opening_t;

struct wn_tree {
  /* Find the directory of at->name. follow: a link at the end is expanded, at->name is then no link (it may be
   * missing). May be called again on a place already resolved. */
  wn_err_t (*resolve)(wn_sys_t *sys, wn_place_t *at, bool follow);
  void (*leave)(wn_sys_t *sys, wn_place_t *at); /* close what resolve opened */
  /* Resolve and stat in one, without following: for a place that needs no more. The tree knows the shortest way. */
  wn_err_t (*find)(wn_sys_t *sys, wn_place_t *at, wn_stat_t *st);
  /* None of these follows a link at the end. must_dir is obeyed. */
  wn_err_t (*stat)(wn_sys_t *sys, const wn_place_t *at, wn_stat_t *st);
  wn_err_t (*set_times)(wn_sys_t *sys, const wn_place_t *at, int64_t atim, int64_t mtim);
  wn_err_t (*create_directory)(wn_sys_t *sys, const wn_place_t *at);
  wn_err_t (*remove_directory)(wn_sys_t *sys, const wn_place_t *at);
  wn_err_t (*unlink_file)(wn_sys_t *sys, const wn_place_t *at);
  wn_err_t (*link)(wn_sys_t *sys, const wn_place_t *from, const wn_place_t *to);
  wn_err_t (*rename)(wn_sys_t *sys, const wn_place_t *from, const wn_place_t *to);
  wn_err_t (*symlink)(wn_sys_t *sys, const char *target, const wn_place_t *at);
  wn_err_t (*readlink)(wn_sys_t *sys, const wn_place_t *at, char *buf, size_t len, size_t *done);
  /* A new object, filled, with no reference yet. `at` is not resolved: the tree knows the shortest way. */
  wn_err_t (*open)(wn_sys_t *sys, wn_place_t *at, wn_opening_t *op, wn_obj_t **out);
};

extern const wn_tree_t wn_host_tree;   /* dir.c */
extern const wn_tree_t wn_memory_tree; /* memory_dir.c */

/* path_open.c */
wn_err_t wn_host_open(wn_sys_t *sys, wn_place_t *at, wn_opening_t *op, wn_obj_t **out);

/* ---- path_walk.c ---- */

/* How the walker moves in a tree. */
typedef struct wn_steps {
  wn_err_t (*enter)(void *self, const char *name); /* NOTDIR or LOOP: not a directory, perhaps a link */
  wn_err_t (*up)(void *self);                      /* PERM at the base */
  wn_err_t (*readlink)(void *self, const char *name, char *buf, size_t len, size_t *done); /* INVAL: no link */
} wn_steps_t;

/* Walk at->path from the base; sets at->name and at->must_dir. PERM, NOENT, NOTDIR, LOOP, NAMETOOLONG, what the
 * steps answer, or < 0 when the guest must stop. */
wn_err_t wn_walk(wn_sys_t *sys, const wn_steps_t *steps, void *self, bool follow, wn_place_t *at);

/* The host's resolvers: by the one in use; and always by the walk. */
wn_err_t wn_host_resolve(wn_sys_t *sys, wn_place_t *at, bool follow);
wn_err_t wn_host_walk(wn_sys_t *sys, wn_place_t *at, bool follow);
void wn_host_leave(wn_sys_t *sys, wn_place_t *at);

/* openat2 beneath dir with its odd answers dealt with. False: it has no verdict, use the walk. */
bool wn_host_beneath(wn_sys_t *sys, int dir, const char *path, uint32_t flags, uint32_t mode, int *fd, wn_err_t *err);

/* ---- small things that both trees ask ---- */

static inline bool wn_share_read_only(const wn_share_t *s) { return s && (s->grant.flags & WN_GRANT_READ_ONLY); }
static inline bool wn_share_counted(const wn_share_t *s) {
  return s && (s->grant.quota_bytes || s->grant.quota_inodes);
}
static inline bool wn_name_is_self(const char *name) { return name[0] == '.' && !name[1]; }

#endif
