/* state.h - struct wn_sys and what its files share. One guest, one of these. */
#ifndef WN_CORE_STATE_H
#define WN_CORE_STATE_H

#include "core/sys/net.h"
#include "core/sys/table.h"
#include "core/sys/wait.h"

/* Strings for args_get and environ_get, laid out as the guest wants them: terminated, one after the other. */
typedef struct wn_strings {
  char *bytes;
  size_t size;      /* of bytes, terminators included */
  uint32_t *starts; /* offset of each in bytes */
  uint32_t count;
} wn_strings_t;

typedef struct wn_clock {
  uint32_t mode; /* WN_CLOCK_SYSTEM ... */
  int64_t value;
  uint64_t step;
} wn_clock_t;

typedef struct wn_random {
  uint8_t *page; /* os->page_alloc: zero after fork, so that a child never repeats its parent */
  bool seeded;
  uint64_t state[4]; /* of the repeatable sequence */
} wn_random_t;

/* The buffer of fd_readdir: one for all directories; `owner` filled it. */
typedef struct wn_dirbuf {
  wn_obj_t *owner;
  uint8_t *bytes;
  uint64_t first;          /* ordinal of the first entry in it */
  uint64_t index;          /* ordinal of the entry at `at` */
  uint64_t first_off, off; /* the kernel's offsets of these two */
  size_t len, at;
} wn_dirbuf_t;

/* What a guest wrote to a captured stream. Allocated when the stream is granted: no write grows it. */
typedef struct wn_capture {
  uint8_t *bytes;
  size_t len, cap;
} wn_capture_t;

/* Resources of WASI 0.2: res.c. Empty until the first one. */
typedef struct wn_res_pool {
  struct wn_res_chunk **chunks;
  uint32_t count, cap;         /* of chunks, and of their array */
  uint32_t used, free, serial; /* of resources: in use, the first free one, how many there ever were */
} wn_res_pool_t;

struct wn_sys {
  const wn_os_t *os;
  wn_table_t table;
  wn_wait_t wait;
  wn_strings_t args, env;
  wn_clock_t clocks[4];
  wn_random_t random;
  wn_dirbuf_t dirbuf;
  wn_res_pool_t res;
  wn_limits_t limits;
  const char *limit_hit;    /* the name, when a function here answered WN_LIMIT */
  wn_capture_t captures[3]; /* by the guest descriptor that it was granted on */
  uint64_t output;          /* bytes to stdout and stderr */
  uint64_t cpu_used;        /* ns, of finished calls */
  uint32_t entered;         /* calls of exports under way in this world */
  uint64_t cpu_start;       /* thread CPU clock at the start of the call under way; 0: none */
  uint32_t resolver;        /* WN_RESOLVER_OPENAT2 or _WALK: what is used now */
  uint32_t file_mode, dir_mode;
  uint64_t hash_key[2]; /* of wn_hash_stat */
  bool hash_keyed;
  bool stdio_nonblocking;
  void *running; /* atomic: the instance that was called last and has not returned; the engine's, not looked at */
  uint32_t callbacks; /* of the embedder, under way inside a call that has guest memory in hand */
  wn_net_t net;
  void *poll_scratch; /* limits.subscriptions entries of wn_sub_t for poll_oneoff, then poll.c's own part */
};

#define WN_DIRBUF_SIZE 32768u

#endif
