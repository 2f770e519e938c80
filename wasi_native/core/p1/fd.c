/* fd.c - open files: read, write, place, close. Attributes are in fd_fdstat.c, fd_filestat.c, fd_prestat.c.
 *
 * A list of pieces, as the four calls that gather or scatter take it:
 *
 *   iovs   [ptr 0][len 0] [ptr 1][len 1] ...        8 bytes each, aligned to 4
 *             |              +--> len 1 bytes         at any alignment
 *             +--> len 0 bytes
 */
#include "core/p1/codec.h"

enum { ADVICE_NOREUSE = 5 };

/* Say how a part of a file will be used.
 * POSIX: posix_fadvise(2).
 * Errnos: BADF, not open, or a directory; INVAL, unknown advice, or the part ends past 2^63 - 1; NOTCAPABLE; SPIPE,
 *   not a file.
 * Spec: wasi_snapshot_preview1, fd_advise. */
wn_err_t wn_p1_fd_advise(wn_guest_t *guest, uint32_t fd, uint64_t offset, uint64_t len, uint32_t advice) {
  if (advice > ADVICE_NOREUSE) return WN_EINVAL;
  return wn_file_advise(guest->sys, fd, offset, len, advice);
}

/* Make sure that a file has room, and grow it to hold the part.
 * POSIX: posix_fallocate(3).
 * Errnos: BADF, not open; DQUOT, FBIG, NOSPC, no room, or past 2^63 - 1; INVAL, an empty part; NOTCAPABLE; NODEV,
 *   SPIPE, not a file; NOTSUP, the file system cannot.
 * Spec: wasi_snapshot_preview1, fd_allocate. */
wn_err_t wn_p1_fd_allocate(wn_guest_t *guest, uint32_t fd, uint64_t offset, uint64_t len) {
  return wn_file_allocate(guest->sys, fd, offset, len);
}

/* Close a descriptor, a preopened one too.
 * POSIX: close(2).
 * Errnos: BADF, not open.
 * Spec: wasi_snapshot_preview1, fd_close. */
wn_err_t wn_p1_fd_close(wn_guest_t *guest, uint32_t fd) { return wn_table_close(guest->sys, fd); }

/* Bring the data of a file to the disk.
 * POSIX: fdatasync(2).
 * Errnos: BADF, not open; INVAL, nothing that can be synchronised; IO; NOTCAPABLE.
 * Spec: wasi_snapshot_preview1, fd_datasync. */
wn_err_t wn_p1_fd_datasync(wn_guest_t *guest, uint32_t fd) { return wn_file_sync(guest->sys, fd, true); }

/* Read from a place, and leave the offset where it is.
 * POSIX: preadv(2).
 * Errnos: BADF, not open, or not for reading; INVAL, too many pieces, or an offset past 2^63 - 1; IO; ISDIR;
 *   NOTCAPABLE; SPIPE, it has no places.
 * Spec: wasi_snapshot_preview1, fd_pread. */
wn_err_t wn_p1_fd_pread(wn_guest_t *guest, uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint64_t offset,
                        uint32_t nread) {
  wn_iov_t iov[WN_IOVS_MAX];
  uint32_t n = 0;
  uint8_t *out;
  uint64_t done = 0;
  wn_err_t err = wn_p1_out32(guest, nread, &out);
  if (!err) err = wn_p1_iovs(guest, iovs, iovs_len, iov, &n);
  if (!err) err = wn_file_preadv(guest->sys, fd, iov, n, offset, &done);
  if (err) return err;
  wn_store32(out, (uint32_t)done);
  return 0;
}

/* Write to a place, and leave the offset where it is.
 * POSIX: pwritev(2).
 * Errnos: BADF, not open, or not for writing; DQUOT, FBIG, NOSPC, no room; INVAL, too many pieces, or an offset past
 *   2^63 - 1; IO; NOTCAPABLE; SPIPE, it has no places.
 * Spec: wasi_snapshot_preview1, fd_pwrite. */
