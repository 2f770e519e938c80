/* filesystem.c - what a guest finds open, and descriptors of files and directories. What takes a path is in
 * filesystem_path.c, what has the shape of a stat in filesystem_stat.c.
 *
 * Errnos that every method can have, not repeated at each: BADF, its slot was closed by a call of WASI 0.1;
 * NOTCAPABLE, the descriptor was not opened for that.
 */
#include "core/p2/filesystem.h"

#define TAIL 4096u /* bytes of a read whose length the kernel alone can tell */

wn_err_t wn_p2_filesystem_error_code(wn_guest_t *guest, wn_err_t err, uint8_t *out) {
  (void)guest;
  *out = wn_p2_errno_code(err);
  return 0;
}

wn_err_t wn_p2_mutable(const wn_guest_t *guest, const wn_res_t *self) {
  wn_desc_t *desc;
  wn_err_t err = wn_p2_slot(guest, self, &desc);
  if (err) return err;
  if (desc->obj->type != WN_TYPE_DIRECTORY) return WN_ENOTDIR;
  return wn_p2_mutates(desc) ? 0 : WN_EROFS;
}

wn_err_t wn_p2_put_slot(wn_guest_t *guest, uint32_t ptr, wn_res_kind_t kind, const wn_rt_t *rt, uint32_t slot) {
  wn_res_t *res;
  wn_err_t err = wn_res_new(guest->sys, kind, &res);
  if (err) {
    wn_table_close(guest->sys, slot);
    return err;
  }
  res->fd = slot;
  res->owned = true;
  return wn_p2_put_own(guest, ptr, rt, res);
}

/* The slot of a descriptor of anything but a directory. ISDIR. */
static wn_err_t file(const wn_guest_t *guest, const wn_res_t *self, wn_desc_t **desc) {
  wn_err_t err = wn_p2_slot(guest, self, desc);
  if (WN_UNLIKELY(err)) return err;
  return WN_LIKELY((*desc)->obj->type != WN_TYPE_DIRECTORY) ? 0 : WN_EISDIR;
}

/* ---- preopens ---- */

static bool is_preopen(const wn_desc_t *desc) {
  return desc->obj && desc->preopen && desc->obj->type == WN_TYPE_DIRECTORY;
}

/* Give a descriptor and a name for each directory that the guest finds open. The descriptors are new ones: dropping
 * them takes nothing away that the next call would give.
 * POSIX: none.
 * Errnos: none; a guest without room for them ends by its limit of handles or descriptors.
 * Spec: wasi:filesystem/preopens, get-directories. */
wn_err_t wn_p2_filesystem_get_directories(wn_guest_t *guest, uint32_t ret) {
  enum { SIZE = WN_P2_FILESYSTEM_TUPLE_DESCRIPTOR_STRING_SIZEOF };
  wn_sys_t *sys = guest->sys;
  const wn_desc_t *slots = sys->table.slots;
  uint32_t count = 0, at = 0;
  for (uint32_t fd = 0; fd < sys->table.limit; fd++) count += is_preopen(&slots[fd]);
  if (count > sys->table.limit - sys->table.open) {
    sys->limit_hit = "fds";
    return WN_LIMIT;
  }
  wn_err_t err = wn_p2_put_list(guest, ret, count, SIZE, WN_P2_FILESYSTEM_TUPLE_DESCRIPTOR_STRING_ALIGNOF, &at);
  for (uint32_t fd = 0; fd < sys->table.limit && !err && count; fd++) {
    uint32_t slot = 0, len = slots[fd].preopen_len;
    char name[WN_PATH_MAX]; /* the guest runs while its string is made, and could close the descriptor */
    if (!is_preopen(&slots[fd])) continue;
    count--;
    if (len) memcpy(name, slots[fd].preopen, len);
    err = wn_table_insert(sys, slots[fd].obj, slots[fd].rights, slots[fd].inheriting, 3, &slot);
    if (!err)
      err = wn_p2_put_slot(guest, at + WN_P2_FILESYSTEM_TUPLE_DESCRIPTOR_STRING_0, WN_RES_DESCRIPTOR,
                           &wn_p2_rt_descriptor, slot);
    if (!err) err = wn_p2_put_string(guest, at + WN_P2_FILESYSTEM_TUPLE_DESCRIPTOR_STRING_1, name, len);
    at += SIZE;
  }
  return err;
}

