;; unstable - the same as raw, from the older table wasi_unstable, then fd_seek with its own order of whence
;; (0 = cur, 1 = end, 2 = set): exit code 7 when seeking stdout gives no success.
(module
  (import "wasi_unstable" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_unstable" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\04\00\00\00old\n")
  (func (export "_start")
    (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))
      (then (call $proc_exit (i32.const 1))))
    (if (i32.eqz (call $fd_seek (i32.const 99) (i64.const 0) (i32.const 2) (i32.const 16)))
      (then (call $proc_exit (i32.const 2))))
    (call $proc_exit (i32.const 7))))
