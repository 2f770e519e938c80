/* table.h - the guest's descriptors: numbers to objects, with the rights that each number has. */
#ifndef WN_CORE_TABLE_H
#define WN_CORE_TABLE_H

#include "core/sys/obj.h"

/* Rights, with the numbers of WASI 0.1 (type rights). */
#define WN_RIGHT_FD_DATASYNC (1ull << 0)
#define WN_RIGHT_FD_READ (1ull << 1)
#define WN_RIGHT_FD_SEEK (1ull << 2)
#define WN_RIGHT_FD_FDSTAT_SET_FLAGS (1ull << 3)
#define WN_RIGHT_FD_SYNC (1ull << 4)
#define WN_RIGHT_FD_TELL (1ull << 5)
#define WN_RIGHT_FD_WRITE (1ull << 6)
#define WN_RIGHT_FD_ADVISE (1ull << 7)
#define WN_RIGHT_FD_ALLOCATE (1ull << 8)
#define WN_RIGHT_PATH_CREATE_DIRECTORY (1ull << 9)
#define WN_RIGHT_PATH_CREATE_FILE (1ull << 10)
#define WN_RIGHT_PATH_LINK_SOURCE (1ull << 11)
#define WN_RIGHT_PATH_LINK_TARGET (1ull << 12)
#define WN_RIGHT_PATH_OPEN (1ull << 13)
#define WN_RIGHT_FD_READDIR (1ull << 14)
#define WN_RIGHT_PATH_READLINK (1ull << 15)
#define WN_RIGHT_PATH_RENAME_SOURCE (1ull << 16)
#define WN_RIGHT_PATH_RENAME_TARGET (1ull << 17)
#define WN_RIGHT_PATH_FILESTAT_GET (1ull << 18)
#define WN_RIGHT_PATH_FILESTAT_SET_SIZE (1ull << 19)
#define WN_RIGHT_PATH_FILESTAT_SET_TIMES (1ull << 20)
#define WN_RIGHT_FD_FILESTAT_GET (1ull << 21)
#define WN_RIGHT_FD_FILESTAT_SET_SIZE (1ull << 22)
#define WN_RIGHT_FD_FILESTAT_SET_TIMES (1ull << 23)
#define WN_RIGHT_PATH_SYMLINK (1ull << 24)
#define WN_RIGHT_PATH_REMOVE_DIRECTORY (1ull << 25)
#define WN_RIGHT_PATH_UNLINK_FILE (1ull << 26)
#define WN_RIGHT_POLL_FD_READWRITE (1ull << 27)
#define WN_RIGHT_SOCK_SHUTDOWN (1ull << 28)
#define WN_RIGHT_SOCK_ACCEPT (1ull << 29)
#define WN_RIGHT_ALL ((1ull << 30) - 1)

/* What a descriptor of each kind can have, and what a read-only preopen never has. */
#define WN_RIGHTS_WRITING                                                                                  \
  (WN_RIGHT_FD_WRITE | WN_RIGHT_FD_ALLOCATE | WN_RIGHT_PATH_CREATE_DIRECTORY | WN_RIGHT_PATH_CREATE_FILE | \
   WN_RIGHT_PATH_LINK_SOURCE | WN_RIGHT_PATH_LINK_TARGET | WN_RIGHT_PATH_RENAME_SOURCE |                   \
   WN_RIGHT_PATH_RENAME_TARGET | WN_RIGHT_PATH_FILESTAT_SET_SIZE | WN_RIGHT_PATH_FILESTAT_SET_TIMES |      \
   WN_RIGHT_FD_FILESTAT_SET_SIZE | WN_RIGHT_FD_FILESTAT_SET_TIMES | WN_RIGHT_PATH_SYMLINK |                \
   WN_RIGHT_PATH_REMOVE_DIRECTORY | WN_RIGHT_PATH_UNLINK_FILE)
#define WN_RIGHTS_FILE                                                                                            \
  (WN_RIGHT_FD_DATASYNC | WN_RIGHT_FD_READ | WN_RIGHT_FD_SEEK | WN_RIGHT_FD_FDSTAT_SET_FLAGS | WN_RIGHT_FD_SYNC | \
   WN_RIGHT_FD_TELL | WN_RIGHT_FD_WRITE | WN_RIGHT_FD_ADVISE | WN_RIGHT_FD_ALLOCATE | WN_RIGHT_FD_FILESTAT_GET |  \
   WN_RIGHT_FD_FILESTAT_SET_SIZE | WN_RIGHT_FD_FILESTAT_SET_TIMES | WN_RIGHT_POLL_FD_READWRITE)