/* ---- streams ---- */

/* A stream over a slot that has nothing but the right that the stream needs. */
static wn_err_t stream(wn_guest_t *guest, uint32_t ret, wn_res_kind_t kind, uint32_t slot, bool positioned,
                       uint64_t offset) {
  wn_res_t *res;
  wn_err_t err = wn_stream_new(guest->sys, kind, slot, true, &res);
  if (err) return err;
  res->u.stream.positioned = positioned;
  res->u.stream.pos = offset;
  return wn_p2_put_own(guest, ret, kind == WN_RES_INPUT_STREAM ? &wn_p2_rt_input_stream : &wn_p2_rt_output_stream,
                       res);
}

static wn_err_t stream_at(wn_guest_t *guest, wn_res_t *self, uint64_t right, wn_res_kind_t kind, uint64_t offset,
                          uint32_t ret) {
  wn_desc_t *desc;
  uint32_t slot;
  wn_err_t err = file(guest, self, &desc);
  if (err) return err;
  if (!(desc->rights & right)) return WN_EBADF;
  if (offset > INT64_MAX) return WN_EINVAL;
  bool positioned = desc->obj->ops->preadv != NULL;
  err = wn_res_share(guest->sys, self->fd, right | WN_RIGHT_POLL_FD_READWRITE, &slot);
  return err ? err : stream(guest, ret, kind, slot, positioned, offset);
}

/* Give a stream that reads a file from a place on. Its place is its own: no other stream or call moves it.
 * POSIX: pread(2), again and again.
 * Errnos: MFILE, the guest's limit of descriptors; INVAL, a place past 2^63 - 1; ISDIR.
 * Spec: wasi:filesystem/types, descriptor.read-via-stream. */
wn_err_t wn_p2_filesystem_descriptor_read_via_stream(wn_guest_t *guest, wn_res_t *self, uint64_t offset,
                                                     uint32_t ret) {
  return stream_at(guest, self, WN_RIGHT_FD_READ, WN_RES_INPUT_STREAM, offset, ret);
}

/* Give a stream that writes to a file from a place on, which may be past its end.
 * POSIX: pwrite(2), again and again.
 * Errnos: as of read-via-stream.
 * Spec: wasi:filesystem/types, descriptor.write-via-stream. */
wn_err_t wn_p2_filesystem_descriptor_write_via_stream(wn_guest_t *guest, wn_res_t *self, uint64_t offset,
                                                      uint32_t ret) {
  return stream_at(guest, self, WN_RIGHT_FD_WRITE, WN_RES_OUTPUT_STREAM, offset, ret);
}

/* Give a stream each of whose writes goes to where the file ends then.
 * POSIX: write(2) with O_APPEND.
 * Errnos: MFILE, the guest's limit of descriptors; ISDIR; what opening the file anew says.
 * Spec: wasi:filesystem/types, descriptor.append-via-stream. */
wn_err_t wn_p2_filesystem_descriptor_append_via_stream(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  wn_desc_t *desc;
  uint32_t slot;
  wn_err_t err = file(guest, self, &desc);
  if (!err && !(desc->rights & WN_RIGHT_FD_WRITE)) err = WN_EBADF;
  if (!err) err = wn_file_append(guest->sys, self->fd, WN_RIGHT_FD_WRITE | WN_RIGHT_POLL_FD_READWRITE, &slot);
  return err ? err : stream(guest, ret, WN_RES_OUTPUT_STREAM, slot, false, 0);
}

/* ---- files ---- */

/* Say how a part of a file will be used.
 * POSIX: posix_fadvise(2).
 * Errnos: BADF, a directory; INVAL, the part ends past 2^63 - 1; SPIPE, not a file.
 * Spec: wasi:filesystem/types, descriptor.advise. */
wn_err_t wn_p2_filesystem_descriptor_advise(wn_guest_t *guest, wn_res_t *self, uint64_t offset, uint64_t length,
                                            uint32_t advice) {
  return wn_file_advise(guest->sys, self->fd, offset, length, advice);
}

