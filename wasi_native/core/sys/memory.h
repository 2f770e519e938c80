/* memory.h - a file system in memory: nodes, names, and how long they live.
 *
 *   wn_memory_t  one per wn_sys_preopen_memory, alive while any node of it is
 *   wn_node_t    a directory, file, link, or mounted file of the host
 *
 * A node is counted (refs) once per name, once per open object, and once by the caller that made it; the last one
 * frees it, so a file that is open without a name lives on. nlink is what the guest sees.
 *
 * The account is the share's: every node but the root is an inode, every byte of a file or link target a byte. An
 * inode comes back with the name, bytes come back when the node is freed.
 */
#ifndef WN_CORE_MEMORY_H
#define WN_CORE_MEMORY_H

#include "core/sys/path.h"

typedef struct wn_memory {
  wn_share_t *share; /* counted */
  uint64_t next_ino, dev;
  uint32_t nodes; /* alive */
} wn_memory_t;

/* A name in a directory. Entries stand in the order of seq, which only grows: a cookie stays good whatever comes
 * and goes. */
typedef struct wn_entry {
  uint64_t seq;
  wn_node_t *node;
  char *name; /* ours, terminated */
  uint32_t len, hash;
} wn_entry_t;

struct wn_node {
  wn_memory_t *fs;
  uint32_t refs;
  uint8_t type; /* WN_TYPE_* */
  bool mounted; /* a file of the host: no rename, no removal */
  uint64_t ino, nlink;
  int64_t atim, mtim, ctim;
  union {
    struct {
      wn_node_t *parent; /* not counted; the root's and a removed directory's is NULL */
      wn_entry_t *entries;
      uint64_t next_seq;
      uint32_t count, cap;
    } dir;
    struct { /* a file, or the target of a link */
      uint8_t *bytes;
      uint64_t size, cap;
    } file;
    struct {
      wn_share_t *share; /* counted: the grant of this one file */
      int fd;            /* names the file; opened anew for each open */
    } host;
  } u;
};

/* memory.c */
wn_err_t wn_node_new(wn_sys_t *sys, wn_memory_t *fs, uint8_t type, wn_node_t **out); /* refs 1, nlink 0; NOMEM */
void wn_node_release(wn_sys_t *sys, wn_node_t *node);
wn_err_t wn_node_stat(wn_sys_t *sys, const wn_node_t *node, wn_stat_t *st);
wn_err_t wn_node_set_times(wn_sys_t *sys, wn_node_t *node, int64_t atim, int64_t mtim);
/* Contents and attributes changed now, or only the attributes. */
void wn_node_changed(wn_sys_t *sys, wn_node_t *node, bool contents);
/* FBIG, DQUOT, NOSPC. New bytes are zero. */
wn_err_t wn_node_resize(wn_sys_t *sys, wn_node_t *node, uint64_t size);
/* Fill an object; takes a reference of node and share. */
void wn_memory_adopt_file(wn_obj_t *obj, wn_node_t *node, bool writable, uint16_t fdflags);

/* memory_dir.c */
void wn_memory_adopt_dir(wn_obj_t *obj, wn_node_t *node);
wn_entry_t *wn_node_find(const wn_node_t *dir, const char *name);
/* A new name for node, which is counted; NOMEM. The name is not taken, the account is the caller's. */
wn_err_t wn_node_add(wn_sys_t *sys, wn_node_t *dir, const char *name, wn_node_t *node);

#endif
