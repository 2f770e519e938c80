/* net.c - the judge of the network, and sockets and lookups under it, called directly: every verdict, every state,
 * and a kernel that fails between two steps. Loopback alone is touched.
 */
#include "check.h"

#include <poll.h>
#include <arpa/inet.h>
#include <sys/socket.h>

#include "core/sys/inet.h"
#include "core/sys/lookup.h"
#include "core/sys/tcp.h"
#include "core/sys/udp.h"

static const wn_os_t *fake;

static wn_sys_t *world(void) {
  wn_sys_config_t config = {.os = fake};
  wn_sys_t *sys;
  wn_os_fake_clear(fake);
  CHECK(wn_sys_new(&config, &sys) == 0);
  return sys;
}

static wn_addr_t at(const char *ip, uint16_t port) {
  wn_addr_t a = {.port = port, .family = strchr(ip, ':') ? WN_IPV6 : WN_IPV4};
  CHECK(inet_pton(a.family == WN_IPV6 ? AF_INET6 : AF_INET, ip, a.ip) == 1);
  return a;
}

static wn_net_range_t range(const char *ip, uint8_t bits) {
  wn_addr_t a = at(ip, 0);
  wn_net_range_t r = {.family = a.family, .bits = bits};
  memcpy(r.ip, a.ip, 16);
  return r;
}

static wn_err_t allow(wn_sys_t *sys, uint8_t protocols, uint8_t rights, const char *ip, uint8_t bits, uint16_t first,
                      uint16_t last, uint8_t flags) {
  wn_net_rule_t rule = {.protocols = protocols, .rights = rights, .flags = flags, .where = range(ip, bits)};
  rule.first_port = first;
  rule.last_port = last;
  return wn_sys_net_allow(sys, &rule);
}

static wn_err_t allow_host(wn_sys_t *sys, const char *host, uint16_t first, uint16_t last, uint8_t flags) {
  wn_net_rule_t rule = {.protocols = WN_NET_TCP, .rights = WN_NET_CONNECT, .flags = flags, .host = host};
  rule.first_port = first;
  rule.last_port = last;
  return wn_sys_net_allow(sys, &rule);
}

static bool tcp_ok(wn_sys_t *sys, const char *ip, uint16_t port) {
  wn_addr_t a = at(ip, port);
  wn_err_t err = wn_net_check(sys, WN_NET_TCP, WN_NET_CONNECT, &a);
  CHECK(err == 0 || err == WN_EACCES);
  return !err;
}

