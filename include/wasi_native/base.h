/* base.h - the words that every other header uses: errors, byte spans, limits of the ABI.
 *
 * Everything under include/ compiles alone as C11 and C++17 and needs no header of an operating system.
 *
 * Conventions of the whole API
 *  1. Every function that can fail returns wn_err_t: 0 fine; > 0 an errno of WASI, meant for the guest;
 *     < 0 a verdict of the host (exit, trap, limit ...) that unwinds the guest and that it never sees.
 *  2. Subject first, out parameter last. An out parameter is written only when 0 is returned.
 *  3. init/deinit work in the caller's memory, new/delete in ours, open/close hold a kernel object,
 *     get borrows: it takes no lock and allocates nothing.
 *  4. Guest numbers are uint32_t, host sizes size_t, products of both uint64_t and overflow-checked.
 *  5. One object serves one thread at a time, except where a comment says "any thread".
 */
#ifndef WASI_NATIVE_BASE_H
#define WASI_NATIVE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define WN_API __attribute__((visibility("default")))
#define WN_LIKELY(x) __builtin_expect(!!(x), 1)
#define WN_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#define WN_API
#define WN_LIKELY(x) (x)
#define WN_UNLIKELY(x) (x)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this interface: the major number changes when a program must be recompiled. */
#define WN_VERSION_MAJOR 0
#define WN_VERSION_MINOR 1

typedef int32_t wn_err_t;

/* Errnos of WASI 0.1 (wasi_snapshot_preview1, type errno): WN_ESUCCESS, WN_E2BIG, WN_EACCES ... */
enum {
#define WN_ERRNO(name, number, host, p2, text) WN_E##name = number,
#include "errno.def"
#undef WN_ERRNO
};

/* Verdicts of the host. They end the guest; wn_err_text() has a sentence for each. */
enum {
  WN_EXIT = -1,        /* proc_exit: the code is in wn_end_t */
  WN_TRAP_BOUNDS = -2, /* a pointer or length outside guest memory */
  WN_TRAP_ALIGN = -3,  /* a misaligned pointer to a structure */
  WN_TRAP_ENGINE = -4, /* a trap that the engine raised: unreachable, stack overflow ... */
  WN_HOST = -5,        /* a callback of the embedder failed; it keeps the reason */
  WN_CANCELLED = -6,   /* wn_sys_cancel() */
  WN_TIMEOUT = -7,     /* the deadline of the call passed */
  WN_LIMIT = -8,       /* a limit was exceeded: which one is in wn_end_t */
  WN_NOMEM = -9,       /* the host is out of memory */
  WN_INVALID = -10,    /* the module, the argument or the call of the embedder is wrong */
  WN_LINK = -11,       /* imports that nothing provides */
  WN_MISSING = -12,    /* no such engine, export, or file */
  WN_TRAP_CANON = -13  /* a rule of the Canonical ABI was broken: which one is in wn_end_t */
};

/* A span of bytes that somebody else owns. Not terminated. */
typedef struct wn_str {
  const char *ptr;
  size_t len;
} wn_str_t;

/* One piece of a gather or scatter; the layout is that of the kernel's iovec. */
typedef struct wn_iov {
  void *ptr;
  size_t len;
} wn_iov_t;

/* Why a guest ended. */
typedef struct wn_end {
  wn_err_t err;       /* 0 while it can still run */
  uint32_t exit_code; /* with WN_EXIT */
  const char *limit;  /* with WN_LIMIT: the name of the limit, static */
  const char *reason; /* with WN_TRAP_CANON: the rule; lives as long as the instance */
} wn_end_t;

/* A message with room for a backtrace. Caller's memory; init by zeroing. */
typedef struct wn_message {
  wn_err_t err;
  wn_end_t end;    /* of a guest that ended before there was an instance to ask: in its start section */
  char text[4064]; /* UTF-8, terminated; empty when there is nothing to say */
} wn_message_t;

/* The name of an errno or verdict ("BADF", "timeout"), static, never NULL. Any thread. */
WN_API const char *wn_err_name(wn_err_t err);

/* A sentence about it ("bad file descriptor"), static, never NULL. Any thread. */
WN_API const char *wn_err_text(wn_err_t err);

#ifdef __cplusplus
}
#endif
#endif
