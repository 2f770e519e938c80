/* fd_prestat.c - the directories that a guest finds open, and their names. */
#include "core/p1/codec.h"

/* A preopened directory. Sockets and streams are granted too, but have no name to tell. */
static wn_err_t preopen_get(wn_guest_t *guest, uint32_t fd, const wn_desc_t **out) {
  wn_desc_t *desc;
  wn_err_t err = wn_table_get(&guest->sys->table, fd, 0, &desc);
  if (err) return err;
  if (!desc->preopen || desc->obj->type != WN_TYPE_DIRECTORY) return WN_EBADF;
  *out = desc;
  return 0;
}

/* Write that a descriptor is a preopened directory, and how long its name is.
 *
 *   prestat  [0: a directory 1][0 0 0][length of the name 4]
 *
 * POSIX: none.
 * Errnos: BADF, not open, or not preopened; a C library asks 3, 4, 5 ... until it meets this.
 * Spec: wasi_snapshot_preview1, fd_prestat_get and type prestat. */
wn_err_t wn_p1_fd_prestat_get(wn_guest_t *guest, uint32_t fd, uint32_t prestat) {
  uint8_t *out;
  const wn_desc_t *desc;
  wn_err_t err = wn_mem_struct(&guest->mem, prestat, WN_P1_PRESTAT_SIZE, 4, &out);
  if (!err) err = preopen_get(guest, fd, &desc);
  if (err) return err;
  wn_store32(out, 0);
  wn_store32(out + 4, desc->preopen_len);
  return 0;
}

/* Write the name of a preopened directory, without a terminator.
 * POSIX: none.
 * Errnos: BADF, not open, or not preopened; NAMETOOLONG, the buffer is shorter than the name.
 * Spec: wasi_snapshot_preview1, fd_prestat_dir_name. */
wn_err_t wn_p1_fd_prestat_dir_name(wn_guest_t *guest, uint32_t fd, uint32_t path, uint32_t path_len) {
  uint8_t *bytes;
  const wn_desc_t *desc;
  wn_err_t err = wn_mem_bytes(&guest->mem, path, path_len, &bytes);
  if (!err) err = preopen_get(guest, fd, &desc);
  if (err) return err;
  if (path_len < desc->preopen_len) return WN_ENAMETOOLONG;
  if (desc->preopen_len) memcpy(bytes, desc->preopen, desc->preopen_len);
  return 0;
}
