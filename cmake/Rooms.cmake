# add_room(name SOURCES … USES rooms… LIBS foreign… TESTS …): a room is a static library and its tests.
# What a room may include from other rooms is what it lists in USES (tools/check_rooms.py reads the includes).
add_library(pilake_flags INTERFACE)
target_compile_options(pilake_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  # Designated initialisers leave members to their defaults on purpose.
  -Wno-missing-field-initializers
  # GCC 12 sees overlaps in std::string that are not there (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # libstdc++ 12 uses std::get_temporary_buffer, which it deprecates itself, in ranges::stable_sort.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
  $<$<BOOL:${PILAKE_WERROR}>:-Werror>)
target_include_directories(pilake_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
target_compile_definitions(pilake_flags INTERFACE PILAKE_VERSION="${PROJECT_VERSION}")
if(PILAKE_SANITIZE)
  target_compile_options(pilake_flags INTERFACE -fsanitize=${PILAKE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(pilake_flags INTERFACE -fsanitize=${PILAKE_SANITIZE})
endif()

# All tests of all rooms, and nothing that they do not need.
add_custom_target(unit_tests)

function(add_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES;LIBS;TESTS;TEST_USES" ${ARGN})
  list(TRANSFORM ROOM_USES PREPEND pilake_)
  list(TRANSFORM ROOM_TEST_USES PREPEND pilake_)
  if(ROOM_SOURCES)
    add_library(pilake_${name} STATIC ${ROOM_SOURCES})
    target_link_libraries(pilake_${name} PUBLIC pilake_flags ${ROOM_USES} ${ROOM_LIBS})
  else()
    add_library(pilake_${name} INTERFACE)
    target_link_libraries(pilake_${name} INTERFACE pilake_flags ${ROOM_USES} ${ROOM_LIBS})
  endif()
  if(ROOM_TESTS AND PILAKE_TESTS)
    add_executable(${name}_test ${ROOM_TESTS})
    target_link_libraries(${name}_test PRIVATE pilake_${name} ${ROOM_TEST_USES} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE PILAKE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_dependencies(unit_tests ${name}_test)
    gtest_discover_tests(${name}_test DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 900)
  endif()
endfunction()
