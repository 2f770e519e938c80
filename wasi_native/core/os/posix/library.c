/* library.c - shared libraries of engines. */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "core/os/os.h"

void *wn_os_library_open(const char *path, const char **why) {
  /* Lazy: an engine exports hundreds of functions and we call forty. Local: two engines may share names. */
  void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
  if (!library) *why = dlerror();
  return library;
}

void *wn_os_library_symbol(void *library, const char *name) { return dlsym(library, name); }

void wn_os_library_close(void *library) {
  if (library) dlclose(library);
}
