;; Copies the file "notes.txt" of the first granted directory (descriptor 3) to stdout; exit code: the errno.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "notes.txt")
  (data (i32.const 16) "\00\10\00\00\00\10\00\00")        ;; one piece: 4096 bytes at 4096

  (func $check (param $errno i32)
    (if (local.get $errno) (then (call $proc_exit (local.get $errno)))))

  (func (export "_start")
    (call $check (call $path_open (i32.const 3) (i32.const 1) (i32.const 0) (i32.const 9) (i32.const 0)
                                  (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 32)))
    (loop $more
      (i32.store (i32.const 20) (i32.const 4096))
      (call $check (call $fd_read (i32.load (i32.const 32)) (i32.const 16) (i32.const 1) (i32.const 36)))
      (if (i32.load (i32.const 36))
        (then
          (i32.store (i32.const 20) (i32.load (i32.const 36)))
          (call $check (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 40)))
          (br $more))))))
