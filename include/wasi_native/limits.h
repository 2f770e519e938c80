/* limits.h - what one guest may use. Zero means "no limit" unless a line says otherwise. */
#ifndef WASI_NATIVE_LIMITS_H
#define WASI_NATIVE_LIMITS_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wn_limits {
  uint64_t memory_bytes;   /* one linear memory, of compiled guests all together; memory.grow answers -1 above it */
  uint64_t table_elements; /* one table; table.grow answers -1 above it */
  uint64_t fuel;           /* instructions, as the engine counts them; WN_LIMIT "fuel" */
  uint64_t cpu_ns;         /* CPU time of the thread inside the guest, summed over calls; WN_LIMIT "cpu_time" */
  uint64_t output_bytes;   /* written to stdout and stderr together, per instance; NOSPC above it */
  uint32_t fds;            /* open descriptors, preopens and streams included; MFILE. 0 means WN_FDS_DEFAULT */
  uint32_t dirs;           /* directories among them; MFILE */
  uint32_t sockets;        /* sockets among them; MFILE */
  uint32_t iovs;           /* pieces of one gather or scatter; INVAL. 0, or WN_IOVS_MAX and up: no such limit,
                            * but one call takes the first WN_IOVS_MAX pieces and reports a short count */
  uint32_t subscriptions;  /* of one poll_oneoff; INVAL. 0 means WN_SUBSCRIPTIONS_DEFAULT */
  uint32_t handles;        /* of resources, per component instance; WN_LIMIT "handles". 0 means WN_HANDLES_DEFAULT */
  uint32_t value_bytes;    /* the values of calls between components that are under way; WN_LIMIT "value_bytes".
                            * 0 means WN_VALUES_DEFAULT */
} wn_limits_t;

#define WN_FDS_DEFAULT 64u
#define WN_FDS_MAX 65536u
#define WN_IOVS_MAX 1024u
#define WN_SUBSCRIPTIONS_DEFAULT 1024u
#define WN_SUBSCRIPTIONS_MAX 65536u
#define WN_HANDLES_DEFAULT 65536u
#define WN_HANDLES_MAX 268435455u /* 2^28 - 1: more the component model has no numbers for */
#define WN_PATH_MAX 4096u         /* bytes of a guest path and its terminator; NAMETOOLONG */
#define WN_NAME_MAX 255u          /* bytes of one component; NAMETOOLONG */
#define WN_LINKS_MAX 40u          /* expansions of symbolic links in one call; LOOP */
#define WN_CHUNK_MAX 1048576u     /* bytes moved between two looks at deadline and cancel */

#ifdef __cplusplus
}
#endif
#endif
