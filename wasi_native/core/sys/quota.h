/* quota.h - what one preopen may grow by, shared by all descriptors that come from it. */
#ifndef WN_CORE_QUOTA_H
#define WN_CORE_QUOTA_H

#include "core/sys/obj.h"

struct wn_share {
  uint32_t refs;
  wn_grant_t grant;
  uint64_t bytes, inodes; /* used: growth since the grant, never below zero */
};

wn_err_t wn_share_new(wn_sys_t *sys, const wn_grant_t *grant, wn_share_t **out); /* refs 1; NOMEM */
void wn_share_release(wn_sys_t *sys, wn_share_t *share);                         /* NULL is fine */

/* Whether files of this share need a look before they grow. */
static inline bool wn_share_limited(const wn_share_t *s) {
  return s && (s->grant.quota_bytes || s->grant.max_file_size);
}

/* Reserve the growth of a file from `size` to at least `end`: FBIG, DQUOT, else *grown is what was taken, to be
 * given back with wn_quota_refund where the write fell short. */
wn_err_t wn_quota_grow(wn_share_t *share, uint64_t size, uint64_t end, uint64_t *grown);
/* How far a file of this size may reach at most, with what is left: what a write that is too long is cut to. */
uint64_t wn_quota_reach(const wn_share_t *share, uint64_t size);
void wn_quota_refund(wn_share_t *share, uint64_t bytes);
/* One new name. DQUOT. And one gone, with the bytes of a file whose last name it was. */
wn_err_t wn_quota_inode(wn_share_t *share);
void wn_quota_inode_gone(wn_share_t *share, uint64_t bytes);

#endif
