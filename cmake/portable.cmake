# Toolchain of portable binaries: tools/portable_libraries.sh made the folder PILAKE_PORTABLE, with the
# compiler and the static libraries for PILAKE_PORTABLE_ARCH. Nothing else of this machine is looked at.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${PILAKE_PORTABLE_ARCH})
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PILAKE_PORTABLE PILAKE_PORTABLE_ARCH)

set(CMAKE_C_COMPILER ${PILAKE_PORTABLE}/bin/zig-cc)
set(CMAKE_CXX_COMPILER ${PILAKE_PORTABLE}/bin/zig-c++)
set(CMAKE_AR ${PILAKE_PORTABLE}/bin/zig-ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${PILAKE_PORTABLE}/bin/zig-ranlib CACHE FILEPATH "")

set(CMAKE_FIND_ROOT_PATH ${PILAKE_PORTABLE})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# No path of the machine that built it is in what it builds.
set(CMAKE_C_FLAGS_INIT "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -ffile-prefix-map=${PILAKE_PORTABLE}=.")
set(CMAKE_CXX_FLAGS_INIT ${CMAKE_C_FLAGS_INIT})
