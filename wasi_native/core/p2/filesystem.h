/* filesystem.h - what the files of wasi:filesystem have in common.
 *
 * A descriptor is a slot of the table that WASI 0.1 numbers, with the same rights on the same kind of object. What
 * 0.2 says in other words is said here: a directory without the rights to change names below it is one without
 * mutate-directory, and what needs them is read-only there, where 0.1 says that the right is missing.
 */
#ifndef WN_CORE_P2_FILESYSTEM_H
#define WN_CORE_P2_FILESYSTEM_H

#include "core/p2/codec.h"

/* The descriptor's slot. BADF: gone, by a call of WASI 0.1. */
static inline wn_err_t wn_p2_slot(const wn_guest_t *guest, const wn_res_t *self, wn_desc_t **desc) {
  return wn_table_get(&guest->sys->table, self->fd, 0, desc);
}

/* Whether names below a directory can be changed. The two rights left out are those that a directory of granted files
 * keeps for the sake of the files, though no name in it can change. */
static inline bool wn_p2_mutates(const wn_desc_t *desc) {
  const uint64_t files = WN_RIGHT_PATH_CREATE_FILE | WN_RIGHT_PATH_FILESTAT_SET_SIZE;
  return desc->obj->type == WN_TYPE_DIRECTORY && (desc->rights & WN_RIGHTS_DIR & WN_RIGHTS_WRITING & ~files);
}

/* filesystem.c: a directory that a call changes. NOTDIR; ROFS: without mutate-directory. */
wn_err_t wn_p2_mutable(const wn_guest_t *guest, const wn_res_t *self);
/* A handle for a new resource over a slot, at ptr; the slot is the resource's, on failure too. */
wn_err_t wn_p2_put_slot(wn_guest_t *guest, uint32_t ptr, wn_res_kind_t kind, const wn_rt_t *rt, uint32_t slot);

/* filesystem_stat.c: descriptor-type of a WN_TYPE_*. */
uint8_t wn_p2_descriptor_type(uint8_t type);

/* filesystem_path.c: a directory that a call looks into. NOTDIR. */
wn_err_t wn_p2_directory(const wn_guest_t *guest, const wn_res_t *self);

#endif
