/* quota.c - counts of what a preopen grew by. */
#include "core/sys/quota.h"

#include "core/sys/state.h"

wn_err_t wn_share_new(wn_sys_t *sys, const wn_grant_t *grant, wn_share_t **out) {
  wn_share_t *share = sys->os->alloc(sys->os, sizeof *share);
  if (!share) return WN_ENOMEM;
  share->refs = 1;
  if (grant) share->grant = *grant;
  *out = share;
  return 0;
}

void wn_share_release(wn_sys_t *sys, wn_share_t *share) {
  if (share && --share->refs == 0) sys->os->free(sys->os, share);
}

static uint64_t bytes_left(const wn_share_t *share) {
  if (!share->grant.quota_bytes) return UINT64_MAX;
  return share->bytes < share->grant.quota_bytes ? share->grant.quota_bytes - share->bytes : 0;
}

wn_err_t wn_quota_grow(wn_share_t *share, uint64_t size, uint64_t end, uint64_t *grown) {
  *grown = 0;
  if (!share || end <= size) return 0;
  if (share->grant.max_file_size && end > share->grant.max_file_size) return WN_EFBIG;
  if (end - size > bytes_left(share)) return WN_EDQUOT;
  *grown = end - size;
  share->bytes += *grown;
  return 0;
}

uint64_t wn_quota_reach(const wn_share_t *share, uint64_t size) {
  if (!share) return UINT64_MAX;
  uint64_t left = bytes_left(share);
  uint64_t reach = left > UINT64_MAX - size ? UINT64_MAX : size + left;
  if (share->grant.max_file_size && reach > share->grant.max_file_size) reach = share->grant.max_file_size;
  return reach > size ? reach : size;
}

void wn_quota_refund(wn_share_t *share, uint64_t bytes) {
  if (share) share->bytes -= bytes < share->bytes ? bytes : share->bytes;
}

wn_err_t wn_quota_inode(wn_share_t *share) {
  if (!share) return 0;
  if (share->grant.quota_inodes && share->inodes >= share->grant.quota_inodes) return WN_EDQUOT;
  share->inodes++;
  return 0;
}

void wn_quota_inode_gone(wn_share_t *share, uint64_t bytes) {
  if (share && share->inodes) share->inodes--;
  wn_quota_refund(share, bytes);
}
