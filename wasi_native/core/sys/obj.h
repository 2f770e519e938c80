/* obj.h - an open object: what a descriptor points to, whatever is behind it.
 *
 * Objects come from a pool of the table (no malloc on the path of a call) and are all of one size. An operation
 * that an object does not have is NULL in its ops; callers answer with the errno that obj.c gives for it.
 */
#ifndef WN_CORE_OBJ_H
#define WN_CORE_OBJ_H

#include "core/os/os.h"
#include "wasi_native/sys.h"

typedef struct wn_obj wn_obj_t;
typedef struct wn_node wn_node_t;   /* of a file system in memory: memory.h */
typedef struct wn_share wn_share_t; /* of a preopen: quota.h */

/* fdflags, with the numbers of WASI 0.1. */
enum { WN_FD_APPEND = 1, WN_FD_DSYNC = 2, WN_FD_NONBLOCK = 4, WN_FD_RSYNC = 8, WN_FD_SYNC = 16, WN_FD_ALL = 31 };

/* An entry on its way to the guest. */
typedef struct wn_dirent {
  uint64_t next; /* cookie of what follows */
  uint64_t ino;
  const char *name; /* borrowed until the next call on sys */
  uint32_t name_len;
  uint8_t type; /* WN_TYPE_* */
} wn_dirent_t;

typedef struct wn_obj_ops {
  const char *kind;                            /* for messages and tests: "file", "dir", "null" ... */
  void (*close)(wn_sys_t *sys, wn_obj_t *obj); /* what is behind it, fd included; absent: fd alone is closed */
  /* Streams. n >= 1 and no piece is empty. They may block, in wn_wait() alone. */
  wn_err_t (*readv)(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done);
  wn_err_t (*writev)(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done);
  /* Positioned; absent: SPIPE. */
  wn_err_t (*preadv)(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t off, uint64_t *done);
  wn_err_t (*pwritev)(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t off, uint64_t *done);
  wn_err_t (*seek)(wn_sys_t *sys, wn_obj_t *obj, int64_t off, uint32_t whence, uint64_t *pos);
  wn_err_t (*stat)(wn_sys_t *sys, wn_obj_t *obj, wn_stat_t *st);
  wn_err_t (*set_size)(wn_sys_t *sys, wn_obj_t *obj, uint64_t size);
  wn_err_t (*allocate)(wn_sys_t *sys, wn_obj_t *obj, uint64_t off, uint64_t len);
  wn_err_t (*advise)(wn_sys_t *sys, wn_obj_t *obj, uint64_t off, uint64_t len, uint32_t advice);
  wn_err_t (*sync)(wn_sys_t *sys, wn_obj_t *obj, bool data_only);
  wn_err_t (*set_times)(wn_sys_t *sys, wn_obj_t *obj, int64_t atim, int64_t mtim);
  wn_err_t (*set_flags)(wn_sys_t *sys, wn_obj_t *obj, uint16_t fdflags);
  /* Fill in what to poll for `events`; NULL or *out fd of -1: always ready. */
  wn_err_t (*poll)(wn_sys_t *sys, wn_obj_t *obj, uint16_t events, wn_pollfd_t *out);
  /* Bytes that can be read now, for the event of poll_oneoff; absent: 0. */
  wn_err_t (*available)(wn_sys_t *sys, wn_obj_t *obj, uint64_t *bytes);
  /* Directories. */
  wn_err_t (*read_dir)(wn_sys_t *sys, wn_obj_t *obj, uint64_t cookie, wn_dirent_t *out, bool *end);
  /* Sockets; absent: NOTSOCK. accept fills the empty object out. */
  wn_err_t (*accept)(wn_sys_t *sys, wn_obj_t *obj, uint16_t fdflags, wn_obj_t *out);
  wn_err_t (*recv)(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint32_t flags, uint64_t *done,
                   bool *truncated);
  wn_err_t (*send)(wn_sys_t *sys, wn_obj_t *obj, const wn_iov_t *iov, uint32_t n, uint64_t *done);
  wn_err_t (*shutdown)(wn_sys_t *sys, wn_obj_t *obj, uint32_t how);
} wn_obj_ops_t;

struct wn_obj {
  const wn_obj_ops_t *ops; /* NULL: a free place in the pool */
  wn_share_t *share;       /* counted; NULL for what no preopen gave */
  uint32_t refs;
  int fd;           /* of the host, -1: none */
  uint16_t fdflags; /* WN_FD_* as the guest sees them */
  uint8_t type;     /* WN_TYPE_* */
  bool writable;    /* opened for writing on the host */
  bool output;      /* stdout or stderr: what is written counts against limits.output_bytes */
  union {
    struct {           /* a directory of the host: where its last read_dir stood */
      uint64_t index;  /* ordinal of the entry given last */
      uint64_t offset; /* of the kernel, for that entry; never told to the guest */
      uint64_t next;   /* the same for the entry after it; 0: none was given */
    } dir;
    struct { /* a file or directory in memory */
      wn_node_t *node;
      uint64_t pos;
    } mem;
    struct { /* bytes in */
      uint8_t *ptr;
      uint64_t len, pos;
    } buf;
    struct { /* bytes out: in sys->captures, where they outlive the descriptor */
      uint32_t index;
    } capture;
    struct { /* callbacks of the embedder */
      const wn_stream_ops_t *ops;
      void *ctx;
    } stream;
    struct {                 /* a socket of the guest's own */
      wn_addr_t local, peer; /* what bind was asked for, and the one peer of a datagram socket */
      uint32_t backlog;
      uint32_t round; /* of udp's stream(): those of an earlier round are dead */
      uint8_t state;  /* WN_INET_* */
      uint8_t shut;   /* WN_SHUT_READ: there is nothing more to read, whatever the kernel has */
    } inet;
    struct {             /* a name on its way to addresses */
      wn_addr_t literal; /* it was an address itself; family 0: it was not */
      uint32_t slot;     /* in sys->net.lookups; not of a literal */
      uint32_t next;     /* answer */
    } lookup;
    struct {       /* a file, pipe, tty or device of the host */
      bool shared; /* the description is not ours: its flags stay as they are; of what can block, poll
                      before each piece, no more than PIPE_BUF */
    } host;
  } u;
};

#endif
