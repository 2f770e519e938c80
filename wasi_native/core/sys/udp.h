/* udp.h - datagram sockets that a guest makes. Errors of a wrong state: inet.h. Nothing here waits.
 *
 * A socket has rounds: each wn_udp_stream() begins one, and what still names an earlier one gets NOTCONN. */
#ifndef WN_CORE_UDP_H
#define WN_CORE_UDP_H

#include "core/sys/sys.h"

wn_err_t wn_udp_create(wn_sys_t *sys, uint8_t family, uint32_t *fd);
wn_err_t wn_udp_bind_start(wn_sys_t *sys, uint32_t fd, const wn_addr_t *local);
wn_err_t wn_udp_bind_finish(wn_sys_t *sys, uint32_t fd);
/* Talk to this peer alone, or (NULL) to all that rules allow. ACCES: to this one neither from nor to. */
wn_err_t wn_udp_stream(wn_sys_t *sys, uint32_t fd, const wn_addr_t *peer, uint32_t *round);
/* One datagram into sys->net.datagram from byte `at` on. Those from whom nothing may come are dropped. AGAIN: no
 * more, or the next may not fit. */
wn_err_t wn_udp_receive(wn_sys_t *sys, uint32_t fd, uint32_t round, size_t at, wn_addr_t *from, uint64_t *done);
#define WN_DATAGRAMS_MAX 16u /* of one call */
/* How many may be sent now: WN_DATAGRAMS_MAX, or 0 where the kernel has no room. */
wn_err_t wn_udp_room(wn_sys_t *sys, uint32_t fd, uint32_t round, uint32_t *room);
/* to NULL: to the peer. */
wn_err_t wn_udp_send(wn_sys_t *sys, uint32_t fd, uint32_t round, const void *data, size_t len, const wn_addr_t *to);

#endif
