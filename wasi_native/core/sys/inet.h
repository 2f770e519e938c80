/* inet.h - what the sockets that a guest makes have in common: tcp.c, udp.c, and the options of both.
 *
 * A socket is a descriptor like another, so that table, rights and limits hold. States are those of wasi:sockets; an
 * operation in a state that does not know it answers ISCONN or NOTCONN (the state is wrong), ALREADY (another
 * operation is under way) or SRCH (there is none to finish).
 */
#ifndef WN_CORE_INET_H
#define WN_CORE_INET_H

#include "core/sys/sys.h"

enum {
  WN_INET_UNBOUND,
  WN_INET_BINDING, /* bound by the kernel, not yet told */
  WN_INET_BOUND,
  WN_INET_STARTING, /* to listen; the kernel does already */
  WN_INET_LISTENING,
  WN_INET_CONNECTING,
  WN_INET_CONNECTED,
  WN_INET_CLOSED
};

#define WN_RIGHTS_INET (WN_RIGHTS_SOCKET | WN_RIGHT_SOCK_ACCEPT)
#define WN_BACKLOG_MAX 4096u

extern const wn_obj_ops_t wn_ops_tcp; /* not connected */
extern const wn_obj_ops_t wn_ops_udp;

/* Not blocking, of this family alone. MFILE, AFNOSUPPORT. type: WN_TYPE_SOCKET_*. */
wn_err_t wn_inet_new(wn_sys_t *sys, uint8_t type, uint8_t family, uint32_t *fd);

/* The guest's own socket of this type. BADF, NOTSOCK. */
wn_err_t wn_inet_get(wn_sys_t *sys, uint32_t fd, uint8_t type, wn_obj_t **obj);

/* INVAL unless addr is of the socket's family, unicast and no IPv4 in the clothes of IPv6. */
wn_err_t wn_inet_check(const wn_obj_t *obj, const wn_addr_t *addr);
/* INVAL also where the address or the port says nothing: what one cannot talk to. */
wn_err_t wn_inet_check_peer(const wn_obj_t *obj, const wn_addr_t *addr);

/* The kernel's word. local: INVAL... NOTCONN before it is bound; peer: NOTCONN. */
wn_err_t wn_inet_local(wn_sys_t *sys, uint32_t fd, uint8_t type, wn_addr_t *out);
wn_err_t wn_inet_peer(wn_sys_t *sys, uint32_t fd, uint8_t type, wn_addr_t *out);
wn_err_t wn_inet_family(wn_sys_t *sys, uint32_t fd, uint8_t type, uint8_t *family);

/* Options: WN_SO_*, with WN_SO_HOPS4 for the hops of either family. INVAL for 0 but of KEEPALIVE; what is too large
 * is made to fit. Idle time and interval in ns, never less than a second. */
wn_err_t wn_inet_option_get(wn_sys_t *sys, uint32_t fd, uint8_t type, uint32_t option, uint64_t *value);
wn_err_t wn_inet_option_set(wn_sys_t *sys, uint32_t fd, uint8_t type, uint32_t option, uint64_t value);

#endif
