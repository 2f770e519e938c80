;; data_outside - a data segment past the end of the memory: instantiation must fail.
(module
  (memory (export "memory") 1 1)
  (data (i32.const 65530) "over the end")
  (func (export "_start")))
