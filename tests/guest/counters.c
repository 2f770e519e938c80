/* counters.c - stands before libc and Python (LD_PRELOAD) and counts what the path of a call must not do. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum { ALLOC, LOCK, GIL, KINDS };
static uint64_t counts[KINDS];

/* Counts of the process so far, by kind. */
__attribute__((visibility("default"))) uint64_t wn_counter(uint32_t kind) { return counts[kind]; }

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

#define COUNTED(kind, result, name, params, args)             \
  __attribute__((visibility("default"))) result name params { \
    static result(*real) params;                              \
    if (!real) real = (result(*) params)next(#name);          \
    __atomic_fetch_add(&counts[kind], 1, __ATOMIC_RELAXED);   \
    return real args;                                         \
  }

COUNTED(ALLOC, void *, malloc, (size_t size), (size))
COUNTED(ALLOC, void *, calloc, (size_t count, size_t size), (count, size))
COUNTED(ALLOC, void *, realloc, (void *old, size_t size), (old, size))
COUNTED(ALLOC, int, posix_memalign, (void **out, size_t align, size_t size), (out, align, size))
COUNTED(LOCK, int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))
COUNTED(LOCK, int, pthread_mutex_trylock, (pthread_mutex_t * mutex), (mutex))
COUNTED(LOCK, int, pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))
COUNTED(LOCK, int, pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock))
COUNTED(GIL, int, PyGILState_Ensure, (void), ())
COUNTED(GIL, void *, PyEval_SaveThread, (void), ())
