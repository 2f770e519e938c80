/* table.c - descriptors and the pool of objects behind them. Everything is allocated with the table. */
#include "core/sys/table.h"

#include <string.h>

#include "core/sys/quota.h"
#include "core/sys/state.h"

/* An object that is taken but not yet anything. */
static const wn_obj_ops_t blank = {.kind = "blank"};

static uint32_t pool_size(const wn_table_t *t) { return t->limit + 1; }

wn_err_t wn_table_init(wn_sys_t *sys, uint32_t limit) {
  wn_table_t *t = &sys->table;
  *t = (wn_table_t){.limit = limit};
  t->slots = sys->os->alloc(sys->os, sizeof *t->slots * limit);
  t->pool = sys->os->alloc(sys->os, sizeof *t->pool * pool_size(t));
  if (t->slots && t->pool) return 0;
  sys->os->free(sys->os, t->slots);
  sys->os->free(sys->os, t->pool);
  *t = (wn_table_t){0};
  return WN_ENOMEM;
}

void wn_table_deinit(wn_sys_t *sys) {
  wn_table_t *t = &sys->table;
  for (uint32_t fd = 0; fd < t->limit; fd++) wn_table_close(sys, fd);
  sys->os->free(sys->os, t->slots);
  sys->os->free(sys->os, t->pool);
  *t = (wn_table_t){0};
}

/* The count that a limit of this type is held against; NULL: none. */
static uint32_t *counter(wn_sys_t *sys, uint8_t type, uint32_t *limit) {
  switch (type) {
    case WN_TYPE_DIRECTORY:
      *limit = sys->limits.dirs;
      return &sys->table.dirs;
    case WN_TYPE_SOCKET_DGRAM:
    case WN_TYPE_SOCKET_STREAM:
      *limit = sys->limits.sockets;
      return &sys->table.sockets;
    default:
      return NULL;
  }
}

wn_err_t wn_obj_new(wn_sys_t *sys, uint8_t type, wn_obj_t **out) {
  wn_table_t *t = &sys->table;
  uint32_t limit = 0;
  uint32_t *count = counter(sys, type, &limit);
  if (count && limit && *count >= limit) return WN_EMFILE;
  uint32_t n = pool_size(t);
  for (uint32_t tries = 0, i = t->free_obj; tries < n; tries++, i = i + 1 < n ? i + 1 : 0) {
    wn_obj_t *obj = &t->pool[i];
    if (obj->ops) continue;
    *obj = (wn_obj_t){.ops = &blank, .fd = -1, .type = type};
    t->free_obj = i + 1 < n ? i + 1 : 0;
    if (count) ++*count;
    *out = obj;
    return 0;
  }
  return WN_EMFILE;
}

void wn_obj_release(wn_sys_t *sys, wn_obj_t *obj) {
  if (obj->refs > 1) {
    obj->refs--;
    return;
  }
  uint32_t limit;
  uint32_t *count = counter(sys, obj->type, &limit);
  if (count && *count) --*count;
  if (sys->dirbuf.owner == obj) sys->dirbuf.owner = NULL; /* the place will be another object */
  if (obj->ops->close) obj->ops->close(sys, obj);
  else if (obj->fd >= 0) sys->os->close(sys->os, obj->fd);
  wn_share_release(sys, obj->share);
  *obj = (wn_obj_t){.fd = -1};
  sys->table.free_obj = (uint32_t)(obj - sys->table.pool);
}

static void put(wn_table_t *t, uint32_t fd, wn_obj_t *obj, uint64_t rights, uint64_t inheriting) {
  t->slots[fd] = (wn_desc_t){.obj = obj, .rights = rights, .inheriting = inheriting};
  t->open++;
  obj->refs++;
  if (fd == t->lowest) t->lowest++;
}

wn_err_t wn_table_insert(wn_sys_t *sys, wn_obj_t *obj, uint64_t rights, uint64_t inheriting, uint32_t from,
                         uint32_t *fd) {
  wn_table_t *t = &sys->table;
  for (uint32_t i = from > t->lowest ? from : t->lowest; i < t->limit; i++) {
    if (t->slots[i].obj) {
      if (i == t->lowest) t->lowest++;
      continue;
    }
    put(t, i, obj, rights, inheriting);
    *fd = i;
    return 0;
  }
  return WN_EMFILE;
}

/* Empty the slot; its object, for the caller to release once the table is whole again. */
static wn_obj_t *take(wn_sys_t *sys, uint32_t fd) {
  wn_table_t *t = &sys->table;
  wn_obj_t *obj = t->slots[fd].obj;
  if (!obj) return NULL;
  sys->os->free(sys->os, t->slots[fd].preopen);
  t->slots[fd] = (wn_desc_t){0};
  t->open--;
  if (fd < t->lowest) t->lowest = fd;
  return obj;
}

wn_err_t wn_table_replace(wn_sys_t *sys, uint32_t fd, wn_obj_t *obj, uint64_t rights, uint64_t inheriting) {
  if (fd >= sys->table.limit) return WN_EBADF;
  wn_obj_t *before = take(sys, fd);
  put(&sys->table, fd, obj, rights, inheriting);
  if (before) wn_obj_release(sys, before);
  return 0;
}

wn_err_t wn_table_set_preopen(wn_sys_t *sys, uint32_t fd, wn_str_t guest) {
  wn_desc_t *d;
  wn_err_t err = wn_table_get(&sys->table, fd, 0, &d);
  if (err) return err;
  if (guest.len >= WN_PATH_MAX) return WN_ENAMETOOLONG;
  if (guest.len && memchr(guest.ptr, 0, guest.len)) return WN_EINVAL;
  char *name = sys->os->alloc(sys->os, guest.len + 1);
  if (!name) return WN_ENOMEM;
  if (guest.len) memcpy(name, guest.ptr, guest.len);
  sys->os->free(sys->os, d->preopen);
  d->preopen = name;
  d->preopen_len = (uint32_t)guest.len;
  return 0;
}

wn_err_t wn_table_close(wn_sys_t *sys, uint32_t fd) {
  if (fd >= sys->table.limit) return WN_EBADF;
  wn_obj_t *obj = take(sys, fd);
  if (!obj) return WN_EBADF;
  wn_obj_release(sys, obj);
  return 0;
}

wn_err_t wn_table_renumber(wn_sys_t *sys, uint32_t from, uint32_t to) {
  wn_table_t *t = &sys->table;
  wn_desc_t *source, *target;
  wn_err_t err = wn_table_get(t, from, 0, &source);
  if (!err) err = wn_table_get(t, to, 0, &target);
  if (err || from == to) return err;
  wn_obj_t *before = take(sys, to);
  *target = *source;
  *source = (wn_desc_t){0};
  if (to == t->lowest) t->lowest++;
  if (from < t->lowest) t->lowest = from;
  wn_obj_release(sys, before);
  return 0;
}
