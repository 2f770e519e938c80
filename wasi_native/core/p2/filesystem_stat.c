/* filesystem_stat.c - attributes: of a descriptor, of what a path names, and setting the times of both.
 *
 * Errnos of those with a path that are not repeated at each: see filesystem_path.c.
 */
#include "core/p2/filesystem.h"

uint8_t wn_p2_descriptor_type(uint8_t type) {
  static const uint8_t types[] = {
      [WN_TYPE_UNKNOWN] = WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_UNKNOWN,
      [WN_TYPE_BLOCK] = WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_BLOCK_DEVICE,
      [WN_TYPE_CHARACTER] = WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_CHARACTER_DEVICE,
      [WN_TYPE_DIRECTORY] = WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_DIRECTORY,
      [WN_TYPE_REGULAR] = WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_REGULAR_FILE,
      [WN_TYPE_SOCKET_DGRAM] = WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_SOCKET,
      [WN_TYPE_SOCKET_STREAM] = WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_SOCKET,
      [WN_TYPE_SYMLINK] = WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_SYMBOLIC_LINK,
      [WN_TYPE_FIFO] = WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_FIFO,
  };
  return type < sizeof types ? types[type] : (uint8_t)WN_P2_FILESYSTEM_DESCRIPTOR_TYPE_UNKNOWN;
}

/* An option<datetime> that is some. A time before 1970 is shown as 1970, as WASI 0.1 shows it. */
static wn_err_t put_time(wn_guest_t *guest, uint32_t ptr, int64_t ns) {
  wn_err_t err = wn_p2_put8(guest, ptr, 1);
  return err ? err
             : wn_p2_put_datetime(guest, ptr + WN_P2_FILESYSTEM_OPTION_DATETIME_SOME, ns < 0 ? 0 : (uint64_t)ns);
}

/*   [type 1][link count 8][size 8] and three times of [some 1][seconds 8][nanoseconds 4], each at a multiple of 8 */
static wn_err_t put_stat(wn_guest_t *guest, uint32_t ptr, const wn_stat_t *st) {
  wn_err_t err = wn_p2_put8(guest, ptr + WN_P2_FILESYSTEM_DESCRIPTOR_STAT_TYPE, wn_p2_descriptor_type(st->type));
  if (!err) err = wn_p2_put64(guest, ptr + WN_P2_FILESYSTEM_DESCRIPTOR_STAT_LINK_COUNT, st->nlink);
  if (!err) err = wn_p2_put64(guest, ptr + WN_P2_FILESYSTEM_DESCRIPTOR_STAT_SIZE, st->size);
  if (!err) err = put_time(guest, ptr + WN_P2_FILESYSTEM_DESCRIPTOR_STAT_DATA_ACCESS_TIMESTAMP, st->atim);
  if (!err) err = put_time(guest, ptr + WN_P2_FILESYSTEM_DESCRIPTOR_STAT_DATA_MODIFICATION_TIMESTAMP, st->mtim);
  return err ? err : put_time(guest, ptr + WN_P2_FILESYSTEM_DESCRIPTOR_STAT_STATUS_CHANGE_TIMESTAMP, st->ctim);
}

static wn_err_t put_hash(wn_guest_t *guest, uint32_t ptr, const wn_stat_t *st) {
  uint64_t hash[2];
  wn_err_t err = wn_hash_stat(guest->sys, st, hash);
  if (!err) err = wn_p2_put64(guest, ptr + WN_P2_FILESYSTEM_METADATA_HASH_VALUE_LOWER, hash[0]);
  return err ? err : wn_p2_put64(guest, ptr + WN_P2_FILESYSTEM_METADATA_HASH_VALUE_UPPER, hash[1]);
}

/* A new-timestamp. INVAL: a second or more of nanoseconds, or a time past 2262. */
static wn_err_t new_time(uint32_t kind, uint64_t seconds, uint32_t nanoseconds, int64_t *ns) {
  const uint64_t second = 1000000000u;
  *ns = kind == WN_P2_FILESYSTEM_NEW_TIMESTAMP_NOW ? WN_TIME_NOW : WN_TIME_KEEP;
  if (kind != WN_P2_FILESYSTEM_NEW_TIMESTAMP_TIMESTAMP) return 0;
  if (nanoseconds >= second || seconds > (INT64_MAX - nanoseconds) / second) return WN_EINVAL;
  *ns = (int64_t)(seconds * second + nanoseconds);
  return 0;
}

/* What has a name below a directory. */
static wn_err_t stat_at(wn_guest_t *guest, const wn_res_t *self, uint32_t flags, uint32_t path, uint32_t path_len,
                        wn_stat_t *st) {
  char name[WN_PATH_MAX];
  wn_err_t err = wn_p2_get_string(guest, path, path_len, name, sizeof name);
  if (!err) err = wn_p2_directory(guest, self);
  if (err) return err;
  return wn_path_stat(guest->sys, self->fd, name, flags & WN_P2_FILESYSTEM_PATH_FLAGS_SYMLINK_FOLLOW, st);
}

