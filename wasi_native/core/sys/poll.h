/* poll.h - the memory of poll.c, which sys.c allocates with the guest. */
#ifndef WN_CORE_POLL_H
#define WN_CORE_POLL_H

#include "core/sys/sys.h"

/* Bytes of sys->poll_scratch for these limits (fds and subscriptions filled in). */
size_t wn_poll_scratch_size(const wn_limits_t *limits);

#endif
