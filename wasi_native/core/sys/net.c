/* net.c - is this address allowed? */
#include "core/sys/net.h"

#include <string.h>

#include "core/sys/state.h"

struct wn_judge_rule {
  uint8_t protocols, rights, flags;
  wn_net_range_t where;
  uint16_t first_port, last_port;
  wn_net_range_t *peers;
  uint32_t peer_count;
  char host[WN_HOST_MAX]; /* "": an address */
};

/* Addresses that are not everybody's: a rule means them only when it names them. Those that carry IPv4 inside
 * (64:ff9b, 2002, 2001:0) are among them, for they may lead to any of the IPv4 ones. */
static const wn_net_range_t special[] = {
    {{0}, WN_IPV4, 8},                       /* this host, this network */
    {{10}, WN_IPV4, 8},                      /* private */
    {{100, 64}, WN_IPV4, 10},                /* of carriers */
    {{127}, WN_IPV4, 8},                     /* loopback */
    {{169, 254}, WN_IPV4, 16},               /* link-local, and the data of cloud machines */
    {{172, 16}, WN_IPV4, 12},                /* private */
    {{192, 0, 0}, WN_IPV4, 24},              /* protocols */
    {{192, 0, 2}, WN_IPV4, 24},              /* documentation */
    {{192, 88, 99}, WN_IPV4, 24},            /* 6to4 relays */
    {{192, 168}, WN_IPV4, 16},               /* private */
    {{198, 18}, WN_IPV4, 15},                /* benchmarks */
    {{198, 51, 100}, WN_IPV4, 24},           /* documentation */
    {{203, 0, 113}, WN_IPV4, 24},            /* documentation */
    {{224}, WN_IPV4, 4},                     /* multicast */
    {{240}, WN_IPV4, 4},                     /* reserved, broadcast */
    {{0}, WN_IPV6, 127},                     /* ::, ::1 */
    {{0}, WN_IPV6, 96},                      /* IPv4 inside */
    {{0, 0x64, 0xff, 0x9b}, WN_IPV6, 32},    /* NAT64 */
    {{1}, WN_IPV6, 64},                      /* discard */
    {{0x20, 0x01}, WN_IPV6, 23},             /* protocols, Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, WN_IPV6, 32}, /* documentation */
    {{0x20, 0x02}, WN_IPV6, 16},             /* 6to4 */
    {{0x3f, 0xff}, WN_IPV6, 20},             /* documentation */
    {{0xfc}, WN_IPV6, 7},                    /* private */
    {{0xfe, 0x80}, WN_IPV6, 10},             /* link-local */
    {{0xfe, 0xc0}, WN_IPV6, 10},             /* site-local */
    {{0xff}, WN_IPV6, 8},                    /* multicast */
};
static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static uint8_t most_bits(uint8_t family) { return family == WN_IPV4 ? 32 : 128; }

static bool inside(const wn_net_range_t *range, const wn_addr_t *addr) {
  if (range->family != addr->family) return false;
  uint32_t whole = range->bits / 8u, rest = range->bits % 8u;
  if (memcmp(range->ip, addr->ip, whole) != 0) return false;
  return rest == 0 || ((range->ip[whole] ^ addr->ip[whole]) >> (8 - rest)) == 0;
}

/* The bits of the narrowest special range around it; 0: a public address. */
static uint8_t special_bits(const wn_addr_t *addr) {
  uint8_t bits = 0;
  for (size_t i = 0; i < sizeof special / sizeof *special; i++)
    if (special[i].bits > bits && inside(&special[i], addr)) bits = special[i].bits;
  return bits;
}

bool wn_net_special(const wn_addr_t *addr) { return special_bits(addr) != 0; }

/* A range around an address names it when no special range lies between the two. */
static bool names(const wn_net_range_t *range, const wn_addr_t *addr, uint8_t bits, bool local) {
  if (range->family == WN_IP_ANY) return bits == 0 || local;
  return inside(range, addr) && (range->bits >= bits || local);
}

static bool pinned(const wn_net_t *net, uint32_t rule, const wn_addr_t *addr) {
  for (uint32_t i = 0; net->pins && i < WN_PINS_MAX; i++) {
    const wn_pin_t *pin = &net->pins[i];
    if (pin->family == addr->family && pin->rule == rule && memcmp(pin->ip, addr->ip, 16) == 0) return true;
  }
  return false;
}

static bool all_names(const wn_judge_rule_t *rule) { return rule->host[0] == '*' && !rule->host[1]; }