static void verdicts(void) {
  wn_sys_t *sys = world();
  CHECK(!tcp_ok(sys, "93.184.216.34", 443) && !tcp_ok(sys, "127.0.0.1", 443)); /* nothing is allowed yet */
  CHECK(allow(sys, WN_NET_TCP, WN_NET_CONNECT, "0.0.0.0", 0, 443, 444, 0) == 0);
  CHECK(tcp_ok(sys, "93.184.216.34", 443) && tcp_ok(sys, "1.1.1.1", 444));
  CHECK(!tcp_ok(sys, "1.1.1.1", 442) && !tcp_ok(sys, "1.1.1.1", 445) && !tcp_ok(sys, "2606:4700::1", 443));
  static const char *const special[] = {
      "0.0.0.0",         "0.1.2.3",      "10.0.0.1",    "100.64.0.1",  "127.0.0.1", "127.255.0.1", "169.254.0.1",
      "169.254.169.254", "172.16.0.1",   "172.31.0.1",  "192.168.0.1", "192.0.0.8", "192.0.2.1",   "198.18.0.1",
      "198.19.0.1",      "198.51.100.1", "203.0.113.1", "224.0.0.1",   "239.1.1.1", "240.0.0.1",   "255.255.255.255"};
  for (size_t i = 0; i < sizeof special / sizeof *special; i++) CHECK(!tcp_ok(sys, special[i], 443));
  CHECK(tcp_ok(sys, "100.63.0.1", 443) && tcp_ok(sys, "172.15.0.1", 443) && tcp_ok(sys, "172.32.0.1", 443));
  CHECK(tcp_ok(sys, "198.20.0.1", 443) && tcp_ok(sys, "223.0.0.1", 443) && tcp_ok(sys, "169.253.0.1", 443));
  CHECK(!tcp_ok(sys, "::ffff:1.1.1.1", 443));
  CHECK(allow(sys, WN_NET_TCP, WN_NET_CONNECT, "::", 0, 443, 443, 0) == 0 && tcp_ok(sys, "2606:4700::1", 443));
  static const char *const special6[] = {
      "::",      "::1",     "::2",         "::1.1.1.1",    "::ffff:1.1.1.1", "64:ff9b::a00:1",
      "100::1",  "2001::1", "2001:db8::1", "2002:a00:1::", "fc00::1",        "fd12::1",
      "fe80::1", "fec0::1", "ff02::1",     "3fff::1"};
  for (size_t i = 0; i < sizeof special6 / sizeof *special6; i++) CHECK(!tcp_ok(sys, special6[i], 443));

  /* A range that lies in a special one names it; one around it does not, and the narrowest counts. */
  CHECK(allow(sys, WN_NET_TCP, WN_NET_CONNECT, "127.0.0.1", 32, 80, 80, 0) == 0);
  CHECK(tcp_ok(sys, "127.0.0.1", 80) && !tcp_ok(sys, "127.0.0.2", 80) && !tcp_ok(sys, "127.0.0.1", 443));
  CHECK(allow(sys, WN_NET_TCP, WN_NET_CONNECT, "10.0.0.0", 7, 80, 80, 0) == 0 && !tcp_ok(sys, "10.0.0.1", 80));
  CHECK(tcp_ok(sys, "11.0.0.1", 80));
  CHECK(allow(sys, WN_NET_TCP, WN_NET_CONNECT, "10.0.0.0", 8, 81, 81, 0) == 0 && tcp_ok(sys, "10.0.0.1", 81));
  CHECK(allow(sys, WN_NET_TCP, WN_NET_CONNECT, "192.168.7.128", 25, 82, 82, 0) == 0);
  CHECK(tcp_ok(sys, "192.168.7.200", 82) && !tcp_ok(sys, "192.168.7.1", 82));
  CHECK(allow(sys, WN_NET_TCP, WN_NET_CONNECT, "::", 96, 83, 83, 0) == 0 && !tcp_ok(sys, "::1", 83));
  CHECK(allow(sys, WN_NET_TCP, WN_NET_CONNECT, "::1", 128, 83, 83, 0) == 0 && tcp_ok(sys, "::1", 83));
  CHECK(allow(sys, WN_NET_TCP, WN_NET_CONNECT, "::ffff:0.0.0.0", 96, 84, 84, WN_NET_LOCAL) == 0);
  CHECK(!tcp_ok(sys, "::ffff:127.0.0.1", 84)); /* by nothing */
  CHECK(allow(sys, WN_NET_TCP, WN_NET_CONNECT, "0.0.0.0", 0, 85, 85, WN_NET_LOCAL) == 0);
  CHECK(tcp_ok(sys, "127.0.0.1", 85) && tcp_ok(sys, "169.254.169.254", 85) && !tcp_ok(sys, "::1", 85));
  /* IPv4 rules and IPv6 addresses of equal bits. */
  CHECK(allow(sys, WN_NET_TCP, WN_NET_CONNECT, "32.1.13.184", 32, 86, 86, 0) == 0 && !tcp_ok(sys, "2001:db8::", 86));

  /* Each right is its own. */
  wn_addr_t home = at("127.0.0.1", 80), any = at("0.0.0.0", 0), stranger = at("1.2.3.4", 9);
  CHECK(wn_net_check(sys, WN_NET_UDP, WN_NET_SEND, &home) && wn_net_check(sys, WN_NET_TCP, WN_NET_LISTEN, &home));
  CHECK(wn_net_check_bind(sys, WN_NET_TCP, &home) == WN_EACCES && !wn_net_check_bind(sys, WN_NET_TCP, &any));
  CHECK(wn_net_check_bind(sys, WN_NET_UDP, &any) == WN_EACCES);
  any.port = 7;
  CHECK(wn_net_check_bind(sys, WN_NET_TCP, &any) == WN_EACCES);
  CHECK(allow(sys, WN_NET_UDP, WN_NET_BIND, "127.0.0.1", 32, 80, 80, 0) == 0);
  CHECK(!wn_net_check_bind(sys, WN_NET_UDP, &home) && wn_net_check(sys, WN_NET_UDP, WN_NET_SEND, &home));
  CHECK(!wn_net_welcome(sys, WN_NET_UDP, &home, &stranger));
  CHECK(allow(sys, WN_NET_UDP, WN_NET_RECEIVE, "1.2.3.4", 32, 9, 9, 0) == 0);
  CHECK(wn_net_welcome(sys, WN_NET_UDP, &home, &stranger) && wn_net_check(sys, WN_NET_UDP, WN_NET_SEND, &stranger));

  /* Who may come. */
  wn_net_range_t peers[2] = {range("10.0.0.0", 8), range("1.2.3.0", 24)};
  wn_net_rule_t listen = {.protocols = WN_NET_TCP,
                          .rights = WN_NET_LISTEN,
                          .where = range("127.0.0.1", 32),
                          .first_port = 80,
                          .last_port = 80,
                          .peers = peers,
                          .peer_count = 2};
  CHECK(wn_sys_net_allow(sys, &listen) == 0 && wn_net_welcome(sys, WN_NET_TCP, &home, &stranger));
  wn_addr_t ten = at("10.1.1.1", 1), other = at("1.2.4.1", 1), clothes = at("::ffff:10.1.1.1", 1);
  CHECK(wn_net_welcome(sys, WN_NET_TCP, &home, &ten) && !wn_net_welcome(sys, WN_NET_TCP, &home, &other));
  CHECK(!wn_net_welcome(sys, WN_NET_TCP, &home, &clothes) && !wn_net_welcome(sys, WN_NET_UDP, &home, &ten));
  CHECK(wn_net_admits(sys, &home, &ten) && !wn_net_admits(sys, &home, &other)); /* a listener of the embedder's */
  CHECK(wn_net_admits(sys, &home, &clothes) && wn_net_admits(sys, &stranger, &other));
  listen.peers = NULL;
  listen.peer_count = 0;
  CHECK(wn_sys_net_allow(sys, &listen) == 0 && wn_net_welcome(sys, WN_NET_TCP, &home, &other));
  wn_sys_delete(sys);
}

