/* res.c - the pool of resources. */
#include "core/sys/res.h"

#define CHUNK 64u
#define NONE UINT32_MAX

typedef struct wn_res_chunk {
  wn_res_t places[CHUNK];
} wn_res_chunk_t;

static uint32_t most(const wn_sys_t *sys) { return sys->limits.handles ? sys->limits.handles : WN_HANDLES_DEFAULT; }

static wn_res_t *at(const wn_sys_t *sys, uint32_t rep) { return &sys->res.chunks[rep / CHUNK]->places[rep % CHUNK]; }

/* One chunk more; the array of chunks doubles. */
static wn_err_t grow(wn_sys_t *sys) {
  wn_res_pool_t *p = &sys->res;
  if (p->count == p->cap) {
    uint32_t cap = p->cap ? 2 * p->cap : 4;
    wn_res_chunk_t **chunks = sys->os->resize(sys->os, p->chunks, sizeof *chunks * cap);
    if (!chunks) return WN_NOMEM;
    p->chunks = chunks;
    p->cap = cap;
  }
  wn_res_chunk_t *chunk = sys->os->alloc(sys->os, sizeof *chunk);
  if (!chunk) return WN_NOMEM;
  for (uint32_t i = CHUNK; i-- > 0;) {
    chunk->places[i] = (wn_res_t){.rep = p->free};
    p->free = p->count * CHUNK + i;
  }
  p->chunks[p->count++] = chunk;
  return 0;
}

wn_err_t wn_res_new(wn_sys_t *sys, wn_res_kind_t kind, wn_res_t **out) {
  wn_res_pool_t *p = &sys->res;
  if (p->used >= most(sys)) {
    sys->limit_hit = "handles";
    return WN_LIMIT;
  }
  if (p->used == p->count * CHUNK) {
    if (!p->count) p->free = NONE;
    wn_err_t err = grow(sys);
    if (err) return err;
  }
  uint32_t rep = p->free;
  wn_res_t *res = at(sys, rep);
  p->free = res->rep;
  p->used++;
  *res = (wn_res_t){.kind = (uint8_t)kind, .fd = WN_RES_NO_FD, .rep = rep, .serial = ++p->serial};
  *out = res;
  return 0;
}

void wn_res_close(wn_sys_t *sys, wn_res_t *res) {
  wn_res_pool_t *p = &sys->res;
  if (res->owned && res->fd != WN_RES_NO_FD) wn_table_close(sys, res->fd);
  uint32_t rep = res->rep;
  *res = (wn_res_t){.rep = p->free};
  p->free = rep;
  p->used--;
}

wn_res_t *wn_res_get(const wn_sys_t *sys, uint32_t rep, wn_res_kind_t kind) {
  if (rep >= sys->res.count * CHUNK) return NULL;
  wn_res_t *res = at(sys, rep);
  return res->kind == kind ? res : NULL;
}

void wn_res_deinit(wn_sys_t *sys) {
  wn_res_pool_t *p = &sys->res;
  for (uint32_t i = 0; i < p->count; i++) {
    for (uint32_t j = 0; j < CHUNK; j++) {
      wn_res_t *res = &p->chunks[i]->places[j];
      if (res->kind != WN_RES_FREE) wn_res_close(sys, res);
    }
  }
  for (uint32_t i = 0; i < p->count; i++) sys->os->free(sys->os, p->chunks[i]);
  sys->os->free(sys->os, p->chunks);
  *p = (wn_res_pool_t){0};
}

wn_err_t wn_res_share(wn_sys_t *sys, uint32_t fd, uint64_t rights, uint32_t *out) {
  wn_desc_t *d;
  wn_err_t err = wn_table_get(&sys->table, fd, 0, &d);
  return err ? err : wn_table_insert(sys, d->obj, d->rights & rights, 0, 3, out);
}

wn_err_t wn_res_subscribe(wn_sys_t *sys, const wn_res_t *parent, wn_res_t **out) {
  uint32_t rep = parent->rep, serial = parent->serial;
  wn_err_t err = wn_res_new(sys, WN_RES_POLLABLE, out);
  if (err) return err;
  (*out)->u.poll.parent = rep;
  (*out)->u.poll.serial = serial;
  return 0;
}

wn_err_t wn_res_subscribe_clock(wn_sys_t *sys, uint64_t when, wn_res_t **out) {
  wn_err_t err = wn_res_new(sys, WN_RES_POLLABLE, out);
  if (err) return err;
  (*out)->u.poll.clock = true;
  (*out)->u.poll.when = when;
  return 0;
}

bool wn_res_wants(const wn_sys_t *sys, const wn_res_t *pollable, wn_sub_t *sub) {
  if (pollable->u.poll.clock) {
    *sub = (wn_sub_t){.timeout = pollable->u.poll.when, .fd = WN_CLOCK_MONOTONIC, .absolute = true};
    return true;
  }
  if (pollable->u.poll.parent >= sys->res.count * CHUNK) return false;
  const wn_res_t *parent = at(sys, pollable->u.poll.parent);
  if (parent->kind == WN_RES_FREE || parent->serial != pollable->u.poll.serial) return false;
  bool stream = parent->kind == WN_RES_INPUT_STREAM || parent->kind == WN_RES_OUTPUT_STREAM;
  if (stream && parent->u.stream.closed) return false;
  if (parent->waits == WN_RES_READY || parent->fd == WN_RES_NO_FD) return false;
  *sub = (wn_sub_t){.fd = parent->fd, .kind = parent->waits};
  return true;
}
