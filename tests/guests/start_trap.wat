;; start_trap - traps in its start section.
(module
  (memory (export "memory") 1)
  (func $main (unreachable))
  (func (export "_start"))
  (start $main))
