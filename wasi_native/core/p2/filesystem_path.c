/* filesystem_path.c - names below a directory. Every path is copied once, then resolved by sys/path.c and nowhere
 * else.
 *
 * Errnos that every function here has, from its paths: BADF, its slot was closed by a call of WASI 0.1; INVAL, a NUL
 * inside; LOOP, over 40 links; NAMETOOLONG, over 4095 bytes or a name over 255; NOENT, empty or not there; NOTDIR, a
 * name on the way or the descriptor is no directory; PERM, absolute, or it would leave the directory; ROFS, a
 * descriptor without mutate-directory. A path that is no text ends the guest.
 */
#include "core/p2/filesystem.h"

wn_err_t wn_p2_directory(const wn_guest_t *guest, const wn_res_t *self) {
  wn_desc_t *desc;
  wn_err_t err = wn_p2_slot(guest, self, &desc);
  if (err) return err;
  return desc->obj->type == WN_TYPE_DIRECTORY ? 0 : WN_ENOTDIR;
}

/* The path of a call that changes the directory. */
static wn_err_t change(wn_guest_t *guest, const wn_res_t *self, uint32_t path, uint32_t path_len, char *name) {
  wn_err_t err = wn_p2_get_string(guest, path, path_len, name, WN_PATH_MAX);
  return err ? err : wn_p2_mutable(guest, self);
}

/* Two paths; both are looked for in memory before a directory is. */
static wn_err_t paths(wn_guest_t *guest, uint32_t old_path, uint32_t old_len, char *from, uint32_t new_path,
                      uint32_t new_len, char *to) {
  wn_err_t err = wn_p2_get_string(guest, old_path, old_len, from, WN_PATH_MAX);
  if (err < 0) return err;
  wn_err_t other = wn_p2_get_string(guest, new_path, new_len, to, WN_PATH_MAX);
  return other < 0 || !err ? other : err;
}

/* Create a directory.
 * POSIX: mkdirat(2).
 * Errnos: EXIST, the name is taken, by a dangling link too; NOSPC, DQUOT, no room; those of paths.
 * Spec: wasi:filesystem/types, descriptor.create-directory-at. */
wn_err_t wn_p2_filesystem_descriptor_create_directory_at(wn_guest_t *guest, wn_res_t *self, uint32_t path,
                                                         uint32_t path_len) {
  char name[WN_PATH_MAX];
  wn_err_t err = change(guest, self, path, path_len, name);
  return err ? err : wn_path_create_directory(guest->sys, self->fd, name);
}

/* Give a file another name. The file is named itself, never through a link: a link that is followed here could be
 * turned between the look and the deed.
 * POSIX: linkat(2) with flags 0.
 * Errnos: XDEV, another file system; EXIST, the name is taken; NOSPC, DQUOT, no room; INVAL,
 *   symlink-follow; PERM, a directory; MLINK; those of paths.
 * Spec: wasi:filesystem/types, descriptor.link-at. */
wn_err_t wn_p2_filesystem_descriptor_link_at(wn_guest_t *guest, wn_res_t *self, uint32_t old_path_flags,
                                             uint32_t old_path, uint32_t old_path_len, wn_res_t *new_descriptor,
                                             uint32_t new_path, uint32_t new_path_len) {
  char from[WN_PATH_MAX], to[WN_PATH_MAX];
  wn_err_t err = paths(guest, old_path, old_path_len, from, new_path, new_path_len, to);
  if (!err && old_path_flags) err = WN_EINVAL;
  if (!err) err = wn_p2_mutable(guest, self);
  if (!err) err = wn_p2_mutable(guest, new_descriptor);
  return err ? err : wn_path_link(guest->sys, self->fd, from, new_descriptor->fd, to);
}

/* What a descriptor of these flags may: all that its directory passes on, without the bytes that were not asked for.
 * A directory keeps what its own directory may, whether or not mutate-directory is asked for: the flag that the new
 * descriptor has says it. */