static void rules(void) {
  wn_sys_t *sys = world();
  wn_net_range_t long6 = {.family = WN_IPV6, .bits = 129}, any = {.bits = 1};
  wn_net_rule_t good = {.protocols = WN_NET_TCP, .rights = WN_NET_CONNECT, .host = "a.b"}, bad;
  char host[300];
  memset(host, 'a', sizeof host);
  host[256] = 0;
#define REFUSED(change) (bad = good, change, wn_sys_net_allow(sys, &bad) == WN_EINVAL)
  CHECK(REFUSED(bad.protocols = 4) && REFUSED(bad.rights = 64) && REFUSED(bad.flags = 2));
  CHECK(REFUSED(bad.first_port = 1) && REFUSED(bad.host = host) && REFUSED(bad.host = ""));
  CHECK(REFUSED(bad.where = long6) && REFUSED(bad.where = any) && REFUSED(bad.where.family = 5));
  CHECK(REFUSED((bad.peers = &long6, bad.peer_count = 1)) && REFUSED(bad.peers = &long6) &&
        REFUSED(bad.peer_count = 1));
  host[255] = 0;
  bad = good, bad.host = host;
  CHECK(wn_sys_net_allow(sys, &bad) == 0);
  for (int i = 1; i <= 3; i++) {
    wn_sys_t *poor = world();
    bad = good, bad.protocols = WN_NET_UDP, bad.rights = WN_NET_SEND;
    wn_os_fake_inject(fake, i < 3 ? "alloc" : "resize", i < 3 ? (uint64_t)i : 1, 1, WN_ENOMEM, 0);
    CHECK(wn_sys_net_allow(poor, &bad) == WN_ENOMEM && wn_sys_net_allow(poor, &bad) == 0);
    wn_sys_delete(poor);
  }
  for (uint32_t i = 1; i < WN_NET_RULES_MAX; i++) CHECK(wn_sys_net_allow(sys, &good) == 0);
  CHECK(wn_sys_net_allow(sys, &good) == WN_LIMIT && strcmp(sys->limit_hit, "net") == 0);
  wn_sys_delete(sys);
}

static void names(void) {
  wn_sys_t *sys = world();
  CHECK(wn_net_check_name(sys, "example.com") == WN_EACCES);
  CHECK(allow_host(sys, "api.example.com", 443, 443, 0) == 0 && allow_host(sys, "*.example.org", 1, 65535, 0) == 0);
  CHECK(allow_host(sys, "home.lan", 80, 80, WN_NET_LOCAL) == 0);
  CHECK(!wn_net_check_name(sys, "api.example.com") && !wn_net_check_name(sys, "a.b.example.org"));
  static const char *const others[] = {
      "example.com",   "xapi.example.com", "api.example.com.evil", "example.org", "aexample.org", ".example.org", "",
      "api.example.co"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) CHECK(wn_net_check_name(sys, others[i]) == WN_EACCES);

  /* An answer opens what its own rule says, and that alone; what is not public needs LOCAL. */
  wn_addr_t one = at("93.184.216.34", 0), inner = at("192.168.1.5", 0), six = at("2606:4700::1", 0);
  CHECK(!tcp_ok(sys, "93.184.216.34", 443));
  wn_net_pin(sys, "api.example.com", &one);
  wn_net_pin(sys, "api.example.com", &inner);
  wn_net_pin(sys, "other.example.com", &six);
  CHECK(tcp_ok(sys, "93.184.216.34", 443) && !tcp_ok(sys, "93.184.216.34", 80));
  CHECK(!tcp_ok(sys, "192.168.1.5", 443) && !tcp_ok(sys, "2606:4700::1", 443));
  wn_net_pin(sys, "home.lan", &inner);
  CHECK(tcp_ok(sys, "192.168.1.5", 80) && !tcp_ok(sys, "192.168.1.5", 443));
  /* The oldest are forgotten; the same answer twice takes one place. */
  for (uint32_t i = 0; i < 3 * WN_PINS_MAX; i++) wn_net_pin(sys, "api.example.com", &one);
  CHECK(tcp_ok(sys, "192.168.1.5", 80));
  for (uint32_t i = 0; i < WN_PINS_MAX; i++) {
    wn_addr_t many = at("8.8.0.0", 0);
    many.ip[2] = (uint8_t)(i >> 8);
    many.ip[3] = (uint8_t)i;
    wn_net_pin(sys, "x.example.org", &many);
  }
  CHECK(!tcp_ok(sys, "93.184.216.34", 443) && tcp_ok(sys, "8.8.0.1", 9) && tcp_ok(sys, "8.8.0.255", 9));
  /* All names: any public address, without asking. */
  CHECK(allow_host(sys, "*", 99, 99, 0) == 0 && !wn_net_check_name(sys, "whatever"));
  CHECK(tcp_ok(sys, "4.4.4.4", 99) && tcp_ok(sys, "2606:4700::1", 99) && !tcp_ok(sys, "127.0.0.1", 99));
  wn_sys_delete(sys);
}