static bool covers(const wn_net_t *net, uint32_t index, const wn_addr_t *addr, uint8_t bits) {
  const wn_judge_rule_t *rule = &net->rules[index];
  if (addr->port < rule->first_port || addr->port > rule->last_port) return false;
  if (rule->host[0] && !all_names(rule)) return pinned(net, index, addr);
  return names(&rule->where, addr, bits, rule->flags & WN_NET_LOCAL);
}

static bool sound(const wn_addr_t *addr) {
  if (addr->family == WN_IPV4) return true;
  return addr->family == WN_IPV6 && memcmp(addr->ip, mapped, sizeof mapped) != 0;
}

/* The next rule from `at` on that gives one of `rights` for the address; rule_count: none. */
static uint32_t find(const wn_net_t *net, uint32_t at, uint32_t protocol, uint32_t rights, const wn_addr_t *addr) {
  if (!sound(addr)) return net->rule_count;
  uint8_t bits = special_bits(addr);
  for (; at < net->rule_count; at++) {
    const wn_judge_rule_t *rule = &net->rules[at];
    if (rule->protocols & protocol && rule->rights & rights && covers(net, at, addr, bits)) return at;
  }
  return at;
}

wn_err_t wn_net_check(const wn_sys_t *sys, uint32_t protocol, uint32_t right, const wn_addr_t *addr) {
  return find(&sys->net, 0, protocol, right, addr) < sys->net.rule_count ? 0 : WN_EACCES;
}

wn_err_t wn_net_check_bind(const wn_sys_t *sys, uint32_t protocol, const wn_addr_t *local) {
  static const uint8_t zero[16];
  if (!wn_net_check(sys, protocol, WN_NET_BIND | WN_NET_LISTEN, local)) return 0;
  if (local->port || memcmp(local->ip, zero, sizeof zero) != 0 || !sound(local)) return WN_EACCES;
  for (uint32_t i = 0; i < sys->net.rule_count; i++) {
    const wn_judge_rule_t *rule = &sys->net.rules[i];
    if (rule->protocols & protocol && rule->rights & (WN_NET_CONNECT | WN_NET_SEND | WN_NET_RECEIVE)) return 0;
  }
  return WN_EACCES;
}

static bool invited(const wn_judge_rule_t *rule, const wn_addr_t *peer) {
  if (!rule->peers) return true;
  uint8_t bits = special_bits(peer);
  for (uint32_t i = 0; i < rule->peer_count; i++)
    if (names(&rule->peers[i], peer, bits, rule->flags & WN_NET_LOCAL)) return true;
  return false;
}

bool wn_net_welcome(const wn_sys_t *sys, uint32_t protocol, const wn_addr_t *local, const wn_addr_t *peer) {
  const wn_net_t *net = &sys->net;
  if (!sound(peer)) return false;
  if (protocol == WN_NET_UDP && !wn_net_check(sys, protocol, WN_NET_RECEIVE, peer)) return true;
  for (uint32_t at = 0; (at = find(net, at, protocol, WN_NET_LISTEN, local)) < net->rule_count; at++)
    if (invited(&net->rules[at], peer)) return true;
  return false;
}

bool wn_net_admits(const wn_sys_t *sys, const wn_addr_t *local, const wn_addr_t *peer) {
  const wn_net_t *net = &sys->net;
  const uint32_t rights = WN_NET_LISTEN | WN_NET_ACCEPT;
  wn_addr_t from = *peer;
  if (from.family == WN_IPV6 && !sound(&from)) { /* its listener takes both families: IPv4 after all */
    from.family = WN_IPV4;
    memmove(from.ip, from.ip + sizeof mapped, 4);
    memset(from.ip + 4, 0, sizeof from.ip - 4);
  }
  bool said = false;
  for (uint32_t at = 0; (at = find(net, at, WN_NET_TCP, rights, local)) < net->rule_count; at++) {
    if (invited(&net->rules[at], &from)) return true;
    said = true;
  }
  return !said;
}

/* "*.suffix" is every name below suffix, but not suffix itself. */
static bool named(const wn_judge_rule_t *rule, const char *name) {
  if (!rule->host[0]) return false;
  if (all_names(rule)) return true;
  if (rule->host[0] != '*') return strcmp(rule->host, name) == 0;
  size_t tail = strlen(rule->host + 1), len = strlen(name);
  return len > tail && strcmp(name + len - tail, rule->host + 1) == 0;
}

