/* path.c - names below a directory. Every path is copied once, then resolved by sys/path.c and nowhere else.
 *
 * Errnos that every function here has, from its paths: BADF, the directory is not open; ILSEQ, not UTF-8; INVAL, a
 * NUL inside or unknown flags; LOOP, over 40 links; NAMETOOLONG, over 4095 bytes or a name over 255; NOENT, empty
 * or not there; NOTCAPABLE, a right is missing; NOTDIR, a name on the way or the descriptor is no directory; PERM,
 * absolute, or it would leave the directory; ROFS, a grant to read alone.
 */
#include "core/p1/codec.h"

/* Whether the last link of a path is followed. INVAL: unknown bits. */
static wn_err_t lookup(uint32_t flags, bool *follow) {
  if (flags & ~(uint32_t)WN_LOOKUP_FOLLOW) return WN_EINVAL;
  *follow = flags & WN_LOOKUP_FOLLOW;
  return 0;
}

/* Create a directory.
 * POSIX: mkdirat(2).
 * Errnos: DQUOT, NOSPC, no room; EXIST, the name is taken, by a dangling link too; those of paths.
 * Spec: wasi_snapshot_preview1, path_create_directory. */
wn_err_t wn_p1_path_create_directory(wn_guest_t *guest, uint32_t fd, uint32_t path, uint32_t path_len) {
  char name[WN_PATH_MAX];
  wn_err_t err = wn_p1_path(guest, path, path_len, name);
  return err ? err : wn_path_create_directory(guest->sys, fd, name);
}

/* Both modules' path_filestat_get; the place for the answer is already known to be in memory. */
static wn_err_t filestat(wn_guest_t *guest, uint32_t fd, uint32_t flags, uint32_t path, uint32_t path_len,
                         wn_stat_t *st) {
  char name[WN_PATH_MAX];
  bool follow;
  wn_err_t err = wn_p1_path(guest, path, path_len, name);
  if (!err) err = lookup(flags, &follow);
  return err ? err : wn_path_stat(guest->sys, fd, name, follow, st);
}

/* Write the attributes of what has a name.
 * POSIX: fstatat(2).
 * Errnos: those of paths.
 * Spec: wasi_snapshot_preview1, path_filestat_get and type filestat. */
wn_err_t wn_p1_path_filestat_get(wn_guest_t *guest, uint32_t fd, uint32_t flags, uint32_t path, uint32_t path_len,
                                 uint32_t stat) {
  uint8_t *out;
  wn_stat_t st;
  wn_err_t err = wn_mem_struct(&guest->mem, stat, WN_P1_FILESTAT_SIZE, 8, &out);
  if (!err) err = filestat(guest, fd, flags, path, path_len, &st);
  if (err) return err;
  wn_p1_filestat(out, &st);
  return 0;
}

/* The same, with 32 bits for the number of links.
 * POSIX: fstatat(2).
 * Errnos: those of paths.
 * Spec: wasi_unstable, path_filestat_get and type filestat. */
wn_err_t wn_p1_unstable_path_filestat_get(wn_guest_t *guest, uint32_t fd, uint32_t flags, uint32_t path,
                                          uint32_t path_len, uint32_t stat) {
  uint8_t *out;
  wn_stat_t st;
  wn_err_t err = wn_mem_struct(&guest->mem, stat, WN_UNSTABLE_FILESTAT_SIZE, 8, &out);
  if (!err) err = filestat(guest, fd, flags, path, path_len, &st);
  if (err) return err;
  wn_p1_unstable_filestat(out, &st);
  return 0;
}

/* Set the times of what has a name.
 * POSIX: utimensat(2).
 * Errnos: INVAL, a time that is both given and now, or one past 2262; those of paths.
 * Spec: wasi_snapshot_preview1, path_filestat_set_times. */
wn_err_t wn_p1_path_filestat_set_times(wn_guest_t *guest, uint32_t fd, uint32_t flags, uint32_t path,
                                       uint32_t path_len, uint64_t atim, uint64_t mtim, uint32_t fst_flags) {
  char name[WN_PATH_MAX];
  bool follow;
  int64_t atim_ns, mtim_ns;
  wn_err_t err = wn_p1_path(guest, path, path_len, name);
  if (!err) err = lookup(flags, &follow);
  if (!err) err = wn_p1_times(atim, mtim, fst_flags, &atim_ns, &mtim_ns);
  return err ? err : wn_path_set_times(guest->sys, fd, name, follow, atim_ns, mtim_ns);
}

/* Give a file another name. The file is named itself, never through a link: a link that is followed here could be
 * turned between the look and the deed.
 * POSIX: linkat(2) with flags 0.
 * Errnos: DQUOT, NOSPC, no room; EXIST, the name is taken; INVAL, SYMLINK_FOLLOW; MLINK, too many names; XDEV,
 *   another file system; those of paths.
 * Spec: wasi_snapshot_preview1, path_link. */
wn_err_t wn_p1_path_link(wn_guest_t *guest, uint32_t old_fd, uint32_t old_flags, uint32_t old_path,
                         uint32_t old_path_len, uint32_t new_fd, uint32_t new_path, uint32_t new_path_len) {
  char from[WN_PATH_MAX], to[WN_PATH_MAX];
  wn_err_t err = wn_p1_paths(guest, old_path, old_path_len, from, new_path, new_path_len, to);
  if (err) return err;
  if (old_flags) return WN_EINVAL;
  return wn_path_link(guest->sys, old_fd, from, new_fd, to);
}