static bool literal(const char *s, const char *is) {
  wn_addr_t got, want;
  if (!wn_lookup_literal(text(s), &got)) return !is;
  if (!is) return false;
  want = at(is, 0);
  return got.family == want.family && memcmp(got.ip, want.ip, 16) == 0;
}

static void literals(void) {
  CHECK(literal("1.2.3.4", "1.2.3.4") && literal("255.0.0.0", "255.0.0.0") && literal("::", "::"));
  CHECK(literal("::1", "::1") && literal("[::1]", "::1") && literal("FE80::A:b", "fe80::a:b") &&
        literal("1::", "1::"));
  CHECK(literal("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8") && literal("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7::"));
  CHECK(literal("::2:3:4:5:6:7:8", "::2:3:4:5:6:7:8") && literal("64:ff9b::1.2.3.4", "64:ff9b::1.2.3.4"));
  CHECK(literal("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:1.2.3.4") && literal("::ffff:1.2.3.4", "1.2.3.4"));
  static const char *const none[] = {"",
                                     "1.2.3",
                                     "1.2.3.4.5",
                                     "01.2.3.4",
                                     "1.2.3.256",
                                     "1.2.3.",
                                     ".1.2.3.4",
                                     "0x1.2.3.4",
                                     "1.2.3.4 ",
                                     "127.1",
                                     "2130706433",
                                     ":",
                                     ":::",
                                     "1:::2",
                                     "::1::",
                                     "1:2:3:4:5:6:7",
                                     "1:2:3:4:5:6:7:8:9",
                                     "1:2:3:4:5:6:7:8::",
                                     "12345::",
                                     "::1%lo",
                                     "[::1",
                                     "::1]",
                                     "[]",
                                     "g::",
                                     "1:2:3:4:5:6:7:1.2.3.4",
                                     "::1.2.3",
                                     "1:",
                                     ":1",
                                     "1::2:",
                                     "::1.2.3.4:5",
                                     "[::]:80",
                                     "1.2.3.4:80",
                                     "0000001.2.3.4",
                                     "::00001"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
    if (!literal(none[i], NULL)) fprintf(stderr, "%s\n", none[i]);
    CHECK(literal(none[i], NULL));
  }
}

static wn_err_t lookup(wn_sys_t *sys, const char *name, wn_addr_t *first, uint32_t *count) {
  uint32_t fd;
  bool end = false;
  wn_err_t err = wn_lookup_start(sys, text(name), &fd);
  if (err) return err;
  wn_sub_t sub = {.kind = 1, .fd = fd};
  CHECK(wn_poll(sys, &sub, 1) == 0 && sub.fired && !sub.err);
  wn_addr_t got;
  for (*count = 0; !(err = wn_lookup_next(sys, fd, &got, &end)) && !end; ++*count)
    if (!*count) *first = got;
  CHECK(wn_table_close(&(*sys), fd) == 0);
  return err;
}

