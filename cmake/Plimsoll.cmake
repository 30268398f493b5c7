# SPDX-License-Identifier: LGPL-2.1-or-later
# Flags, third-party libraries, and the two functions by which every folder declares itself.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# SAN: "", "address" (with undefined) or "thread".
set(SAN "" CACHE STRING "Sanitizer: empty, address or thread")
option(PLIMSOLL_FUZZ "Build libFuzzer targets" OFF)

add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wimplicit-fallthrough -Werror=return-type
  -Werror=unused-result -fno-omit-frame-pointer)
add_link_options(-fuse-ld=lld-19)
if(SAN STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
elseif(SAN STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
elseif(SAN)
  message(FATAL_ERROR "SAN=${SAN}: want address or thread")
endif()

if(PLIMSOLL_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")

# doc/decisions/020-profile.md. What has changed since it was made is compiled without it.
set(PLIMSOLL_PROFILE "${CMAKE_SOURCE_DIR}/cmake/release.profdata" CACHE FILEPATH
  "Counts that release builds are laid out by (qa/bench/profile.sh makes them); empty: none")
if(PLIMSOLL_PROFILE)
  # By its hash it is part of the command lines, so that another profile is another build.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PLIMSOLL_PROFILE})
  file(SHA1 ${PLIMSOLL_PROFILE} profile_hash)
  string(APPEND CMAKE_CXX_FLAGS_RELEASE " -DPLIMSOLL_PROFILE_HASH=${profile_hash}")
  string(APPEND CMAKE_CXX_FLAGS_RELEASE " -fprofile-use=${PLIMSOLL_PROFILE} -Wno-profile-instr-out-of-date"
    " -Wno-profile-instr-unprofiled -Wno-backend-plugin")
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # CCACHE_DEPEND: a file that is not in the cache is read once, not twice.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
    CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(Threads REQUIRED)
find_package(GTest REQUIRED)
find_library(ISAL_LIBRARY isal REQUIRED)
find_library(ROCKSDB_LIBRARY rocksdb REQUIRED)
if(NOT SAN)  # sanitizers bring an allocator of their own
  find_library(TCMALLOC_LIBRARY tcmalloc_minimal REQUIRED)
endif()

# In release builds daemons hold what they call most themselves (doc/decisions/020-profile.md). Tests share the packaged
# libraries, which link faster.
add_library(plimsoll_rocksdb INTERFACE)
set(DAEMON_TCMALLOC ${TCMALLOC_LIBRARY})
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT SAN)
  foreach(name rocksdb snappy z bz2 lz4 zstd)  # RocksDB, and what it needs
    find_library(${name}_ARCHIVE lib${name}.a REQUIRED)
    list(APPEND rocksdb_archives ${${name}_ARCHIVE})
  endforeach()
  find_library(tcmalloc_ARCHIVE libtcmalloc_minimal.a REQUIRED)
  set(DAEMON_TCMALLOC ${tcmalloc_ARCHIVE})
  target_link_libraries(plimsoll_rocksdb INTERFACE
    "$<IF:$<BOOL:$<TARGET_PROPERTY:PLIMSOLL_DAEMON>>,${rocksdb_archives},${ROCKSDB_LIBRARY}>")
else()
  target_link_libraries(plimsoll_rocksdb INTERFACE ${ROCKSDB_LIBRARY})
endif()

add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_ARRAY)
include_directories(${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})

# Asio's own code. Whoever sees its headers, as all do by precompiled.h, refers to it.
add_library(plimsoll_asio STATIC ${CMAKE_SOURCE_DIR}/src/common/rt/asio_src.cc)
target_link_libraries(plimsoll_asio PUBLIC Threads::Threads)

# precompiled.h is compiled twice, without and with GTest. All that use it need the same definitions;
# its time stamp would make it another one for ccache each time.
foreach(library fmt::fmt spdlog::spdlog Boost::json Boost::container)
  get_target_property(definitions ${library} INTERFACE_COMPILE_DEFINITIONS)
  if(definitions)
    add_compile_definitions(${definitions})
  endif()
endforeach()
add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
# Where libstdc++ silences this for code of its own, clang forgets it in a precompiled header.
add_compile_options(-Wno-deprecated-declarations)
foreach(target plimsoll_precompiled plimsoll_test_precompiled)
  add_library(${target} OBJECT ${CMAKE_SOURCE_DIR}/cmake/precompiled.cc)
  target_precompile_headers(${target} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled.h)
endforeach()
target_link_libraries(plimsoll_test_precompiled PRIVATE GTest::gtest_main)
target_precompile_headers(plimsoll_test_precompiled PRIVATE <gtest/gtest.h>)

# plimsoll_compile_quickly(target): for tests, whose code takes half of the build's time and runs once.
function(plimsoll_compile_quickly target)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${target} PRIVATE -O0 -g0 -fno-profile-instr-use)
  endif()
endfunction()
plimsoll_compile_quickly(plimsoll_test_precompiled)

# plimsoll_library(name SOURCES a.cc ... LINK lib ...): the folder's static library.
function(plimsoll_library name)
  cmake_parse_arguments(A "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_precompile_headers(${name} REUSE_FROM plimsoll_precompiled)
  target_link_libraries(${name} PUBLIC ${A_LINK} plimsoll_asio)
endfunction()

# plimsoll_test(name SOURCES a_test.cc ... LINK lib ... [LABEL unit] [TIMEOUT 60]): one test binary per folder.
function(plimsoll_test name)
  cmake_parse_arguments(A "" "LABEL;TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT A_LABEL)
    set(A_LABEL unit)
  endif()
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 120)
  endif()
  add_executable(${name} ${A_SOURCES})
  target_precompile_headers(${name} REUSE_FROM plimsoll_test_precompiled)
  target_link_libraries(${name} PRIVATE ${A_LINK} GTest::gtest_main)
  plimsoll_compile_quickly(${name})
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS ${A_LABEL} TIMEOUT ${A_TIMEOUT})
endfunction()

# plimsoll_daemon(name SOURCES main.cc LINK lib ...): a program in build/bin.
function(plimsoll_daemon name)
  cmake_parse_arguments(A "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_precompile_headers(${name} REUSE_FROM plimsoll_precompiled)
  set_target_properties(${name} PROPERTIES PLIMSOLL_DAEMON ON)
  target_link_libraries(${name} PRIVATE ${A_LINK} ${DAEMON_TCMALLOC})
endfunction()

# plimsoll_documents_commands(title lib header function): doc/generated/commands.md lists the commands that
# `std::vector<plimsoll::command::Spec> function()` of the library returns.
function(plimsoll_documents_commands title lib header function)
  set_property(GLOBAL APPEND PROPERTY PLIMSOLL_COMMAND_TABLES "${title}|${lib}|${header}|${function}")
endfunction()
