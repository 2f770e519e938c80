/* path_walk.c - from the text of a path to a directory and a name in it.
 *
 * The kernel's own resolver (openat2, beneath a directory) where it is there; else, and wherever a link at the end
 * has to be expanded, a walk of our own. The walk keeps the directories that it came through and answers ".." from
 * them: the kernel's ".." would leave the base when somebody moves a directory meanwhile. It hands only single
 * names to the kernel, because "link/" is followed even where following is forbidden.
 */
#include <string.h>

#include "core/sys/path.h"

/* Room for the text that is still to be read: a path and some nested link targets, each below WN_PATH_MAX. */
#define WALK_TEXT (4 * WN_PATH_MAX)
/* Directories of the host that a walk keeps open. Deeper ones are found again by their recorded names. */
#define WALK_KEEP 32u
/* openat2 gives up when a rename came between; so often it is asked again. */
#define BENEATH_TRIES 8

wn_err_t wn_walk(wn_sys_t *sys, const wn_steps_t *steps, void *self, bool follow, wn_place_t *at) {
  char text[WALK_TEXT];
  char *end = text + sizeof text;
  size_t len = strlen(at->path);
  uint32_t links = 0;
  if (len >= WN_PATH_MAX) return WN_ENAMETOOLONG;
  char *p = end - len; /* the unread text stands at the end of the buffer, link targets are put before it */
  memcpy(p, at->path, len);
  while (p < end) {
    const char *name = p;
    while (p < end && *p != '/') ++p;
    size_t n = (size_t)(p - name);
    char *rest = p;
    while (p < end && *p == '/') ++p;
    bool last = p == end;
    wn_err_t err;
    if (n == 0 || (n == 1 && name[0] == '.')) continue;
    if (n == 2 && name[0] == '.' && name[1] == '.') {
      if ((err = steps->up(self))) return err;
      continue;
    }
    if (n > WN_NAME_MAX) return WN_ENAMETOOLONG;
    memcpy(at->buf, name, n);
    at->buf[n] = 0;
    if (!last) {
      err = steps->enter(self, at->buf);
      if (!err) continue;
      if (err != WN_ENOTDIR && err != WN_ELOOP) return err;
    }
    if (last && !follow) {
      at->name = at->buf;
      at->must_dir = rest < end;
      return 0;
    }
    size_t room = (size_t)(rest - text), done = 0;
    if (room == 0) return WN_ENAMETOOLONG;
    err = steps->readlink(self, at->buf, text, room, &done);
    if (last && (err == WN_EINVAL || err == WN_ENOENT)) {
      at->name = at->buf;
      at->must_dir = rest < end;
      return 0;
    }
    if (err) return err == WN_EINVAL ? WN_ENOTDIR : err;
    if (++links > WN_LINKS_MAX) return WN_ELOOP;
    if (done == 0) return WN_ENOENT;
    if (done >= room) return WN_ENAMETOOLONG; /* perhaps cut */
    if (text[0] == '/') return WN_EPERM;
    p = rest - done;
    memmove(p, text, done);
    if ((err = wn_wait_check(sys))) return err;
  }
  at->name = ".";
  at->must_dir = false;
  return 0;
}

/* ---- the host's directories ---- */

/* The way down from the base: every name, and the descriptors of the deepest `kept` levels.
 *
 *   names:  d \0 e \0 f \0        depth 3
 *   fds:   [d] [e] [f]            level i at fds[i % WALK_KEEP]
 */
typedef struct wn_ladder {
  wn_sys_t *sys;
  int base;
  uint32_t depth, kept;
  size_t names_len;
  int fds[WALK_KEEP];
  char names[WN_PATH_MAX];
} wn_ladder_t;

static int ladder_top(const wn_ladder_t *l) { return l->depth ? l->fds[(l->depth - 1) % WALK_KEEP] : l->base; }

static void ladder_close(wn_ladder_t *l) {
  for (; l->kept; --l->kept, --l->depth) (void)l->sys->os->close(l->sys->os, ladder_top(l));
}

/* One level down, by a name that is recorded already. */
static wn_err_t ladder_down(wn_ladder_t *l, const char *name) {
  const wn_os_t *os = l->sys->os;
  int fd;
  wn_err_t err = os->openat(os, ladder_top(l), name, WN_O_PATH | WN_O_DIRECTORY | WN_O_NOFOLLOW, 0, &fd);
  if (err) return err;
  int *slot = &l->fds[l->depth % WALK_KEEP];
  if (l->kept == WALK_KEEP) (void)os->close(os, *slot);
  else ++l->kept;
  *slot = fd;
  ++l->depth;
  return 0;
}