static uint64_t rights_of(uint32_t flags) {
  uint64_t rights = WN_RIGHT_ALL;
  if (!(flags & WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_READ)) rights &= ~WN_RIGHT_FD_READ;
  if (!(flags & WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_WRITE))
    rights &= ~(WN_RIGHT_FD_WRITE | WN_RIGHT_FD_ALLOCATE | WN_RIGHT_FD_FILESTAT_SET_SIZE);
  return rights;
}

static uint16_t fdflags_of(uint32_t flags) {
  uint16_t out = 0;
  if (flags & WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_FILE_INTEGRITY_SYNC) out |= WN_FD_SYNC;
  if (flags & WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_DATA_INTEGRITY_SYNC) out |= WN_FD_DSYNC;
  if (flags & WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_REQUESTED_WRITE_SYNC) out |= WN_FD_RSYNC;
  return out;
}

/* ROFS: something is asked for that a directory without mutate-directory has not to give. */
static wn_err_t may_open(const wn_desc_t *base, uint32_t open_flags, uint32_t flags) {
  if ((flags & WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_MUTATE_DIRECTORY) && !wn_p2_mutates(base)) return WN_EROFS;
  if ((flags & WN_P2_FILESYSTEM_DESCRIPTOR_FLAGS_WRITE) && !(base->inheriting & WN_RIGHT_FD_WRITE)) return WN_EROFS;
  uint64_t need = 0;
  if (open_flags & WN_P2_FILESYSTEM_OPEN_FLAGS_CREATE) need |= WN_RIGHT_PATH_CREATE_FILE;
  if (open_flags & WN_P2_FILESYSTEM_OPEN_FLAGS_TRUNCATE) need |= WN_RIGHT_PATH_FILESTAT_SET_SIZE;
  return (base->rights & need) == need ? 0 : WN_EROFS;
}

/* Open or create what has a name, and give a descriptor of it.
 * POSIX: openat(2).
 * Errnos: EXIST, exclusive and the name is taken; MFILE, the guest's limit of descriptors;
 *   NOSPC, DQUOT, no room; INVAL, create with directory; ISDIR, a directory for writing;
 *   ROFS, what the base does not have is asked for; those of paths.
 * Spec: wasi:filesystem/types, descriptor.open-at. */
wn_err_t wn_p2_filesystem_descriptor_open_at(wn_guest_t *guest, wn_res_t *self, uint32_t path_flags, uint32_t path,
                                             uint32_t path_len, uint32_t open_flags, uint32_t flags, uint32_t ret) {
  char name[WN_PATH_MAX];
  wn_desc_t *desc;
  uint32_t slot;
  wn_err_t err = wn_p2_get_string(guest, path, path_len, name, sizeof name);
  if (!err) err = wn_p2_slot(guest, self, &desc);
  if (err) return err;
  if (desc->obj->type != WN_TYPE_DIRECTORY) return WN_ENOTDIR;
  if ((err = may_open(desc, open_flags, flags))) return err;
  wn_open_t how = {
      .follow = path_flags & WN_P2_FILESYSTEM_PATH_FLAGS_SYMLINK_FOLLOW,
      .create = open_flags & WN_P2_FILESYSTEM_OPEN_FLAGS_CREATE,
      .directory = open_flags & WN_P2_FILESYSTEM_OPEN_FLAGS_DIRECTORY,
      .exclusive = open_flags & WN_P2_FILESYSTEM_OPEN_FLAGS_EXCLUSIVE,
      .truncate = open_flags & WN_P2_FILESYSTEM_OPEN_FLAGS_TRUNCATE,
      .fdflags = fdflags_of(flags),
      .rights = rights_of(flags),
      .inheriting = WN_RIGHT_ALL,
  };
  err = wn_path_open(guest->sys, self->fd, name, &how, &slot);
  return err ? err : wn_p2_put_slot(guest, ret, WN_RES_DESCRIPTOR, &wn_p2_rt_descriptor, slot);
}

/* Give where a link points to.
 * POSIX: readlinkat(2).
 * Errnos: ILSEQ, it points to what is no text; INVAL, not a link; PERM, it points to an
 *   absolute path, which is a name of the host; those of paths.
 * Spec: wasi:filesystem/types, descriptor.readlink-at. */