static void lookups(void) {
  wn_sys_t *sys = world();
  wn_addr_t got;
  uint32_t n = 0, fd, fds[WN_LOOKUPS_MAX];
  CHECK(lookup(sys, "10.1.2.3", &got, &n) == 0 && n == 1 && got.ip[0] == 10 && got.family == WN_IPV4);
  CHECK(wn_lookup_start(sys, text("localhost"), &fd) == WN_EACCES);
  CHECK(allow_host(sys, "localhost", 80, 80, WN_NET_LOCAL) == 0 && !tcp_ok(sys, "127.0.0.1", 80));
  static const char *const bad[] = {"",         ".",          "a..b",  "-a",          "a-",        "a b",
                                    "a/b",      "a@b",        "a#b",   "a:80",        "127.1",     "0x7f.1",
                                    "1.2.3.04", "2130706433", "a.0x1", "\xc3\xa4.de", "http://a/", "a.b<&>"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(wn_lookup_start(sys, text(bad[i]), &fd) == WN_EINVAL);
  char label[300];
  memset(label, 'a', sizeof label);
  label[64] = 0;
  CHECK(wn_lookup_start(sys, text(label), &fd) == WN_EINVAL);
  label[63] = 0;
  CHECK(wn_lookup_start(sys, text(label), &fd) == WN_EACCES);
  label[64] = 'a', label[63] = label[127] = label[191] = '.';
  CHECK(wn_lookup_start(sys, (wn_str_t){label, 254}, &fd) == WN_EINVAL);
  CHECK(wn_lookup_start(sys, (wn_str_t){label, 253}, &fd) == WN_EACCES);
  CHECK(wn_lookup_start(sys, (wn_str_t){"localhost\0evil", 14}, &fd) == WN_EINVAL);
  CHECK(lookup(sys, "LocalHost.", &got, &n) == 0 && n >= 1);
  CHECK(tcp_ok(sys, "127.0.0.1", 80) || tcp_ok(sys, "::1", 80));
  CHECK(wn_lookup_next(sys, 99, &got, &(bool){0}) == WN_EBADF);

  for (uint32_t i = 0; i < WN_LOOKUPS_MAX; i++) CHECK(wn_lookup_start(sys, text("localhost"), &fds[i]) == 0);
  CHECK(wn_lookup_start(sys, text("localhost"), &fd) == WN_EBUSY);
  CHECK(wn_lookup_start(sys, text("1.2.3.4"), &fd) == 0 && wn_table_close(sys, fd) == 0); /* asks nobody */
  for (uint32_t i = 0; i < WN_LOOKUPS_MAX; i++) CHECK(wn_table_close(sys, fds[i]) == 0);
  const char *const calls[] = {"lookup_start", "lookup_get"};
  for (int i = 0; i < 2; i++) {
    wn_err_t err;
    do err = lookup(sys, "localhost", &got, &n); /* until the given-up ones are done */
    while (err == WN_EBUSY);
    CHECK(err == 0);
    wn_os_fake_inject(fake, calls[i], i ? 2 : 1, 1, WN_EIO, 0);
    while ((err = lookup(sys, "localhost", &got, &n)) == WN_EBUSY) continue;
    CHECK(err == WN_EIO || i);
    wn_os_fake_clear(fake);
  }
  wn_sys_cancel(sys);
  CHECK(wn_lookup_start(sys, text("localhost"), &fd) == WN_CANCELLED);
  wn_sys_delete(sys);
}

static uint32_t tcp(wn_sys_t *sys) {
  uint32_t fd;
  CHECK(wn_tcp_create(sys, WN_IPV4, &fd) == 0);
  return fd;
}

/* A socket that listens on loopback, and where. */
static uint32_t listener(wn_sys_t *sys, wn_addr_t *where) {
  uint32_t fd = tcp(sys);
  wn_addr_t local = at("127.0.0.1", 0);
  CHECK(wn_tcp_bind_start(sys, fd, &local) == 0 && wn_tcp_bind_start(sys, fd, &local) == WN_EALREADY);
  CHECK(wn_inet_local(sys, fd, WN_TYPE_SOCKET_STREAM, where) == WN_ENOTCONN);
  CHECK(wn_tcp_bind_finish(sys, fd) == 0 && wn_tcp_bind_finish(sys, fd) == WN_ESRCH);
  CHECK(wn_tcp_bind_start(sys, fd, &local) == WN_EISCONN && wn_tcp_listen_finish(sys, fd) == WN_ESRCH);
  CHECK(wn_tcp_listen_start(sys, fd) == 0 && wn_tcp_listen_start(sys, fd) == WN_EALREADY);
  CHECK(wn_tcp_listen_finish(sys, fd) == 0 && wn_tcp_listen_start(sys, fd) == WN_EISCONN);
  CHECK(wn_inet_local(sys, fd, WN_TYPE_SOCKET_STREAM, where) == 0 && where->port);
  return fd;
}

static void wait_for(wn_sys_t *sys, uint32_t fd, uint8_t kind) {
  wn_sub_t sub = {.kind = kind, .fd = fd};
  CHECK(wn_poll(sys, &sub, 1) == 0 && sub.fired && !sub.err);
}

static void streams(void) {
  wn_sys_t *sys = world();
  wn_addr_t where, peer, mapped = at("::ffff:127.0.0.1", 80), none = at("127.0.0.1", 0), group = at("224.0.0.1", 80);
  uint32_t out, fd = tcp(sys);
  where = at("127.0.0.1", 9);
  CHECK(wn_tcp_bind_start(sys, fd, &where) == WN_EACCES && wn_tcp_bind_start(sys, fd, &group) == WN_EINVAL);
  CHECK(wn_tcp_connect_start(sys, fd, &where) == WN_EACCES && wn_tcp_connect_start(sys, fd, &where) == WN_EISCONN);
  CHECK(wn_os_fake_count(fake, "connect") == 0 && wn_os_fake_count(fake, "bind") == 0); /* the kernel saw nothing */
  CHECK(wn_tcp_connect_start(sys, tcp(sys), &mapped) == WN_EINVAL);
  CHECK(wn_tcp_connect_start(sys, tcp(sys), &none) == WN_EINVAL);
  CHECK(wn_tcp_connect_start(sys, tcp(sys), &group) == WN_EINVAL);
  fd = tcp(sys);
  CHECK(allow(sys, WN_NET_TCP, WN_NET_CONNECT | WN_NET_LISTEN, "127.0.0.1", 32, 0, 65535, 0) == 0);
  uint32_t server = listener(sys, &where);
  CHECK(wn_tcp_accept(sys, server, &out) == WN_EAGAIN && wn_tcp_accept(sys, fd, &out) == WN_ENOTCONN);
  CHECK(wn_tcp_shutdown(sys, fd, WN_SHUT_READ) == WN_ENOTCONN && wn_tcp_connect_finish(sys, fd) == WN_ESRCH);
  CHECK(wn_tcp_listen_start(sys, fd) == WN_EISCONN);
  CHECK(wn_tcp_connect_start(sys, fd, &where) == 0 && wn_tcp_connect_start(sys, fd, &where) == WN_EALREADY);
  CHECK(wn_tcp_bind_start(sys, fd, &where) == WN_EALREADY && wn_tcp_listen_start(sys, fd) == WN_EALREADY);
  CHECK(wn_tcp_backlog(sys, fd, 5) == WN_EISCONN &&
        wn_inet_peer(sys, fd, WN_TYPE_SOCKET_STREAM, &peer) == WN_ENOTCONN);
  wait_for(sys, fd, 1);
  CHECK(wn_tcp_connect_finish(sys, fd) == 0 && wn_tcp_connect_finish(sys, fd) == WN_ESRCH);
  wait_for(sys, server, 1);
  CHECK(wn_tcp_accept(sys, server, &out) == 0 && wn_inet_peer(sys, out, WN_TYPE_SOCKET_STREAM, &peer) == 0);
  CHECK(wn_inet_local(sys, fd, WN_TYPE_SOCKET_STREAM, &none) == 0 && none.port == peer.port);
  char buf[16];
  uint64_t done;
  bool cut;
  wn_iov_t iov = {"hello", 5}, in = {buf, sizeof buf};
  CHECK(wn_sock_send(sys, fd, &iov, 1, &done) == 0 && done == 5);
  CHECK(wn_sock_recv(sys, out, &in, 1, 0, &done, &cut) == 0 && done == 5 && memcmp(buf, "hello", 5) == 0);
  CHECK(wn_sock_send(sys, fd, &iov, 1, &done) == 0);
  wait_for(sys, out, 1);
  CHECK(wn_tcp_shutdown(sys, out, WN_SHUT_READ) == 0 && wn_tcp_shutdown(sys, out, WN_SHUT_READ) == 0);
  CHECK(wn_sock_recv(sys, out, &in, 1, 0, &done, &cut) == 0 && done == 0); /* what was there is discarded */
  CHECK(wn_tcp_shutdown(sys, fd, WN_SHUT_WRITE) == 0 && wn_sock_send(sys, fd, &iov, 1, &done) == WN_EPIPE);
  CHECK(wn_tcp_backlog(sys, server, 0) == WN_EINVAL && wn_tcp_backlog(sys, server, UINT64_MAX) == 0);
  CHECK(wn_tcp_backlog(sys, fd, 1) == WN_EISCONN);

  /* A port where nobody listens; afterwards the socket is closed for good. */
  CHECK(wn_table_close(sys, server) == 0);
  fd = tcp(sys);
  CHECK(wn_tcp_connect_start(sys, fd, &where) == 0);
  wait_for(sys, fd, 2);
  CHECK(wn_tcp_connect_finish(sys, fd) == WN_ECONNREFUSED && wn_tcp_connect_finish(sys, fd) == WN_ESRCH);
  CHECK(wn_tcp_connect_start(sys, fd, &where) == WN_EISCONN &&
        wn_inet_local(sys, fd, WN_TYPE_SOCKET_STREAM, &peer) == WN_ENOTCONN);
  CHECK(wn_inet_option_set(sys, fd, WN_TYPE_SOCKET_STREAM, WN_SO_KEEPALIVE, 1) == WN_ENOTCONN);
  wn_sys_delete(sys);
}

static void unwelcome(void) {
  wn_sys_t *sys = world();
  wn_addr_t where;
  uint32_t out;
  wn_net_range_t peers = range("127.0.0.3", 32);
  wn_net_rule_t rule = {.protocols = WN_NET_TCP,
                        .rights = WN_NET_LISTEN,
                        .where = range("127.0.0.1", 32),
                        .peers = &peers,
                        .peer_count = 1};
  CHECK(wn_sys_net_allow(sys, &rule) == 0);
  CHECK(allow(sys, WN_NET_TCP, WN_NET_CONNECT, "127.0.0.1", 32, 1, 65535, 0) == 0);
  uint32_t server = listener(sys, &where), fd = tcp(sys);
  CHECK(wn_tcp_connect_start(sys, fd, &where) == 0);
  wait_for(sys, server, 1);
  uint64_t before = wn_os_fake_count(fake, "close");
  CHECK(wn_tcp_accept(sys, server, &out) == WN_EAGAIN && wn_os_fake_count(fake, "close") == before + 1);
  /* Each step of an accept fails once, and no descriptor is lost. */
  wn_os_fake_inject(fake, "accept_from", 1, 1, WN_ECONNABORTED, 0);
  CHECK(wn_tcp_accept(sys, server, &out) == WN_ECONNABORTED);
  wn_os_fake_inject(fake, "accept_from", 1, 1, WN_EINTR, 0);
  CHECK(wn_tcp_accept(sys, server, &out) == WN_EAGAIN);
  wn_sys_cancel(sys);
  CHECK(wn_tcp_accept(sys, server, &out) == WN_CANCELLED);
  wn_sys_delete(sys);
}

static void options(void) {
  for (uint8_t family = WN_IPV4; family <= WN_IPV6; family += 2) {
    wn_sys_t *sys = world();
    const uint8_t T = WN_TYPE_SOCKET_STREAM;
    uint32_t fd;
    uint64_t v = 0, s = 1000000000;
    uint8_t is;
    wn_err_t err = wn_tcp_create(sys, family, &fd);
    if (err == WN_EAFNOSUPPORT) continue; /* a kernel without IPv6 */
    CHECK(err == 0 && wn_inet_family(sys, fd, T, &is) == 0 && is == family);
    static const uint32_t all[] = {WN_SO_KEEPIDLE, WN_SO_KEEPINTVL, WN_SO_KEEPCNT,
                                   WN_SO_HOPS4,    WN_SO_RCVBUF,    WN_SO_SNDBUF};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
      CHECK(wn_inet_option_set(sys, fd, T, all[i], 0) == WN_EINVAL);
      CHECK(wn_inet_option_set(sys, fd, T, all[i], UINT64_MAX) == 0 &&
            wn_inet_option_set(sys, fd, T, all[i], 1) == 0);
      CHECK(wn_inet_option_get(sys, fd, T, all[i], &v) == 0 && v > 0);
    }
    CHECK(wn_inet_option_set(sys, fd, T, WN_SO_KEEPIDLE, 42 * s) == 0);
    CHECK(wn_inet_option_get(sys, fd, T, WN_SO_KEEPIDLE, &v) == 0 && v == 42 * s);
    CHECK(wn_inet_option_set(sys, fd, T, WN_SO_KEEPINTVL, 1) == 0);
    CHECK(wn_inet_option_get(sys, fd, T, WN_SO_KEEPINTVL, &v) == 0 &&
          v == s); /* up, for 0 would mean another thing */
    CHECK(wn_inet_option_set(sys, fd, T, WN_SO_HOPS4, 42) == 0);
    CHECK(wn_inet_option_get(sys, fd, T, WN_SO_HOPS4, &v) == 0 && v == 42);
    CHECK(wn_inet_option_set(sys, fd, T, WN_SO_RCVBUF, 65536) == 0);
    CHECK(wn_inet_option_get(sys, fd, T, WN_SO_RCVBUF, &v) == 0 && v == 65536);
    CHECK(wn_inet_option_set(sys, fd, T, WN_SO_KEEPALIVE, 9) == 0);
    CHECK(wn_inet_option_get(sys, fd, T, WN_SO_KEEPALIVE, &v) == 0 && v == 1);
    CHECK(wn_inet_option_get(sys, fd, WN_TYPE_SOCKET_DGRAM, WN_SO_KEEPALIVE, &v) == WN_ENOTSOCK);
    CHECK(wn_inet_option_get(sys, 0, T, WN_SO_KEEPALIVE, &v) == WN_EBADF);
    wn_os_fake_inject(fake, "option_get", 1, 1, WN_ENOMEM, 0);
    CHECK(wn_inet_option_get(sys, fd, T, WN_SO_KEEPALIVE, &v) == WN_ENOMEM);
    wn_sys_delete(sys);
  }
  wn_sys_t *sys = world();
  uint32_t fd;
  wn_os_fake_inject(fake, "socket", 1, 1, WN_ENFILE, 0);
  CHECK(wn_tcp_create(sys, WN_IPV4, &fd) == WN_ENFILE && sys->table.open == 0 && sys->table.sockets == 0);
  wn_sys_delete(sys);
}

