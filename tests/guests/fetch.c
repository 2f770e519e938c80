/* fetch - a program of preview 1 that makes sockets of WASI 0.2: `fetch NAME PORT` looks the name up, connects, sends
 * a line and prints the answer. It waits by pollables alone. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(module, name) __attribute__((import_module("wasi:" module "@0.2.3"), import_name(name)))

IMPORT("sockets/instance-network", "instance-network") int32_t instance_network(void);
IMPORT("sockets/ip-name-lookup", "resolve-addresses")
void resolve_addresses(int32_t network, const char *name, size_t len, void *ret);
IMPORT("sockets/ip-name-lookup", "[method]resolve-address-stream.resolve-next-address")
void resolve_next_address(int32_t self, void *ret);
IMPORT("sockets/ip-name-lookup", "[method]resolve-address-stream.subscribe") int32_t resolve_subscribe(int32_t self);
IMPORT("sockets/tcp-create-socket", "create-tcp-socket") void create_tcp_socket(int32_t family, void *ret);
IMPORT("sockets/tcp", "[method]tcp-socket.start-connect")
void start_connect(int32_t self, int32_t network, int32_t family, int32_t port, int32_t a, int32_t b, int32_t c,
                   int32_t d, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, void *ret);
IMPORT("sockets/tcp", "[method]tcp-socket.finish-connect") void finish_connect(int32_t self, void *ret);
IMPORT("sockets/tcp", "[method]tcp-socket.subscribe") int32_t tcp_subscribe(int32_t self);
IMPORT("sockets/tcp", "[resource-drop]tcp-socket") void tcp_drop(int32_t self);
IMPORT("io/poll", "[method]pollable.block") void block(int32_t self);
IMPORT("io/poll", "[resource-drop]pollable") void pollable_drop(int32_t self);
IMPORT("io/streams", "[method]output-stream.blocking-write-and-flush")
void blocking_write(int32_t self, const void *ptr, size_t len, void *ret);
IMPORT("io/streams", "[method]input-stream.blocking-read") void blocking_read(int32_t self, int64_t len, void *ret);

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align,
                                                                size_t size) {
  (void)old_size, (void)align;
  void *made = realloc(old, size);
  if (!made) abort();
  return made;
}

static void wait_for(int32_t pollable) {
  block(pollable);
  pollable_drop(pollable);
}

static int failed(const char *what, const uint8_t *ret, int at) {
  if (!ret[0]) return 0;
  printf("%s: error %d\n", what, ret[at]);
  return 1;
}

int main(int argc, char **argv) {
  _Alignas(8) uint8_t ret[32];
  int32_t word[3];
  if (argc < 3) return 2;
  int32_t network = instance_network();
  resolve_addresses(network, argv[1], strlen(argv[1]), ret);
  if (failed("lookup", ret, 4)) return 1;
  memcpy(word, ret, 8);
  int32_t names = word[1];
  wait_for(resolve_subscribe(names));
  for (;;) {
    resolve_next_address(names, ret);
    if (failed("name", ret, 2)) return 1;
    if (!ret[2]) return 3; /* no IPv4 address */
    if (ret[4] == 0) break;
  }
  const uint8_t ip[4] = {ret[6], ret[7], ret[8], ret[9]};
  create_tcp_socket(0, ret);
  if (failed("socket", ret, 4)) return 1;
  memcpy(word, ret, 8);
  int32_t sock = word[1];
  start_connect(sock, network, 0, atoi(argv[2]), ip[0], ip[1], ip[2], ip[3], 0, 0, 0, 0, 0, 0, ret);
  if (failed("connect", ret, 1)) return 1;
  wait_for(tcp_subscribe(sock));
  finish_connect(sock, ret);
  if (failed("connected", ret, 4)) return 1;
  memcpy(word, ret, 12);
  int32_t in = word[1], out = word[2];
  blocking_write(out, "hello\n", 6, ret);
  for (;;) {
    blocking_read(in, 4096, ret);
    if (ret[0]) break; /* closed */
    uint32_t list[2];
    memcpy(list, ret + 4, 8);
    printf("%.*s", (int)list[1], (const char *)(uintptr_t)list[0]);
    free((void *)(uintptr_t)list[0]);
  }
  tcp_drop(sock);
  return 0;
}