wn_err_t wn_p2_filesystem_descriptor_readlink_at(wn_guest_t *guest, wn_res_t *self, uint32_t path, uint32_t path_len,
                                                 uint32_t ret) {
  char name[WN_PATH_MAX], text[WN_PATH_MAX];
  size_t len = 0;
  wn_err_t err = wn_p2_get_string(guest, path, path_len, name, sizeof name);
  if (!err) err = wn_p2_directory(guest, self);
  if (!err) err = wn_path_readlink(guest->sys, self->fd, name, text, sizeof text, &len);
  if (err) return err;
  if (!wn_utf8_valid((const uint8_t *)text, len)) return WN_EILSEQ;
  return wn_p2_put_string(guest, ret, text, len);
}

/* Remove an empty directory.
 * POSIX: unlinkat(2) with AT_REMOVEDIR.
 * Errnos: BUSY, in use by the host; INVAL, "." at the end; NOTEMPTY; those of paths.
 * Spec: wasi:filesystem/types, descriptor.remove-directory-at. */
wn_err_t wn_p2_filesystem_descriptor_remove_directory_at(wn_guest_t *guest, wn_res_t *self, uint32_t path,
                                                         uint32_t path_len) {
  char name[WN_PATH_MAX];
  wn_err_t err = change(guest, self, path, path_len, name);
  return err ? err : wn_path_remove_directory(guest->sys, self->fd, name);
}

/* Give a file or directory another name, in place of what has that name.
 * POSIX: renameat(2).
 * Errnos: XDEV, another file system; EXIST, ISDIR, NOTEMPTY, what has the name cannot go; INVAL, a
 *   directory into itself; those of paths.
 * Spec: wasi:filesystem/types, descriptor.rename-at. */
wn_err_t wn_p2_filesystem_descriptor_rename_at(wn_guest_t *guest, wn_res_t *self, uint32_t old_path,
                                               uint32_t old_path_len, wn_res_t *new_descriptor, uint32_t new_path,
                                               uint32_t new_path_len) {
  char from[WN_PATH_MAX], to[WN_PATH_MAX];
  wn_err_t err = paths(guest, old_path, old_path_len, from, new_path, new_path_len, to);
  if (!err) err = wn_p2_mutable(guest, self);
  if (!err) err = wn_p2_mutable(guest, new_descriptor);
  return err ? err : wn_path_rename(guest->sys, self->fd, from, new_descriptor->fd, to);
}

/* Create a link that points to old-path, which is kept as it is and looked at when it is followed.
 * POSIX: symlinkat(2).
 * Errnos: EXIST, the name is taken; NOSPC, DQUOT, no room; PERM, old-path is absolute; those of
 *   paths.
 * Spec: wasi:filesystem/types, descriptor.symlink-at. */
wn_err_t wn_p2_filesystem_descriptor_symlink_at(wn_guest_t *guest, wn_res_t *self, uint32_t old_path,
                                                uint32_t old_path_len, uint32_t new_path, uint32_t new_path_len) {
  char target[WN_PATH_MAX], name[WN_PATH_MAX];
  wn_err_t err = paths(guest, old_path, old_path_len, target, new_path, new_path_len, name);
  if (!err) err = wn_p2_mutable(guest, self);
  return err ? err : wn_path_symlink(guest->sys, target, self->fd, name);
}

/* Remove the name of a file or link.
 * POSIX: unlinkat(2).
 * Errnos: BUSY, in use by the host; ISDIR; those of paths.
 * Spec: wasi:filesystem/types, descriptor.unlink-file-at. */
wn_err_t wn_p2_filesystem_descriptor_unlink_file_at(wn_guest_t *guest, wn_res_t *self, uint32_t path,
                                                    uint32_t path_len) {
  char name[WN_PATH_MAX];
  wn_err_t err = change(guest, self, path, path_len, name);
  return err ? err : wn_path_unlink_file(guest->sys, self->fd, name);
}
