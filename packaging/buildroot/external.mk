include $(sort $(wildcard $(BR2_EXTERNAL_WASI_NATIVE_PATH)/package/*/*.mk))
