/* net.c - sockets that the guest makes, and the kernel's addresses. */
#include "core/os/posix/posix.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

typedef union wn_posix_address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} address_t;

static socklen_t to_kernel(const wn_addr_t *addr, address_t *out) {
  memset(out, 0, sizeof *out);
  if (addr->family == WN_IPV6) {
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(addr->port);
    out->v6.sin6_flowinfo = addr->flow;
    out->v6.sin6_scope_id = addr->scope;
    memcpy(&out->v6.sin6_addr, addr->ip, 16);
    return sizeof out->v6;
  }
  out->v4.sin_family = AF_INET;
  out->v4.sin_port = htons(addr->port);
  memcpy(&out->v4.sin_addr, addr->ip, 4);
  return sizeof out->v4;
}

/* False: of neither family. */
static bool to_ours(const address_t *in, wn_addr_t *out) {
  *out = (wn_addr_t){0};
  if (in->any.sa_family == AF_INET6) {
    out->family = WN_IPV6;
    out->port = ntohs(in->v6.sin6_port);
    out->flow = in->v6.sin6_flowinfo;
    out->scope = in->v6.sin6_scope_id;
    memcpy(out->ip, &in->v6.sin6_addr, 16);
    return true;
  }
  out->family = WN_IPV4;
  out->port = ntohs(in->v4.sin_port);
  memcpy(out->ip, &in->v4.sin_addr, 4);
  return in->any.sa_family == AF_INET;
}

wn_err_t wn_posix_socket(const wn_os_t *os, uint8_t family, bool datagram, int *fd) {
  int domain = family == WN_IPV6 ? AF_INET6 : AF_INET, made;
  int kind = (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
  wn_err_t err = wn_posix_opened(socket(domain, kind, datagram ? IPPROTO_UDP : IPPROTO_TCP), &made);
  if (err) return err;
  const int on = 1;
  if (domain == AF_INET6 && setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) {
    err = wn_posix_err(errno);
    os->close(os, made);
    return err;
  }
  *fd = made;
  return 0;
}

wn_err_t wn_posix_bind(const wn_os_t *os, int fd, const wn_addr_t *local) {
  (void)os;
  address_t a;
  socklen_t len = to_kernel(local, &a);
  return wn_posix_result(bind(fd, &a.any, len));
}

wn_err_t wn_posix_connect(const wn_os_t *os, int fd, const wn_addr_t *peer) {
  (void)os;
  address_t a = {.any = {.sa_family = AF_UNSPEC}};
  socklen_t len = peer ? to_kernel(peer, &a) : sizeof a.any;
  return wn_posix_result(connect(fd, &a.any, len));
}

wn_err_t wn_posix_listen(const wn_os_t *os, int fd, uint32_t backlog) {
  (void)os;
  return wn_posix_result(listen(fd, (int)backlog));
}

wn_err_t wn_posix_accept_from(const wn_os_t *os, int fd, int *out, wn_addr_t *peer) {
  address_t a = {0};
  socklen_t len = sizeof a;
  int made;
  wn_err_t err = wn_posix_opened(accept4(fd, &a.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK), &made);
  if (err) return err;
  if (!to_ours(&a, peer)) {
    os->close(os, made);
    return WN_EAFNOSUPPORT;
  }
  *out = made;
  return 0;
}

wn_err_t wn_posix_address(const wn_os_t *os, int fd, bool peer, wn_addr_t *out) {
  (void)os;
  address_t a = {0};
  socklen_t len = sizeof a;
  if ((peer ? getpeername(fd, &a.any, &len) : getsockname(fd, &a.any, &len)) < 0) return wn_posix_err(errno);
  return to_ours(&a, out) ? 0 : WN_EAFNOSUPPORT;
}

static const struct {
  int level, name;
} options[WN_SO_COUNT] = {
    [WN_SO_ERROR] = {SOL_SOCKET, SO_ERROR},
    [WN_SO_KEEPALIVE] = {SOL_SOCKET, SO_KEEPALIVE},
    [WN_SO_KEEPIDLE] = {IPPROTO_TCP, TCP_KEEPIDLE},
    [WN_SO_KEEPINTVL] = {IPPROTO_TCP, TCP_KEEPINTVL},
    [WN_SO_KEEPCNT] = {IPPROTO_TCP, TCP_KEEPCNT},
    [WN_SO_HOPS4] = {IPPROTO_IP, IP_TTL},
    [WN_SO_HOPS6] = {IPPROTO_IPV6, IPV6_UNICAST_HOPS},
    [WN_SO_RCVBUF] = {SOL_SOCKET, SO_RCVBUF},
    [WN_SO_SNDBUF] = {SOL_SOCKET, SO_SNDBUF},
    [WN_SO_REUSEADDR] = {SOL_SOCKET, SO_REUSEADDR},
};

wn_err_t wn_posix_option_get(const wn_os_t *os, int fd, uint32_t option, uint32_t *value) {
  (void)os;
  int got = 0;
  socklen_t len = sizeof got;
  if (option >= WN_SO_COUNT) return WN_EINVAL;
  if (getsockopt(fd, options[option].level, options[option].name, &got, &len) < 0) return wn_posix_err(errno);
  if (option == WN_SO_ERROR) *value = got ? (uint32_t)wn_posix_err(got) : 0;
  else *value = (uint32_t)got / (option == WN_SO_RCVBUF || option == WN_SO_SNDBUF ? 2 : 1);
  return 0;
}

wn_err_t wn_posix_option_set(const wn_os_t *os, int fd, uint32_t option, uint32_t value) {
  (void)os;
  if (option >= WN_SO_COUNT || option == WN_SO_ERROR || value > INT32_MAX) return WN_EINVAL;
  const int set = (int)value;
  return wn_posix_result(setsockopt(fd, options[option].level, options[option].name, &set, sizeof set));
}

wn_err_t wn_posix_recv_from(const wn_os_t *os, int fd, void *buf, size_t len, wn_addr_t *from, uint64_t *done) {
  (void)os;
  address_t a = {0};
  socklen_t size = sizeof a;
  ssize_t r = recvfrom(fd, buf, len, MSG_DONTWAIT, &a.any, &size);
  if (r < 0) return wn_posix_err(errno);
  if (!to_ours(&a, from)) return WN_EAFNOSUPPORT;
  *done = (uint64_t)r;
  return 0;
}

wn_err_t wn_posix_send_to(const wn_os_t *os, int fd, const void *buf, size_t len, const wn_addr_t *to,
                          uint64_t *done) {
  (void)os;
  address_t a;
  socklen_t size = to ? to_kernel(to, &a) : 0;
  return wn_posix_done(sendto(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL, to ? &a.any : NULL, size), done);
}