wn_err_t wn_net_check_name(const wn_sys_t *sys, const char *name) {
  for (uint32_t i = 0; i < sys->net.rule_count; i++)
    if (named(&sys->net.rules[i], name)) return 0;
  return WN_EACCES;
}

void wn_net_pin(wn_sys_t *sys, const char *name, const wn_addr_t *addr) {
  wn_net_t *net = &sys->net;
  bool public = special_bits(addr) == 0;
  for (uint32_t i = 0; i < net->rule_count; i++) {
    const wn_judge_rule_t *rule = &net->rules[i];
    if (all_names(rule) || !named(rule, name) || pinned(net, i, addr)) continue;
    if (!public && !(rule->flags & WN_NET_LOCAL)) continue;
    wn_pin_t *pin = &net->pins[net->next_pin];
    net->next_pin = (net->next_pin + 1) % WN_PINS_MAX;
    *pin = (wn_pin_t){.family = addr->family, .rule = i};
    memcpy(pin->ip, addr->ip, sizeof pin->ip);
  }
}

static bool range_fits(const wn_net_range_t *range) {
  if (range->family == WN_IP_ANY) return range->bits == 0;
  return (range->family == WN_IPV4 || range->family == WN_IPV6) && range->bits <= most_bits(range->family);
}

static wn_err_t check_rule(const wn_net_rule_t *rule) {
  const uint32_t rights = WN_NET_CONNECT | WN_NET_LISTEN | WN_NET_BIND | WN_NET_SEND | WN_NET_RECEIVE | WN_NET_ACCEPT;
  if (rule->protocols & ~(uint32_t)(WN_NET_TCP | WN_NET_UDP) || rule->rights & ~rights) return WN_EINVAL;
  if (rule->flags & ~(uint32_t)WN_NET_LOCAL || rule->first_port > rule->last_port) return WN_EINVAL;
  if (!range_fits(&rule->where) || (rule->host && (!rule->host[0] || strlen(rule->host) >= WN_HOST_MAX)))
    return WN_EINVAL;
  if ((rule->peers == NULL) != (rule->peer_count == 0)) return WN_EINVAL;
  for (uint32_t i = 0; i < rule->peer_count; i++)
    if (!range_fits(&rule->peers[i])) return WN_EINVAL;
  return 0;
}

wn_err_t wn_sys_net_allow(wn_sys_t *sys, const wn_net_rule_t *rule) {
  wn_net_t *net = &sys->net;
  const wn_os_t *os = sys->os;
  wn_err_t err = check_rule(rule);
  if (err) return err;
  if (net->rule_count == WN_NET_RULES_MAX || rule->peer_count > WN_NET_RULES_MAX - net->peer_count) {
    sys->limit_hit = "net";
    return WN_LIMIT;
  }
  if (rule->host && !net->pins && !(net->pins = os->alloc(os, sizeof *net->pins * WN_PINS_MAX))) return WN_ENOMEM;
  bool udp = rule->protocols & WN_NET_UDP;
  if (udp && !net->datagram && !(net->datagram = os->alloc(os, WN_DATAGRAM_MAX))) return WN_ENOMEM;
  wn_judge_rule_t *rules = os->resize(os, net->rules, sizeof *rules * (net->rule_count + 1));
  if (!rules) return WN_ENOMEM;
  net->rules = rules;
  wn_judge_rule_t *made = &rules[net->rule_count];
  *made = (wn_judge_rule_t){.protocols = rule->protocols, .rights = rule->rights, .flags = rule->flags};
  made->where = rule->where;
  made->first_port = rule->first_port;
  made->last_port = rule->last_port;
  if (rule->host) memcpy(made->host, rule->host, strlen(rule->host) + 1);
  if (rule->peers) {
    made->peers = os->alloc(os, sizeof *made->peers * rule->peer_count);
    if (!made->peers) return WN_ENOMEM;
    memcpy(made->peers, rule->peers, sizeof *made->peers * rule->peer_count);
    made->peer_count = rule->peer_count;
  }
  net->peer_count += rule->peer_count;
  net->rule_count++;
  return 0;
}

void wn_net_deinit(wn_sys_t *sys) {
  wn_net_t *net = &sys->net;
  const wn_os_t *os = sys->os;
  for (uint32_t i = 0; i < WN_LOOKUPS_MAX; i++) os->lookup_drop(os, net->lookups[i].pending);
  for (uint32_t i = 0; i < net->rule_count; i++) os->free(os, net->rules[i].peers);
  os->free(os, net->rules);
  os->free(os, net->pins);
  os->free(os, net->datagram);
  *net = (wn_net_t){0};
}
