/* res.h - resources of WASI 0.2 and later: what a handle of a guest stands for, when that is ours.
 *
 *   handle (of one component instance) -> rep = place in this pool -> wn_res_t -> slot in sys->table -> object
 *
 * A resource that can be read, written or waited for has a slot in the table of descriptors, its own or, for the
 * standard streams, one that it borrows. So rights, limits and quotas are those of a descriptor of WASI 0.1.
 *
 * The pool grows in chunks, so a resource stays where it is. Whoever adds a kind adds its fields to the union and,
 * where more than the slot must be given back, its line to wn_res_close().
 */
#ifndef WN_CORE_RES_H
#define WN_CORE_RES_H

#include "core/sys/sys.h"

typedef enum wn_res_kind {
  WN_RES_FREE = 0,
  WN_RES_ERROR,
  WN_RES_POLLABLE,
  WN_RES_INPUT_STREAM,
  WN_RES_OUTPUT_STREAM,
  WN_RES_DESCRIPTOR,
  WN_RES_DIRECTORY_ENTRY_STREAM,
  WN_RES_NETWORK,
  WN_RES_RESOLVE_ADDRESS_STREAM,
  WN_RES_TCP_SOCKET,
  WN_RES_UDP_SOCKET,
  WN_RES_INCOMING_DATAGRAM_STREAM,
  WN_RES_OUTGOING_DATAGRAM_STREAM,
  WN_RES_TERMINAL_INPUT,
  WN_RES_TERMINAL_OUTPUT
} wn_res_kind_t;

/* What a pollable of this resource waits for, as things stand now. */
enum { WN_RES_READY = 0, WN_RES_READABLE = 1, WN_RES_WRITABLE = 2 };

#define WN_RES_NO_FD UINT32_MAX

typedef struct wn_res {
  uint8_t kind;    /* WN_RES_*, FREE: not in use */
  bool owned;      /* the slot goes with the resource */
  uint8_t waits;   /* WN_RES_READY ...: changed by whoever changes the resource's state */
  uint32_t fd;     /* slot in sys->table, or WN_RES_NO_FD */
  uint32_t rep;    /* its place; of a free one the next free one */
  uint32_t serial; /* of this use of the place: what came before in it had another */
  union {
    struct {
      wn_err_t err;
    } error;
    struct {
      uint64_t when;           /* a clock's: on the guest's monotonic clock */
      uint32_t parent, serial; /* else the resource waited for; gone: ready */
      bool clock;
    } poll;
    struct {
      uint64_t pos;    /* where a positioned stream stands: not the descriptor's own offset */
      uint64_t permit; /* bytes that check-write promised room for */
      bool positioned;
      bool closed; /* at the end, or failed: nothing follows */
    } stream;
    struct {
      uint32_t round;  /* of the socket, that this stream belongs to */
      uint32_t permit; /* datagrams that check-send promised room for */
    } datagram;
    struct {
      uint64_t size; /* of a file as it was last seen */
    } file;
    struct {
      uint64_t cookie; /* of the next entry */
    } dir;
  } u;
} wn_res_t;

/* A blank one of this kind, waits READY, without a slot. LIMIT "handles", NOMEM: verdicts. */
wn_err_t wn_res_new(wn_sys_t *sys, wn_res_kind_t kind, wn_res_t **out);
/* Give back its slot, if it is its own, and its place. */
void wn_res_close(wn_sys_t *sys, wn_res_t *res);
/* What `rep` stands for; NULL for a free place, or one of another kind. */
wn_res_t *wn_res_get(const wn_sys_t *sys, uint32_t rep, wn_res_kind_t kind);
/* All of them, at the end of the world. */
void wn_res_deinit(wn_sys_t *sys);

/* One more slot for the object behind `fd`, with those of its rights that are in `rights`. BADF, MFILE. */
wn_err_t wn_res_share(wn_sys_t *sys, uint32_t fd, uint64_t rights, uint32_t *out);

/* Something to wait for: until what `parent` waits for has come, or until `when` on the monotonic clock. */
wn_err_t wn_res_subscribe(wn_sys_t *sys, const wn_res_t *parent, wn_res_t **out);
wn_err_t wn_res_subscribe_clock(wn_sys_t *sys, uint64_t when, wn_res_t **out);
/* The subscription for a pollable; false: it is ready, there is nothing to ask. */
bool wn_res_wants(const wn_sys_t *sys, const wn_res_t *pollable, wn_sub_t *sub);

/* ---- stream.c: the two ends of a stream over a slot ----
 *
 * Errnos of each: PIPE, the stream is closed, by its end or by an error before; else the error of this operation,
 * after which it is closed. < 0: the guest must stop. */

/* positioned: at `pos` of a file, whatever the descriptor's own offset. The slot is the stream's when `owned`, in
 * every case: on failure it is closed. */
wn_err_t wn_stream_new(wn_sys_t *sys, wn_res_kind_t kind, uint32_t fd, bool owned, wn_res_t **out);
/* At most len bytes, what is there; with `wait` at least one. *done 0: nothing there now (never with `wait` and a
 * len above 0). */
wn_err_t wn_stream_read(wn_sys_t *sys, wn_res_t *res, void *buf, size_t len, bool wait, size_t *done);
/* How much may be written now without waiting: 0, or what the kernel promises; notes it as the permit. */
wn_err_t wn_stream_check(wn_sys_t *sys, wn_res_t *res, uint64_t *permit);
/* All of it. Within the permit nothing waits, as far as the kernel keeps its promise. */
wn_err_t wn_stream_write(wn_sys_t *sys, wn_res_t *res, const void *buf, size_t len);
/* Until it can be read or written, or is closed. */
wn_err_t wn_stream_wait(wn_sys_t *sys, const wn_res_t *res);

#endif