static wn_err_t host_enter(void *self, const char *name) {
  wn_ladder_t *l = self;
  size_t n = strlen(name) + 1;
  wn_err_t err = ladder_down(l, name);
  if (err) return err;
  /* The real depth has the bound of a path's length; ladder_close takes the level back. */
  if (n > sizeof l->names - l->names_len) return WN_ENAMETOOLONG;
  memcpy(l->names + l->names_len, name, n);
  l->names_len += n;
  return 0;
}

static wn_err_t host_up(void *self) {
  wn_ladder_t *l = self;
  const wn_os_t *os = l->sys->os;
  wn_stat_t st;
  wn_err_t err;
  if (l->depth == 0) return WN_EPERM;
  /* ".." needs the right to search the directory that is left: "." asks the kernel for just that. */
  if ((err = os->fstatat(os, ladder_top(l), ".", &st))) return err;
  (void)os->close(os, ladder_top(l));
  --l->kept;
  --l->depth;
  for (--l->names_len; l->names_len && l->names[l->names_len - 1]; --l->names_len) {
  }
  if (l->kept || !l->depth) return 0;
  /* Above what is kept: down again from the base. A name that changed meanwhile ends the walk. */
  if ((err = wn_wait_check(l->sys))) return err;
  l->depth = 0;
  for (const char *name = l->names; name < l->names + l->names_len; name += strlen(name) + 1) {
    if ((err = ladder_down(l, name))) return err == WN_ENOTDIR || err == WN_ELOOP ? WN_ENOENT : err;
  }
  return 0;
}

static wn_err_t host_readlink(void *self, const char *name, char *buf, size_t len, size_t *done) {
  wn_ladder_t *l = self;
  const wn_os_t *os = l->sys->os;
  wn_stat_t st;
  wn_err_t err = os->readlinkat(os, ladder_top(l), name, buf, len, done);
  /* A link of the process file system leads to an object, not along its text ("pipe:[7]"), and its size is not that
   * of the text. The text would lead nowhere; say what it is. */
  if (!err && memchr(buf, ':', *done) && !os->fstatat(os, ladder_top(l), name, &st) && st.size != *done)
    return WN_EPERM;
  return err;
}

static const wn_steps_t host_steps = {host_enter, host_up, host_readlink};

void wn_host_leave(wn_sys_t *sys, wn_place_t *at) {
  if (!at->owned) return;
  (void)sys->os->close(sys->os, at->fd);
  at->owned = false;
  at->fd = at->base->fd;
}

wn_err_t wn_host_walk(wn_sys_t *sys, wn_place_t *at, bool follow) {
  wn_ladder_t l;
  l.sys = sys;
  l.base = at->base->fd;
  l.depth = l.kept = 0;
  l.names_len = 0;
  wn_host_leave(sys, at);
  wn_err_t err = wn_walk(sys, &host_steps, &l, follow, at);
  if (!err && l.depth) {
    at->fd = ladder_top(&l);
    at->owned = true;
    --l.kept;
    --l.depth;
  }
  ladder_close(&l);
  return err;
}

bool wn_host_beneath(wn_sys_t *sys, int dir, const char *path, uint32_t flags, uint32_t mode, int *fd,
                     wn_err_t *err) {
  const wn_os_t *os = sys->os;
  for (int tries = 0; tries < BENEATH_TRIES; ++tries) {
    wn_err_t e = os->openat2(os, dir, path, flags, mode, fd);
    switch (e) {
      case WN_EAGAIN:
        continue;
      case WN_ENOSYS:
        sys->resolver = WN_RESOLVER_WALK;
        return false;
      case WN_ELOOP: /* a link at the end, too many, or one of the process file system: the walk tells which */
      case WN_EPERM: /* an old seccomp profile, or a real refusal */
      case WN_E2BIG: /* a kernel that knows less of the call */
      case WN_EINVAL:
        return false;
      case WN_EXDEV:
        e = WN_EPERM;
        break;
      default:
        break;
    }
    *err = e;
    return true;
  }
  return false;
}

wn_err_t wn_host_resolve(wn_sys_t *sys, wn_place_t *at, bool follow) {
  /* A link at the end is always expanded by the walk, so that the verdict cannot depend on the resolver. */
  if (!follow && sys->resolver != WN_RESOLVER_WALK) {
    char text[WN_PATH_MAX];
    int fd;
    wn_err_t err;
    wn_host_leave(sys, at);
    memcpy(text, at->path, at->parent_len);
    text[at->parent_len] = 0;
    if (wn_host_beneath(sys, at->base->fd, text, WN_O_PATH | WN_O_DIRECTORY, 0, &fd, &err)) {
      if (err) return err;
      at->fd = fd;
      at->owned = true;
      return 0;
    }
  }
  return wn_host_walk(sys, at, follow);
}
