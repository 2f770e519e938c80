################################################################################
#
# python-wasi-native
#
################################################################################

PYTHON_WASI_NATIVE_VERSION = 0.1.0
PYTHON_WASI_NATIVE_SITE = $(BR2_EXTERNAL_WASI_NATIVE_PATH)/../..
PYTHON_WASI_NATIVE_SITE_METHOD = local
PYTHON_WASI_NATIVE_LICENSE = Apache-2.0
PYTHON_WASI_NATIVE_LICENSE_FILES = LICENSE
PYTHON_WASI_NATIVE_SETUP_TYPE = setuptools
PYTHON_WASI_NATIVE_DEPENDENCIES = host-python-cython
# Not every toolchain has link-time optimisation.
PYTHON_WASI_NATIVE_ENV = WN_LTO=

$(eval $(python-package))