/* What was not opened for writing has nothing to bring to the disk. */
static wn_err_t sync_slot(wn_guest_t *guest, const wn_res_t *self, bool data_only) {
  wn_desc_t *desc;
  wn_err_t err = wn_p2_slot(guest, self, &desc);
  if (err) return err;
  if (!(desc->rights & WN_RIGHT_FD_WRITE) && !wn_p2_mutates(desc)) return 0;
  return wn_file_sync(guest->sys, self->fd, data_only);
}

/* Bring the data of a file to the disk.
 * POSIX: fdatasync(2).
 * Errnos: INVAL, nothing that can be synchronised; IO.
 * Spec: wasi:filesystem/types, descriptor.sync-data. */
wn_err_t wn_p2_filesystem_descriptor_sync_data(wn_guest_t *guest, wn_res_t *self) {
  return sync_slot(guest, self, true);
}

/* Tell what a descriptor was opened for. No kernel call: the table knows it.
 * POSIX: fcntl(fd, F_GETFL).
 * Errnos: none of its own.
 * Spec: wasi:filesystem/types, descriptor.get-flags. */
wn_err_t wn_p2_filesystem_descriptor_get_flags(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  wn_desc_t *desc;
  uint8_t flags = 0;
  wn_err_t err = wn_p2_slot(guest, self, &desc);
  if (err) return err;
  uint16_t fdflags = desc->obj->fdflags;
  if (desc->rights & (WN_RIGHT_FD_READ | WN_RIGHT_FD_READDIR)) flags |= WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_READ;
  if (desc->rights & WN_RIGHT_FD_WRITE) flags |= WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_WRITE;
  if (fdflags & WN_FD_SYNC) flags |= WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_FILE_INTEGRITY_SYNC;
  if (fdflags & WN_FD_DSYNC) flags |= WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_DATA_INTEGRITY_SYNC;
  if (fdflags & WN_FD_RSYNC) flags |= WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_REQUESTED_WRITE_SYNC;
  if (wn_p2_mutates(desc)) flags |= WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_MUTATE_DIRECTORY;
  return wn_p2_put8(guest, ret, flags);
}

/* Tell what a descriptor is of. No kernel call.
 * POSIX: fstat(2), st_mode.
 * Errnos: none of its own.
 * Spec: wasi:filesystem/types, descriptor.get-type. */
wn_err_t wn_p2_filesystem_descriptor_get_type(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  wn_desc_t *desc;
  wn_err_t err = wn_p2_slot(guest, self, &desc);
  return err ? err : wn_p2_put8(guest, ret, wn_p2_descriptor_type(desc->obj->type));
}

/* Cut a file, or grow it by zeros.
 * POSIX: ftruncate(2).
 * Errnos: FBIG, NOSPC, DQUOT, no room; INVAL, not a file, or past 2^63 - 1; IO;
 *   ISDIR.
 * Spec: wasi:filesystem/types, descriptor.set-size. */
wn_err_t wn_p2_filesystem_descriptor_set_size(wn_guest_t *guest, wn_res_t *self, uint64_t size) {
  wn_desc_t *desc;
  wn_err_t err = file(guest, self, &desc);
  return err ? err : wn_file_set_size(guest->sys, self->fd, size);
}

/* A read of as many bytes as the kernel has there, which nobody knows before: through memory of ours, so that the
 * guest's list gets its size and no more. */
static wn_err_t read_tail(wn_guest_t *guest, const wn_res_t *self, uint64_t length, uint64_t offset, uint32_t ret,
                          uint64_t *got) {
  uint8_t bytes[TAIL];
  const wn_iov_t iov = {bytes, length < TAIL ? (size_t)length : TAIL};
  wn_err_t err = wn_file_preadv(guest->sys, self->fd, &iov, length != 0, offset, got);
  return err ? err : wn_p2_put_bytes(guest, ret, bytes, (size_t)*got);
}

/* A read of bytes that are there: one realloc, and the kernel writes into the guest's memory. */
static wn_err_t read_whole(wn_guest_t *guest, const wn_res_t *self, uint64_t length, uint64_t offset, uint32_t ret,
                           uint64_t *got) {
  uint32_t at = 0;
  uint8_t *bytes;
  wn_err_t err = wn_p2_put_list(guest, ret, (uint32_t)length, 1, 1, &at);
  if (!err) err = wn_p2_place(guest, at, (uint32_t)length, 1, &bytes);
  if (WN_UNLIKELY(err)) return err;
  const wn_iov_t iov = {bytes, (size_t)length};
  err = wn_file_preadv(guest->sys, self->fd, &iov, length != 0, offset, got);
  if (WN_UNLIKELY(!err && *got < length)) err = wn_p2_put32(guest, ret + 4, (uint32_t)*got); /* cut just now */
  return err;
}

