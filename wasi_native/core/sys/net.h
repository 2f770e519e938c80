/* net.h - the judge of the network: rules, and the addresses that allowed lookups have answered.
 *
 * Asked before each bind, listen, connect and send, and after each accept and receive. It resolves nothing and calls
 * no kernel. An address of the guest is judged as it is; IPv4 in the clothes of IPv6 is never allowed.
 */
#ifndef WN_CORE_NET_H
#define WN_CORE_NET_H

#include "core/sys/obj.h"

#define WN_PINS_MAX 256u       /* addresses of names that are remembered; the oldest go first */
#define WN_LOOKUPS_MAX 4u      /* of one guest at once, those that it gave up included */
#define WN_HOST_MAX 256u       /* bytes of a name and its terminator */
#define WN_UNWELCOME_MAX 64u   /* that one call closes or drops unseen; then it says that nobody is there */
#define WN_DATAGRAM_MAX 65536u /* bytes of any datagram, and one more */

typedef struct wn_judge_rule wn_judge_rule_t;

/* An answer to a lookup that a rule allowed. */
typedef struct wn_pin {
  uint8_t ip[16];
  uint8_t family; /* 0: free */
  uint32_t rule;
} wn_pin_t;

/* pending and not held: given up by the guest, but its thread still waits for the resolver. */
typedef struct wn_lookup_slot {
  wn_lookup_t *pending; /* NULL: free */
  bool held, pinned;
  char name[WN_HOST_MAX];
} wn_lookup_slot_t;

typedef struct wn_net {
  wn_judge_rule_t *rules;
  uint32_t rule_count, peer_count;
  wn_pin_t *pins; /* WN_PINS_MAX of them, once there is a rule with a name */
  uint32_t next_pin;
  uint8_t *datagram; /* WN_DATAGRAM_MAX bytes, once there is a rule for datagrams */
  wn_lookup_slot_t lookups[WN_LOOKUPS_MAX];
} wn_net_t;

void wn_net_deinit(wn_sys_t *sys);

/* May the guest use this address so? ACCES. protocol: WN_NET_TCP or WN_NET_UDP; right: one WN_NET_*. */
wn_err_t wn_net_check(const wn_sys_t *sys, uint32_t protocol, uint32_t right, const wn_addr_t *addr);

/* May a socket be bound there: by BIND or LISTEN, or because it is no place at all (any address, any port) and the
 * guest may talk to somebody. ACCES. */
wn_err_t wn_net_check_bind(const wn_sys_t *sys, uint32_t protocol, const wn_addr_t *local);

/* May `peer` come to a socket that was bound to `local`: by a LISTEN rule for local, or (udp) a RECEIVE rule. */
bool wn_net_welcome(const wn_sys_t *sys, uint32_t protocol, const wn_addr_t *local, const wn_addr_t *peer);

/* May `peer` come to a listener of the embedder's at `local`: as rules for it say (LISTEN, ACCEPT), without any it
 * may. IPv4 that came through a listener of both families is judged as IPv4. */
bool wn_net_admits(const wn_sys_t *sys, const wn_addr_t *local, const wn_addr_t *peer);

/* May this name (lower case, without a last dot) be looked up? ACCES. */
wn_err_t wn_net_check_name(const wn_sys_t *sys, const char *name);

/* An answer for the name: what rules with that name allow, this address now is. */
void wn_net_pin(wn_sys_t *sys, const char *name, const wn_addr_t *addr);

/* True for 127.0.0.0/8, ::1, private, link-local ... ranges; for tests and for what is told to people. */
bool wn_net_special(const wn_addr_t *addr);

#endif