wn_err_t wn_p1_fd_pwrite(wn_guest_t *guest, uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint64_t offset,
                         uint32_t nwritten) {
  wn_iov_t iov[WN_IOVS_MAX];
  uint32_t n = 0;
  uint8_t *out;
  uint64_t done = 0;
  wn_err_t err = wn_p1_out32(guest, nwritten, &out);
  if (!err) err = wn_p1_iovs(guest, iovs, iovs_len, iov, &n);
  if (!err) err = wn_file_pwritev(guest->sys, fd, iov, n, offset, &done);
  if (err) return err;
  wn_store32(out, (uint32_t)done);
  return 0;
}

/* Read from where the offset stands, and move it on. 0 bytes are the end of the file.
 * POSIX: readv(2).
 * Errnos: AGAIN, nothing there and the descriptor is non-blocking; BADF, not open, or not for reading; INVAL, too
 *   many pieces; IO; ISDIR; NOTCAPABLE.
 * Spec: wasi_snapshot_preview1, fd_read. */
wn_err_t wn_p1_fd_read(wn_guest_t *guest, uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint32_t nread) {
  wn_iov_t iov[WN_IOVS_MAX];
  uint32_t n = 0;
  uint8_t *out;
  uint64_t done = 0;
  wn_err_t err = wn_p1_out32(guest, nread, &out);
  if (!err) err = wn_p1_iovs(guest, iovs, iovs_len, iov, &n);
  if (!err) err = wn_file_readv(guest->sys, fd, iov, n, &done);
  if (err) return err;
  wn_store32(out, (uint32_t)done);
  return 0;
}

/* Fill a buffer with the entries of a directory that follow a cookie; the last one is cut where the buffer ends.
 * Less than the whole buffer used is the end of the directory.
 *
 *   buf  [d_next 8][d_ino 8][d_namlen 4][d_type 1][0 0 0] name ... | [d_next 8] ...     at any alignment
 *
 * POSIX: readdir(3), and telldir(3) for the cookies.
 * Errnos: BADF, not open; INVAL, a cookie that no entry had; IO; NOTCAPABLE; NOTDIR.
 * Spec: wasi_snapshot_preview1, fd_readdir. */
wn_err_t wn_p1_fd_readdir(wn_guest_t *guest, uint32_t fd, uint32_t buf, uint32_t buf_len, uint64_t cookie,
                          uint32_t bufused) {
  uint8_t *bytes, *out;
  wn_err_t err = wn_p1_out32(guest, bufused, &out);
  if (!err) err = wn_mem_bytes(&guest->mem, buf, buf_len, &bytes);
  if (err) return err;
  uint32_t used = 0;
  /* One entry is looked for even where there is no room, so that a wrong descriptor is reported all the same. */
  do {
    wn_dirent_t entry;
    bool end = false;
    err = wn_dir_read(guest->sys, fd, cookie, &entry, &end);
    if (err) return err;
    if (end) break;
    uint8_t head[WN_P1_DIRENT_SIZE] = {0};
    wn_store64(head, entry.next);
    wn_store64(head + 8, entry.ino);
    wn_store32(head + 16, entry.name_len);
    head[20] = wn_p1_filetype(entry.type);
    uint32_t room = buf_len - used;
    uint32_t n = room < sizeof head ? room : (uint32_t)sizeof head;
    memcpy(bytes + used, head, n);
    used += n;
    room -= n;
    n = room < entry.name_len ? room : entry.name_len;
    memcpy(bytes + used, entry.name, n);
    used += n;
    cookie = entry.next;
  } while (used < buf_len);
  wn_store32(out, used);
  return 0;
}

/* Move a descriptor to the number of another one, which is closed.
 * POSIX: dup2(2), then close(2) of the old number.
 * Errnos: BADF, one of them is not open.
 * Spec: wasi_snapshot_preview1, fd_renumber. */
wn_err_t wn_p1_fd_renumber(wn_guest_t *guest, uint32_t fd, uint32_t to) {
  return wn_table_renumber(guest->sys, fd, to);
}