/* Read from a place, at most 1 MiB, and tell whether the end of the file was reached.
 *
 *   ret  [pointer 4][length 4][end 1]        the size seen last says whether so many bytes are there
 *
 * POSIX: pread(2).
 * Errnos: INVAL, a place past 2^63 - 1; SPIPE, it has no places; IO; ISDIR.
 * Spec: wasi:filesystem/types, descriptor.read. */
wn_err_t wn_p2_filesystem_descriptor_read(wn_guest_t *guest, wn_res_t *self, uint64_t length, uint64_t offset,
                                          uint32_t ret) {
  wn_desc_t *desc;
  wn_stat_t st;
  uint64_t got = 0;
  bool end = false, known = false;
  wn_err_t err = file(guest, self, &desc);
  if (WN_UNLIKELY(err)) return err;
  if (!(desc->rights & WN_RIGHT_FD_READ)) return WN_EBADF;
  if (!desc->obj->ops->preadv) return WN_ESPIPE;
  if (offset > INT64_MAX) return WN_EINVAL;
  if (length > WN_CHUNK_MAX) length = WN_CHUNK_MAX;
  if (WN_UNLIKELY(offset + length > self->u.file.size)) {
    if ((err = wn_file_stat(guest->sys, self->fd, &st))) return err;
    self->u.file.size = st.size;
    known = true;
    /* Files that the kernel makes up say a size that they do not have: what may be more than a page is there. */
    uint64_t left = st.size > offset ? st.size - offset : 0;
    if (left > TAIL && length > left) length = left;
  }
  if (WN_LIKELY(offset + length <= self->u.file.size)) err = read_whole(guest, self, length, offset, ret, &got);
  else err = read_tail(guest, self, length, offset, ret, &got);
  if (WN_UNLIKELY(err)) return err;
  if (length) end = got == 0 || (known && self->u.file.size && offset + got >= self->u.file.size);
  return wn_p2_put8(guest, ret + WN_P2_FILESYSTEM_TUPLE_LIST_U8_BOOL_1, end);
}

/* Write to a place, which may be past the end. Fewer bytes than given can be taken.
 * POSIX: pwrite(2).
 * Errnos: FBIG, NOSPC, DQUOT, no room; INVAL, a place past 2^63 - 1; SPIPE, it has no
 *   places; IO; ISDIR.
 * Spec: wasi:filesystem/types, descriptor.write. */
wn_err_t wn_p2_filesystem_descriptor_write(wn_guest_t *guest, wn_res_t *self, uint32_t buffer, uint32_t buffer_len,
                                           uint64_t offset, uint32_t ret) {
  wn_desc_t *desc;
  uint8_t *bytes;
  uint64_t done = 0;
  wn_err_t err = wn_p2_get_bytes(guest, buffer, buffer_len, &bytes);
  if (!err) err = file(guest, self, &desc);
  if (WN_UNLIKELY(err)) return err;
  if (!(desc->rights & WN_RIGHT_FD_WRITE)) return WN_EBADF;
  const wn_iov_t iov = {bytes, buffer_len};
  err = wn_file_pwritev(guest->sys, self->fd, &iov, buffer_len != 0, offset, &done);
  return err ? err : wn_p2_put64(guest, ret, done);
}

/* Bring the data and the attributes of a file or directory to the disk.
 * POSIX: fsync(2).
 * Errnos: INVAL, nothing that can be synchronised; IO.
 * Spec: wasi:filesystem/types, descriptor.sync. */
wn_err_t wn_p2_filesystem_descriptor_sync(wn_guest_t *guest, wn_res_t *self) { return sync_slot(guest, self, false); }

/* Tell whether two descriptors are of one file or directory. Of which nothing can be learned are not.
 * POSIX: st_dev and st_ino of fstat(2).
 * Errnos: none.
 * Spec: wasi:filesystem/types, descriptor.is-same-object. */
