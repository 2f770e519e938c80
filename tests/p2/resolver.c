/* resolver.c - a resolver for tests: preloaded, so that getaddrinfo answers by the name that it is asked for.
 *
 * "slow.test" comes after a second, "dead.test" never within a test, "none.test", "again.test" and "fail.test" have
 * no address; "N.N.N.N.ip.test" is that address, "many.test" has 40 of them, the first of each kind mapped. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct addrinfo *one(const char *ip, struct addrinfo *next) {
  struct addrinfo *made = calloc(1, sizeof *made + sizeof(struct sockaddr_in6));
  int six = strchr(ip, ':') != NULL;
  made->ai_family = six ? AF_INET6 : AF_INET;
  made->ai_addr = (struct sockaddr *)(made + 1);
  made->ai_addrlen = six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  made->ai_addr->sa_family = (sa_family_t)made->ai_family;
  inet_pton(made->ai_family, ip,
            six ? (void *)&((struct sockaddr_in6 *)made->ai_addr)->sin6_addr
                : (void *)&((struct sockaddr_in *)made->ai_addr)->sin_addr);
  made->ai_next = next;
  return made;
}

void freeaddrinfo(struct addrinfo *list) {
  while (list) {
    struct addrinfo *next = list->ai_next;
    free(list);
    list = next;
  }
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out) {
  char ip[64] = {0};
  (void)service, (void)hints;
  size_t len = strlen(name);
  if (!strcmp(name, "slow.test")) sleep(1);
  if (!strcmp(name, "dead.test")) sleep(3);
  if (!strcmp(name, "none.test")) return EAI_NONAME;
  if (!strcmp(name, "again.test")) return EAI_AGAIN;
  if (!strcmp(name, "fail.test")) return EAI_FAIL;
  *out = NULL;
  if (!strcmp(name, "many.test"))
    for (int i = 39; i >= 0; i--) {
      snprintf(ip, sizeof ip, i ? "8.8.8.%d" : "::ffff:8.8.8.%d", i);
      *out = one(ip, *out);
    }
  else if (len > 8 && !strcmp(name + len - 8, ".ip.test"))
    *out = one((memcpy(ip, name, len - 8 < 63 ? len - 8 : 63), ip), NULL);
  else *out = one("8.8.8.8", one("2606:4700::1", NULL));
  return 0;
}