/* Both modules' fd_seek, once whence is understood. `whence` past WN_SEEK_END: INVAL. */
static wn_err_t seek(wn_guest_t *guest, uint32_t fd, int64_t offset, uint32_t whence, uint32_t newoffset) {
  uint8_t *out;
  uint64_t pos = 0;
  wn_err_t err = wn_p1_out64(guest, newoffset, &out);
  if (err) return err;
  if (whence > WN_SEEK_END) return WN_EINVAL;
  err = wn_file_seek(guest->sys, fd, offset, whence, &pos);
  if (err) return err;
  wn_store64(out, pos);
  return 0;
}

/* Move the offset, and write where it stands.
 * POSIX: lseek(2).
 * Errnos: BADF, not open; INVAL, unknown whence, or a place before 0 or past 2^63 - 1; NOTCAPABLE; OVERFLOW; SPIPE,
 *   it has no places.
 * Spec: wasi_snapshot_preview1, fd_seek. */
wn_err_t wn_p1_fd_seek(wn_guest_t *guest, uint32_t fd, int64_t offset, uint32_t whence, uint32_t newoffset) {
  return seek(guest, fd, offset, whence, newoffset);
}

/* The same, with whence counted cur, end, set.
 * POSIX: lseek(2).
 * Errnos: as fd_seek.
 * Spec: wasi_unstable, fd_seek and type whence. */
wn_err_t wn_p1_unstable_fd_seek(wn_guest_t *guest, uint32_t fd, int64_t offset, uint32_t whence, uint32_t newoffset) {
  static const uint8_t snapshot[] = {WN_SEEK_CUR, WN_SEEK_END, WN_SEEK_SET};
  whence = whence < sizeof snapshot ? snapshot[whence] : UINT32_MAX;
  return seek(guest, fd, offset, whence, newoffset);
}

/* Bring the data and the attributes of a file to the disk.
 * POSIX: fsync(2).
 * Errnos: BADF, not open; INVAL, nothing that can be synchronised; IO; NOTCAPABLE.
 * Spec: wasi_snapshot_preview1, fd_sync. */
wn_err_t wn_p1_fd_sync(wn_guest_t *guest, uint32_t fd) { return wn_file_sync(guest->sys, fd, false); }

/* Write where the offset stands.
 * POSIX: lseek(fd, 0, SEEK_CUR).
 * Errnos: BADF, not open; NOTCAPABLE; SPIPE, it has no places.
 * Spec: wasi_snapshot_preview1, fd_tell. */
wn_err_t wn_p1_fd_tell(wn_guest_t *guest, uint32_t fd, uint32_t offset) {
  uint8_t *out;
  uint64_t pos = 0;
  wn_err_t err = wn_p1_out64(guest, offset, &out);
  if (!err) err = wn_file_tell(guest->sys, fd, &pos);
  if (err) return err;
  wn_store64(out, pos);
  return 0;
}

/* Write where the offset stands (at the end with APPEND), and move it on. Fewer bytes than given can be taken.
 * POSIX: writev(2).
 * Errnos: AGAIN, no room now and the descriptor is non-blocking; BADF, not open, or not for writing; DQUOT, FBIG,
 *   NOSPC, no room; INVAL, too many pieces; IO; NOTCAPABLE; PIPE, nobody reads it.
 * Spec: wasi_snapshot_preview1, fd_write. */
wn_err_t wn_p1_fd_write(wn_guest_t *guest, uint32_t fd, uint32_t iovs, uint32_t iovs_len, uint32_t nwritten) {
  wn_iov_t iov[WN_IOVS_MAX];
  uint32_t n = 0;
  uint8_t *out;
  uint64_t done = 0;
  wn_err_t err = wn_p1_out32(guest, nwritten, &out);
  if (!err) err = wn_p1_iovs(guest, iovs, iovs_len, iov, &n);
  if (!err) err = wn_file_writev(guest->sys, fd, iov, n, &done);
  if (err) return err;
  wn_store32(out, (uint32_t)done);
  return 0;
}