wn_err_t wn_p2_filesystem_descriptor_is_same_object(wn_guest_t *guest, wn_res_t *self, wn_res_t *other,
                                                    uint32_t *result) {
  wn_stat_t one, two;
  wn_err_t err = wn_file_stat(guest->sys, self->fd, &one);
  if (!err) err = wn_file_stat(guest->sys, other->fd, &two);
  if (err < 0) return err;
  *result = !err && one.dev == two.dev && one.ino == two.ino;
  return 0;
}

/* ---- directories ---- */

/* Give a stream of the entries of a directory, from its start. The directory is opened anew for it: each stream has a
 * place of its own.
 * POSIX: fdopendir(3).
 * Errnos: MFILE, the guest's limit of descriptors; NOENT, the directory is gone; NOTDIR.
 * Spec: wasi:filesystem/types, descriptor.read-directory. */
wn_err_t wn_p2_filesystem_descriptor_read_directory(wn_guest_t *guest, wn_res_t *self, uint32_t ret) {
  const wn_open_t how = {.directory = true, .rights = WN_RIGHT_FD_READDIR};
  wn_desc_t *desc;
  uint32_t slot;
  wn_err_t err = wn_p2_slot(guest, self, &desc);
  if (err) return err;
  if (desc->obj->type != WN_TYPE_DIRECTORY) return WN_ENOTDIR;
  if (!(desc->rights & WN_RIGHT_FD_READDIR)) return WN_ENOTCAPABLE;
  err = wn_path_open(guest->sys, self->fd, ".", &how, &slot);
  if (err) return err;
  return wn_p2_put_slot(guest, ret, WN_RES_DIRECTORY_ENTRY_STREAM, &wn_p2_rt_directory_entry_stream, slot);
}

/* The two that every directory has, and names that no string can say. */
static bool hidden(const wn_dirent_t *entry) {
  const char *name = entry->name;
  if (name[0] == '.' && (entry->name_len == 1 || (entry->name_len == 2 && name[1] == '.'))) return true;
  return !wn_utf8_valid((const uint8_t *)name, entry->name_len);
}

/* Give the next entry, none at the end. Entries whose names are not UTF-8 are left out: no path can name them.
 * POSIX: readdir(3).
 * Errnos: IO.
 * Spec: wasi:filesystem/types, directory-entry-stream.read-directory-entry. */
wn_err_t wn_p2_filesystem_directory_entry_stream_read_directory_entry(wn_guest_t *guest, wn_res_t *self,
                                                                      uint32_t ret) {
  wn_dirent_t entry;
  bool end = false;
  do {
    wn_err_t err = wn_dir_read(guest->sys, self->fd, self->u.dir.cookie, &entry, &end);
    if (err) return err;
    if (end) return wn_p2_put8(guest, ret, 0);
    self->u.dir.cookie = entry.next;
  } while (hidden(&entry));
  uint32_t at = ret + WN_P2_FILESYSTEM_OPTION_DIRECTORY_ENTRY_SOME;
  char name[WN_NAME_MAX + 1]; /* the guest runs while its string is made, and could have another directory read */
  uint32_t len = entry.name_len <= WN_NAME_MAX ? entry.name_len : WN_NAME_MAX;
  memcpy(name, entry.name, len);
  wn_err_t err = wn_p2_put8(guest, ret, 1);
  if (!err) err = wn_p2_put8(guest, at + WN_P2_FILESYSTEM_DIRECTORY_ENTRY_TYPE, wn_p2_descriptor_type(entry.type));
  return err ? err : wn_p2_put_string(guest, at + WN_P2_FILESYSTEM_DIRECTORY_ENTRY_NAME, name, len);
}

/* Tell which error of files a stream failed with: none for what only sockets can meet.
 * POSIX: errno.
 * Errnos: none.
 * Spec: wasi:filesystem/types, filesystem-error-code. */
wn_err_t wn_p2_filesystem_filesystem_error_code(wn_guest_t *guest, wn_res_t *err_, uint32_t ret) {
  wn_err_t failed = err_->u.error.err;
  uint8_t code = wn_p2_errno_code(failed);
  bool some = code != WN_P2_FILESYSTEM_ERROR_CODE_IO || failed == WN_EIO;
  wn_err_t err = wn_p2_put8(guest, ret, some);
  return err || !some ? err : wn_p2_put8(guest, ret + WN_P2_FILESYSTEM_OPTION_ERROR_CODE_SOME, code);
}