/* Open or create what has a name, and write its descriptor. Bits that no right has are as if they were 0.
 * POSIX: openat(2).
 * Errnos: DQUOT, NOSPC, no room; EXIST, EXCL and the name is taken; INVAL, CREAT with DIRECTORY; ISDIR, a directory
 *   for writing; MFILE, the guest's limit of descriptors; NXIO, a FIFO that nobody reads; those of paths.
 * Spec: wasi_snapshot_preview1, path_open. */
wn_err_t wn_p1_path_open(wn_guest_t *guest, uint32_t fd, uint32_t dirflags, uint32_t path, uint32_t path_len,
                         uint32_t oflags, uint64_t fs_rights_base, uint64_t fs_rights_inheriting, uint32_t fdflags,
                         uint32_t opened_fd) {
  char name[WN_PATH_MAX];
  uint8_t *out;
  uint32_t opened = 0;
  bool follow;
  wn_err_t err = wn_p1_out32(guest, opened_fd, &out);
  if (!err) err = wn_p1_path(guest, path, path_len, name);
  if (!err) err = lookup(dirflags, &follow);
  if (err) return err;
  if (oflags & ~(uint32_t)WN_OFLAG_ALL || fdflags & ~(uint32_t)WN_FD_ALL) return WN_EINVAL;
  if ((oflags & WN_OFLAG_CREAT) && (oflags & WN_OFLAG_DIRECTORY)) return WN_EINVAL;
  wn_open_t how = {
      .follow = follow,
      .create = oflags & WN_OFLAG_CREAT,
      .directory = oflags & WN_OFLAG_DIRECTORY,
      .exclusive = oflags & WN_OFLAG_EXCL,
      .truncate = oflags & WN_OFLAG_TRUNC,
      .fdflags = (uint16_t)fdflags,
      .rights = fs_rights_base & WN_RIGHT_ALL,
      .inheriting = fs_rights_inheriting & WN_RIGHT_ALL,
  };
  err = wn_path_open(guest->sys, fd, name, &how, &opened);
  if (err) return err;
  wn_store32(out, opened);
  return 0;
}

/* Write where a link points to, cut where the buffer ends, without a terminator.
 * POSIX: readlinkat(2).
 * Errnos: INVAL, not a link; PERM, it points to an absolute path, which is a name of the host; those of paths.
 * Spec: wasi_snapshot_preview1, path_readlink. */
wn_err_t wn_p1_path_readlink(wn_guest_t *guest, uint32_t fd, uint32_t path, uint32_t path_len, uint32_t buf,
                             uint32_t buf_len, uint32_t bufused) {
  char name[WN_PATH_MAX];
  uint8_t *bytes, *out;
  size_t done = 0;
  wn_err_t err = wn_p1_out32(guest, bufused, &out);
  if (!err) err = wn_mem_bytes(&guest->mem, buf, buf_len, &bytes);
  if (!err) err = wn_p1_path(guest, path, path_len, name);
  if (!err) err = wn_path_readlink(guest->sys, fd, name, (char *)bytes, buf_len, &done);
  if (err) return err;
  wn_store32(out, (uint32_t)done);
  return 0;
}

/* Remove an empty directory.
 * POSIX: unlinkat(2) with AT_REMOVEDIR.
 * Errnos: BUSY, in use by the host; INVAL, "." at the end; NOTEMPTY; those of paths.
 * Spec: wasi_snapshot_preview1, path_remove_directory. */
wn_err_t wn_p1_path_remove_directory(wn_guest_t *guest, uint32_t fd, uint32_t path, uint32_t path_len) {
  char name[WN_PATH_MAX];
  wn_err_t err = wn_p1_path(guest, path, path_len, name);
  return err ? err : wn_path_remove_directory(guest->sys, fd, name);
}

/* Give a file or directory another name, in place of what has that name.
 * POSIX: renameat(2).
 * Errnos: EXIST, NOTEMPTY, ISDIR, what has the name cannot go; INVAL, a directory into itself; XDEV, another file
 *   system; those of paths.
 * Spec: wasi_snapshot_preview1, path_rename. */
wn_err_t wn_p1_path_rename(wn_guest_t *guest, uint32_t fd, uint32_t old_path, uint32_t old_path_len, uint32_t new_fd,
                           uint32_t new_path, uint32_t new_path_len) {
  char from[WN_PATH_MAX], to[WN_PATH_MAX];
  wn_err_t err = wn_p1_paths(guest, old_path, old_path_len, from, new_path, new_path_len, to);
  return err ? err : wn_path_rename(guest->sys, fd, from, new_fd, to);
}

/* Create a link that points to old_path, which is kept as it is and looked at when it is followed.
 * POSIX: symlinkat(2).
 * Errnos: DQUOT, NOSPC, no room; EXIST, the name is taken; PERM, old_path is absolute; those of paths.
 * Spec: wasi_snapshot_preview1, path_symlink. */
wn_err_t wn_p1_path_symlink(wn_guest_t *guest, uint32_t old_path, uint32_t old_path_len, uint32_t fd,
                            uint32_t new_path, uint32_t new_path_len) {
  char target[WN_PATH_MAX], name[WN_PATH_MAX];
  wn_err_t err = wn_p1_paths(guest, old_path, old_path_len, target, new_path, new_path_len, name);
  return err ? err : wn_path_symlink(guest->sys, target, fd, name);
}

/* Remove the name of a file or link.
 * POSIX: unlinkat(2).
 * Errnos: BUSY, in use by the host; ISDIR, a directory; those of paths.
 * Spec: wasi_snapshot_preview1, path_unlink_file. */
wn_err_t wn_p1_path_unlink_file(wn_guest_t *guest, uint32_t fd, uint32_t path, uint32_t path_len) {
  char name[WN_PATH_MAX];
  wn_err_t err = wn_p1_path(guest, path, path_len, name);
  return err ? err : wn_path_unlink_file(guest->sys, fd, name);
}