static void datagrams(void) {
  wn_sys_t *sys = world();
  const uint8_t T = WN_TYPE_SOCKET_DGRAM;
  wn_addr_t home = at("127.0.0.1", 0), a, b, from, mapped = at("::ffff:127.0.0.1", 1), two = at("127.0.0.2", 9);
  uint32_t one, other, r1 = 0, r2 = 0, r3 = 0;
  uint64_t n;
  CHECK(wn_udp_create(sys, WN_IPV4, &one) == 0 && wn_udp_create(sys, WN_IPV4, &other) == 0);
  CHECK(wn_udp_bind_start(sys, one, &home) == WN_EACCES && wn_udp_stream(sys, one, NULL, &r1) == WN_ENOTCONN);
  CHECK(wn_udp_receive(sys, one, 0, 0, &from, &n) == WN_EAGAIN);
  CHECK(allow(sys, WN_NET_UDP, WN_NET_LISTEN | WN_NET_SEND, "127.0.0.1", 32, 0, 65535, 0) == 0);
  CHECK(wn_udp_bind_start(sys, one, &mapped) == WN_EINVAL && wn_udp_bind_finish(sys, one) == WN_ESRCH);
  CHECK(wn_udp_bind_start(sys, one, &home) == 0 && wn_udp_bind_start(sys, one, &home) == WN_EALREADY);
  CHECK(wn_udp_bind_finish(sys, one) == 0 && wn_udp_bind_start(sys, one, &home) == WN_EISCONN);
  CHECK(wn_udp_bind_start(sys, other, &home) == 0 && wn_udp_bind_finish(sys, other) == 0);
  CHECK(wn_inet_local(sys, one, T, &a) == 0 && wn_inet_local(sys, other, T, &b) == 0);
  CHECK(wn_udp_stream(sys, one, NULL, &r1) == 0 && wn_udp_stream(sys, other, NULL, &r2) == 0);
  CHECK(wn_udp_send(sys, one, r1, "x", 1, NULL) == WN_EINVAL && wn_udp_send(sys, one, r1, "x", 1, &two) == WN_EACCES);
  CHECK(wn_os_fake_count(fake, "send_to") == 0);
  CHECK(wn_udp_send(sys, one, r1, "hello", 5, &b) == 0 && wn_udp_send(sys, one, r1, "", 0, &b) == 0);
  wait_for(sys, other, 1);
  CHECK(wn_udp_receive(sys, other, r2, 0, &from, &n) == 0 && n == 5 && from.port == a.port);
  CHECK(memcmp(sys->net.datagram, "hello", 5) == 0);
  CHECK(wn_udp_receive(sys, other, r2, 5, &from, &n) == 0 && n == 0);
  CHECK(wn_udp_receive(sys, other, r2, 5, &from, &n) == WN_EAGAIN);
  /* What may not fit behind the others waits. */
  CHECK(wn_udp_send(sys, one, r1, "hello", 5, &b) == 0);
  CHECK(wn_udp_receive(sys, other, r2, WN_DATAGRAM_MAX - 5, &from, &n) == WN_EAGAIN);
  CHECK(wn_udp_receive(sys, other, r2, WN_DATAGRAM_MAX - 6, &from, &n) == 0 && n == 5);
  static char large[65508];
  CHECK(wn_udp_send(sys, one, r1, large, sizeof large, &b) == WN_EMSGSIZE);

  /* Associated: with one peer, whose datagrams alone come in; a port that the kernel chose stays. */
  CHECK(wn_udp_send(sys, one, r1, "old", 3, &b) == 0);
  a.port ^= 1;
  CHECK(wn_udp_stream(sys, other, &a, &r3) == 0 && wn_udp_send(sys, other, r2, "x", 1, &a) == WN_ENOTCONN);
  CHECK(wn_udp_receive(sys, other, r3, 0, &from, &n) == WN_EAGAIN); /* "old" came from another port */
  CHECK(wn_udp_send(sys, other, r3, "x", 1, &b) == WN_EINVAL && wn_inet_peer(sys, other, T, &from) == 0);
  CHECK(from.port == a.port && wn_udp_stream(sys, other, &two, &r3) == 0); /* from it, */
  CHECK(wn_udp_send(sys, other, r3, "x", 1, NULL) == WN_EACCES);           /* not to it */
  CHECK(wn_udp_stream(sys, other, &mapped, &r3) == WN_EINVAL);
  a.port ^= 1;
  CHECK(wn_udp_stream(sys, other, &a, &r3) == 0 && wn_inet_local(sys, other, T, &from) == 0 && from.port == b.port);
  CHECK(wn_udp_send(sys, other, r3, "back", 4, NULL) == 0 && wn_udp_send(sys, other, r3, "more", 4, &a) == 0);
  wait_for(sys, one, 1);
  CHECK(wn_udp_receive(sys, one, r1, 0, &from, &n) == 0 && n == 4 && from.port == b.port);
  CHECK(wn_udp_stream(sys, other, NULL, &r3) == 0 && wn_inet_peer(sys, other, T, &from) == WN_ENOTCONN);
  CHECK(wn_inet_local(sys, other, T, &from) == 0 && from.port == b.port);
  wn_os_fake_inject(fake, "recv_from", 1, 1, WN_EINTR, 0);
  CHECK(wn_udp_receive(sys, other, r3, 0, &from, &n) == WN_EAGAIN);
  wn_os_fake_inject(fake, "send_to", 1, 1, WN_EINTR, 0);
  CHECK(wn_udp_send(sys, other, r3, "x", 1, &a) == WN_EAGAIN);
  wn_sys_cancel(sys);
  CHECK(wn_udp_receive(sys, other, r3, 0, &from, &n) == WN_CANCELLED);
  wn_sys_delete(sys);
}

int main(void) {
  CHECK(wn_os_fake_new(&fake) == 0);
  verdicts();
  rules();
  names();
  literals();
  lookups();
  streams();
  unwelcome();
  options();
  datagrams();
  wn_os_fake_delete(fake);
  puts("fine");
  return 0;
}