#define WN_RIGHTS_DIR                                                                              \
  (WN_RIGHT_FD_FDSTAT_SET_FLAGS | WN_RIGHT_FD_SYNC | WN_RIGHT_FD_DATASYNC | WN_RIGHT_FD_ADVISE |   \
   WN_RIGHT_PATH_CREATE_DIRECTORY | WN_RIGHT_PATH_CREATE_FILE | WN_RIGHT_PATH_LINK_SOURCE |        \
   WN_RIGHT_PATH_LINK_TARGET | WN_RIGHT_PATH_OPEN | WN_RIGHT_FD_READDIR | WN_RIGHT_PATH_READLINK | \
   WN_RIGHT_PATH_RENAME_SOURCE | WN_RIGHT_PATH_RENAME_TARGET | WN_RIGHT_PATH_FILESTAT_GET |        \
   WN_RIGHT_PATH_FILESTAT_SET_SIZE | WN_RIGHT_PATH_FILESTAT_SET_TIMES | WN_RIGHT_FD_FILESTAT_GET | \
   WN_RIGHT_FD_FILESTAT_SET_TIMES | WN_RIGHT_PATH_SYMLINK | WN_RIGHT_PATH_REMOVE_DIRECTORY |       \
   WN_RIGHT_PATH_UNLINK_FILE | WN_RIGHT_POLL_FD_READWRITE)
#define WN_RIGHTS_STREAM                                                                            \
  (WN_RIGHT_FD_READ | WN_RIGHT_FD_WRITE | WN_RIGHT_FD_FDSTAT_SET_FLAGS | WN_RIGHT_FD_FILESTAT_GET | \
   WN_RIGHT_POLL_FD_READWRITE)
#define WN_RIGHTS_SOCKET (WN_RIGHTS_STREAM | WN_RIGHT_SOCK_SHUTDOWN)
#define WN_RIGHTS_LISTENER \
  (WN_RIGHT_FD_FDSTAT_SET_FLAGS | WN_RIGHT_FD_FILESTAT_GET | WN_RIGHT_POLL_FD_READWRITE | WN_RIGHT_SOCK_ACCEPT)

typedef struct wn_desc {
  wn_obj_t *obj; /* NULL: free */
  uint64_t rights, inheriting;
  char *preopen; /* guest name, ours; NULL: not a preopen */
  uint32_t preopen_len;
} wn_desc_t;

typedef struct wn_table {
  wn_desc_t *slots;             /* `limit` of them, allocated at init */
  wn_obj_t *pool;               /* `limit` of them, and one for what is about to replace another */
  uint32_t limit, open, lowest; /* no free slot below lowest */
  uint32_t free_obj;            /* index of a free object to try first */
  uint32_t dirs, sockets;
} wn_table_t;

/* limit slots, all free. NOMEM. */
wn_err_t wn_table_init(wn_sys_t *sys, uint32_t limit);
void wn_table_deinit(wn_sys_t *sys);

/* The descriptor, if it is open (BADF) and has all of `rights` (NOTCAPABLE). */
static inline wn_err_t wn_table_get(const wn_table_t *t, uint32_t fd, uint64_t rights, wn_desc_t **out) {
  if (WN_UNLIKELY(fd >= t->limit || !t->slots[fd].obj)) return WN_EBADF;
  wn_desc_t *d = &t->slots[fd];
  if (WN_UNLIKELY((d->rights & rights) != rights)) return WN_ENOTCAPABLE;
  *out = d;
  return 0;
}

/* A blank object from the pool (refs 0, fd -1), counted against the limits of its type. MFILE. Give it to
 * wn_table_insert, or back with wn_obj_release. */
wn_err_t wn_obj_new(wn_sys_t *sys, uint8_t type, wn_obj_t **out);
/* Drop one reference; the last one closes. */
void wn_obj_release(wn_sys_t *sys, wn_obj_t *obj);

/* Into the lowest free slot from `from` up. MFILE. Takes a reference. */
wn_err_t wn_table_insert(wn_sys_t *sys, wn_obj_t *obj, uint64_t rights, uint64_t inheriting, uint32_t from,
                         uint32_t *fd);
/* Into slot fd, closing what was there. BADF when fd is beyond the limit. */
wn_err_t wn_table_replace(wn_sys_t *sys, uint32_t fd, wn_obj_t *obj, uint64_t rights, uint64_t inheriting);
/* Make fd a preopen of this name; copied. BADF, INVAL for a NUL inside, NAMETOOLONG, NOMEM. */
wn_err_t wn_table_set_preopen(wn_sys_t *sys, uint32_t fd, wn_str_t guest);
/* Close. BADF. */
wn_err_t wn_table_close(wn_sys_t *sys, uint32_t fd);
/* Move `from` onto `to`, closing `to` once; both must be open. BADF. from == to does nothing. */
wn_err_t wn_table_renumber(wn_sys_t *sys, uint32_t from, uint32_t to);

#endif
