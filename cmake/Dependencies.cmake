# Every foreign library has one name here, so that a build may take it from elsewhere.
list(APPEND CMAKE_PREFIX_PATH /usr/lib/x86_64-linux-gnu/cmake)

find_package(Threads REQUIRED)
find_package(CURL 7.88 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(simdjson REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tl-expected REQUIRED)
find_package(Boost 1.81 REQUIRED)
if(PILAKE_TESTS)
  find_package(GTest REQUIRED)
  find_package(benchmark REQUIRED)
endif()

# libyaml brings no CMake package.
find_library(LIBYAML_LIBRARY yaml REQUIRED)
find_path(LIBYAML_INCLUDE_DIR yaml.h REQUIRED)
add_library(libyaml INTERFACE)
target_link_libraries(libyaml INTERFACE ${LIBYAML_LIBRARY})
target_include_directories(libyaml SYSTEM INTERFACE ${LIBYAML_INCLUDE_DIR})