/* Set the times of an open file or directory.
 * POSIX: futimens(2).
 * Errnos: INVAL, a second or more of nanoseconds, or a time past 2262; IO; ROFS; NOTSUP, it keeps no
 *   times.
 * Spec: wasi:filesystem/types, descriptor.set-times. */
wn_err_t wn_p2_filesystem_descriptor_set_times(wn_guest_t *guest, wn_res_t *self, uint32_t data_access_timestamp,
                                               uint64_t data_access_timestamp_1, uint32_t data_access_timestamp_2,
                                               uint32_t data_modification_timestamp,
                                               uint64_t data_modification_timestamp_1,
                                               uint32_t data_modification_timestamp_2) {
  wn_desc_t *desc;
  int64_t atim, mtim;
  wn_err_t err = new_time(data_access_timestamp, data_access_timestamp_1, data_access_timestamp_2, &atim);
  if (!err)
    err = new_time(data_modification_timestamp, data_modification_timestamp_1, data_modification_timestamp_2, &mtim);
  if (!err) err = wn_p2_slot(guest, self, &desc);
  if (err) return err;
  if (desc->obj->type == WN_TYPE_DIRECTORY && !wn_p2_mutates(desc)) return WN_EROFS;
  return wn_file_set_times(guest->sys, self->fd, atim, mtim);
}

/* Give the attributes of an open file or directory, without the numbers that the host knows it by.
 * POSIX: fstat(2).
 * Errnos: IO.
 * Spec: wasi:filesystem/types, descriptor.stat. */
wn_err_t wn_p2_filesystem_descriptor_stat(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  wn_stat_t st;
  wn_err_t err = wn_file_stat(guest->sys, self->fd, &st);
  return err ? err : put_stat(guest, ret, &st);
}

/* Give the attributes of what has a name.
 * POSIX: fstatat(2).
 * Errnos: those of paths.
 * Spec: wasi:filesystem/types, descriptor.stat-at. */
wn_err_t wn_p2_filesystem_descriptor_stat_at(wn_guest_t *guest, wn_res_t *self, uint32_t path_flags, uint32_t path,
                                             uint32_t path_len, uint32_t ret) {
  wn_stat_t st;
  wn_err_t err = stat_at(guest, self, path_flags, path, path_len, &st);
  return err ? err : put_stat(guest, ret, &st);
}

/* Set the times of what has a name.
 * POSIX: utimensat(2).
 * Errnos: INVAL, as of set-times; those of paths.
 * Spec: wasi:filesystem/types, descriptor.set-times-at. */
wn_err_t wn_p2_filesystem_descriptor_set_times_at(wn_guest_t *guest, wn_res_t *self, uint32_t path_flags,
                                                  uint32_t path, uint32_t path_len, uint32_t data_access_timestamp,
                                                  uint64_t data_access_timestamp_1, uint32_t data_access_timestamp_2,
                                                  uint32_t data_modification_timestamp,
                                                  uint64_t data_modification_timestamp_1,
                                                  uint32_t data_modification_timestamp_2) {
  char name[WN_PATH_MAX];
  int64_t atim, mtim;
  wn_err_t err = wn_p2_get_string(guest, path, path_len, name, sizeof name);
  if (!err) err = new_time(data_access_timestamp, data_access_timestamp_1, data_access_timestamp_2, &atim);
  if (!err)
    err = new_time(data_modification_timestamp, data_modification_timestamp_1, data_modification_timestamp_2, &mtim);
  if (!err) err = wn_p2_mutable(guest, self);
  if (err) return err;
  bool follow = path_flags & WN_P2_FILESYSTEM_PATH_FLAGS_SYMLINK_FOLLOW;
  return wn_path_set_times(guest->sys, self->fd, name, follow, atim, mtim);
}

/* Give a number for what a file is now: it changes with the file's size and times, and with what has its place.
 * POSIX: none.
 * Errnos: IO.
 * Spec: wasi:filesystem/types, descriptor.metadata-hash. */
wn_err_t wn_p2_filesystem_descriptor_metadata_hash(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  wn_stat_t st;
  wn_err_t err = wn_file_stat(guest->sys, self->fd, &st);
  return err ? err : put_hash(guest, ret, &st);
}

/* Give the number of what has a name.
 * POSIX: none.
 * Errnos: those of paths.
 * Spec: wasi:filesystem/types, descriptor.metadata-hash-at. */
wn_err_t wn_p2_filesystem_descriptor_metadata_hash_at(wn_guest_t *guest, wn_res_t *self, uint32_t path_flags,
                                                      uint32_t path, uint32_t path_len, uint32_t ret) {
  wn_stat_t st;
  wn_err_t err = stat_at(guest, self, path_flags, path, path_len, &st);
  return err ? err : put_hash(guest, ret, &st);
}
