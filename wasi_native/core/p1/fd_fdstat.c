/* fd_fdstat.c - what a descriptor is and may. */
#include "core/p1/codec.h"

/* Write the type, flags and rights of a descriptor. No kernel call: the table knows them.
 *
 *   stat  [filetype 1][0][fdflags 2][0 0 0 0] [rights base 8] [rights inheriting 8]
 *
 * POSIX: fcntl(fd, F_GETFL).
 * Errnos: BADF, not open.
 * Spec: wasi_snapshot_preview1, fd_fdstat_get. */
wn_err_t wn_p1_fd_fdstat_get(wn_guest_t *guest, uint32_t fd, uint32_t stat) {
  uint8_t *out;
  wn_desc_t *desc;
  wn_err_t err = wn_mem_struct(&guest->mem, stat, WN_P1_FDSTAT_SIZE, 8, &out);
  if (!err) err = wn_table_get(&guest->sys->table, fd, 0, &desc);
  if (err) return err;
  wn_store64(out, (uint64_t)wn_p1_filetype(desc->obj->type) | (uint64_t)desc->obj->fdflags << 16);
  wn_store64(out + 8, desc->rights);
  wn_store64(out + 16, desc->inheriting);
  return 0;
}

/* Replace the flags of a descriptor.
 * POSIX: fcntl(fd, F_SETFL).
 * Errnos: BADF, not open; INVAL, unknown bits; NOTCAPABLE; NOTSUP, flags that this descriptor cannot change.
 * Spec: wasi_snapshot_preview1, fd_fdstat_set_flags. */
wn_err_t wn_p1_fd_fdstat_set_flags(wn_guest_t *guest, uint32_t fd, uint32_t flags) {
  if (flags & ~(uint32_t)WN_FD_ALL) return WN_EINVAL;
  return wn_file_set_flags(guest->sys, fd, (uint16_t)flags);
}

/* Drop rights of a descriptor. Bits that no right has are as if they were 0.
 * POSIX: cap_rights_limit(2) of FreeBSD.
 * Errnos: BADF, not open; NOTCAPABLE, a right that the descriptor does not have.
 * Spec: wasi_snapshot_preview1, fd_fdstat_set_rights. */
wn_err_t wn_p1_fd_fdstat_set_rights(wn_guest_t *guest, uint32_t fd, uint64_t fs_rights_base,
                                    uint64_t fs_rights_inheriting) {
  wn_desc_t *desc;
  wn_err_t err = wn_table_get(&guest->sys->table, fd, 0, &desc);
  if (err) return err;
  uint64_t base = fs_rights_base & WN_RIGHT_ALL, inheriting = fs_rights_inheriting & WN_RIGHT_ALL;
  if ((base & ~desc->rights) || (inheriting & ~desc->inheriting)) return WN_ENOTCAPABLE;
  desc->rights = base;
  desc->inheriting = inheriting;
  return 0;
}
