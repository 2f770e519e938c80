;; loop - computes for ever, without a call to the host. "forever" loops in an export, "deep" recurses until
;; the stack is gone.
(module
  (memory (export "memory") 1)
  (func $forever (export "forever") (loop $again (br $again)))
  (func $deep (export "deep") (param i32) (result i32)
    (i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (local.get 0)))
  (func (export "_start") (call $forever)))
