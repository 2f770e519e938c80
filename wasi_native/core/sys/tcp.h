/* tcp.h - tcp sockets that a guest makes. Errors of a wrong state: inet.h. Nothing here waits: AGAIN. */
#ifndef WN_CORE_TCP_H
#define WN_CORE_TCP_H

#include "core/sys/sys.h"

wn_err_t wn_tcp_create(wn_sys_t *sys, uint8_t family, uint32_t *fd);
wn_err_t wn_tcp_bind_start(wn_sys_t *sys, uint32_t fd, const wn_addr_t *local);
wn_err_t wn_tcp_bind_finish(wn_sys_t *sys, uint32_t fd);
wn_err_t wn_tcp_connect_start(wn_sys_t *sys, uint32_t fd, const wn_addr_t *peer);
/* Afterwards the descriptor reads and writes like every other socket. */
wn_err_t wn_tcp_connect_finish(wn_sys_t *sys, uint32_t fd);
wn_err_t wn_tcp_listen_start(wn_sys_t *sys, uint32_t fd);
wn_err_t wn_tcp_listen_finish(wn_sys_t *sys, uint32_t fd);
/* A connection whose peer is welcome; others are closed on the way. */
wn_err_t wn_tcp_accept(wn_sys_t *sys, uint32_t fd, uint32_t *out);
wn_err_t wn_tcp_listening(wn_sys_t *sys, uint32_t fd, bool *listening);
wn_err_t wn_tcp_backlog(wn_sys_t *sys, uint32_t fd, uint64_t value);
wn_err_t wn_tcp_shutdown(wn_sys_t *sys, uint32_t fd, uint32_t how); /* WN_SHUT_*; as often as one likes */

#endif
