/* net.h - what one guest may do on the network: rules of the embedder, judged before each call of the kernel.
 *
 * Nothing is allowed until a rule allows it, and each right is a rule's own: who may connect may not listen. An
 * address that is not public (loopback, private, link-local, multicast, documentation ... core/sys/net.c has the
 * list) is matched only by a rule whose own network lies in that range, or that says WN_NET_LOCAL: 0.0.0.0/0 opens
 * neither 127.0.0.1 nor 169.254.169.254. A rule with a host name matches the addresses that a lookup of that name by
 * this guest has answered, and no others. IPv4-mapped IPv6 addresses are matched by nothing.
 */
#ifndef WASI_NATIVE_NET_H
#define WASI_NATIVE_NET_H

#include "sys.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { WN_IP_ANY = 0, WN_IPV4 = 4, WN_IPV6 = 6 };

enum { WN_NET_TCP = 1, WN_NET_UDP = 2 };

enum {
  WN_NET_CONNECT = 1,  /* tcp: connect to it */
  WN_NET_LISTEN = 2,   /* tcp: bind to it and listen; udp: bind to it and receive from its peers */
  WN_NET_BIND = 4,     /* bind to it, no more */
  WN_NET_SEND = 8,     /* udp: datagrams to it */
  WN_NET_RECEIVE = 16, /* udp: datagrams from it */
  WN_NET_ACCEPT = 32   /* tcp: who may come to a listener of wn_sys_preopen_socket() there; the guest may nothing */
};

enum { WN_NET_LOCAL = 1 }; /* addresses that are not public count too */

typedef struct wn_net_range {
  uint8_t ip[16]; /* in the order of the wire; IPv4: the first 4 */
  uint8_t family; /* WN_IPV4, WN_IPV6; WN_IP_ANY: all addresses of both */
  uint8_t bits;   /* of the prefix */
} wn_net_range_t;

typedef struct wn_net_rule {
  uint8_t protocols, rights, flags; /* WN_NET_*; rights 0: names are looked up, nothing more */
  wn_net_range_t where;             /* which addresses, where host is NULL or "*" */
  const char *host;                 /* a name in lower case, "*.suffix" or "*": may be looked up; NULL: no name */
  uint16_t first_port, last_port;   /* inclusive */
  const wn_net_range_t *peers;      /* LISTEN, ACCEPT: who may come, NULL: all */
  uint32_t peer_count;
} wn_net_rule_t;

/* One more rule, copied. INVAL: a prefix too long, ports the wrong way round, no such protocol or right, a host of
 * more than 255 bytes. NOMEM. LIMIT: more than WN_NET_RULES_MAX. */
WN_API wn_err_t wn_sys_net_allow(wn_sys_t *sys, const wn_net_rule_t *rule);

#define WN_NET_RULES_MAX 1024u /* and as many ranges of peers in all */

#ifdef __cplusplus
}
#endif
#endif
