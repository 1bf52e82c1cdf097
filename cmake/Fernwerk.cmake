# Compiler settings, dependencies and the few helpers that every folder uses.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

option(FERNWERK_WERROR "Treat warnings as errors" OFF)
option(FERNWERK_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
set(FERNWERK_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. address,undefined or thread")

add_compile_options(-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
                    -Wno-unused-parameter -Wno-missing-field-initializers -fno-strict-aliasing
                    -fstack-protector-strong)
add_compile_definitions(_GNU_SOURCE GLIB_VERSION_MIN_REQUIRED=GLIB_VERSION_2_74)
if(FERNWERK_WERROR)
  add_compile_options(-Werror)
endif()
if(FERNWERK_SANITIZE)
  add_compile_options(-fsanitize=${FERNWERK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${FERNWERK_SANITIZE})
  add_compile_definitions(FERNWERK_SANITIZED=1)
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    # gcc takes a struct for its first member once the sanitizers have looked at that member.
    add_compile_options(-Wno-stringop-overflow)
  endif()
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()

set(FERNWERK_TSAN OFF)
if(FERNWERK_SANITIZE STREQUAL "thread")
  set(FERNWERK_TSAN ON)
  add_compile_options(-Wno-tsan) # it does not see fences: they order what another process reads
endif()

if(FERNWERK_FUZZ)
  # What is fuzzed stands in the libraries: without this the fuzzer sees no coverage of it.
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

find_package(PkgConfig REQUIRED)
# One imported target a library, PkgConfig::GLIB and so on; each is linked in as few places as possible.
pkg_check_modules(GLIB REQUIRED IMPORTED_TARGET glib-2.0>=2.74 gio-2.0 gio-unix-2.0)
pkg_check_modules(LIBBSD REQUIRED IMPORTED_TARGET libbsd)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(CHECK IMPORTED_TARGET check)

# All processes live in one private folder, the admin's command in the ordinary one.
set(FERNWERK_LIBEXECDIR ${CMAKE_INSTALL_LIBEXECDIR}/fernwerk)
set(FERNWERK_DATADIR ${CMAKE_INSTALL_DATADIR}/fernwerk)
# In the build tree every program stands beside the others, as it does once installed.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# The tests with THREADS: all that the tsan preset builds.
add_custom_target(threads)
if(FERNWERK_TSAN)
  add_library(tsan_order OBJECT ${CMAKE_SOURCE_DIR}/tests/tsan/glib_order.c)
  target_link_libraries(tsan_order PRIVATE PkgConfig::GLIB)
endif()

# fernwerk_library(NAME SOURCES... [LIBS ...]): a static library whose headers are included as "folder/header.h".
function(fernwerk_library name)
  cmake_parse_arguments(A "" "" "LIBS" ${ARGN})
  add_library(${name} STATIC ${A_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${A_LIBS})
endfunction()

# fernwerk_program(NAME SOURCES... [LIBS ...] [BIN]): a process; BIN installs it on the admin's PATH.
function(fernwerk_program name)
  cmake_parse_arguments(A "BIN" "" "LIBS" ${ARGN})
  add_executable(${name} ${A_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${A_LIBS})
  if(FERNWERK_TSAN)
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:tsan_order>)
  endif()
  if(A_BIN)
    install(TARGETS ${name} DESTINATION ${CMAKE_INSTALL_SBINDIR})
  else()
    install(TARGETS ${name} DESTINATION ${FERNWERK_LIBEXECDIR})
  endif()
endfunction()

# fernwerk_test(NAME SOURCES... [LIBS ...]): one `check` program, one ctest entry `unit/NAME`. Status 77 says that
# something of this machine is missing: "skipped", which scripts/check does not let pass. THREADS: what it tests has
# several threads, so it is of the tsan preset as well.
function(fernwerk_test name)
  cmake_parse_arguments(A "THREADS" "" "LIBS" ${ARGN})
  if(FERNWERK_FUZZ)
    add_library(test_${name} OBJECT ${A_UNPARSED_ARGUMENTS}) # for clang's warnings; they are run elsewhere
  else()
    add_executable(test_${name} ${A_UNPARSED_ARGUMENTS})
  endif()
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(test_${name} PRIVATE ${A_LIBS} PkgConfig::CHECK)
  if(FERNWERK_TSAN)
    target_sources(test_${name} PRIVATE $<TARGET_OBJECTS:tsan_order>)
  endif()
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME unit/${name} COMMAND test_${name})
  set_tests_properties(unit/${name} PROPERTIES TIMEOUT 1200 LABELS unit SKIP_RETURN_CODE 77 DISABLED ${FERNWERK_FUZZ}
                       ENVIRONMENT "CK_DEFAULT_TIMEOUT=60;CK_TIMEOUT_MULTIPLIER=3") # a busy machine is no failure
  if(A_THREADS)
    add_dependencies(threads test_${name})
    set_property(TEST unit/${name} APPEND PROPERTY LABELS threads)
    set_property(TEST unit/${name} APPEND PROPERTY ENVIRONMENT
                 "TSAN_OPTIONS=halt_on_error=1 suppressions=${CMAKE_SOURCE_DIR}/tests/tsan/suppressions")
  endif()
endfunction()

# fernwerk_fuzzer(NAME SOURCES... [LIBS ...]): a libFuzzer target; seeds in tests/fuzz/NAME/.
function(fernwerk_fuzzer name)
  if(NOT FERNWERK_FUZZ)
    return()
  endif()
  cmake_parse_arguments(A "" "" "LIBS" ${ARGN})
  add_executable(fuzz_${name} ${A_UNPARSED_ARGUMENTS})
  target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(fuzz_${name} PRIVATE ${A_LIBS} -fsanitize=fuzzer)
  set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  add_test(NAME fuzz/${name}
           COMMAND ${CMAKE_SOURCE_DIR}/tests/fuzz/run $<TARGET_FILE:fuzz_${name}> ${CMAKE_SOURCE_DIR}/tests/fuzz/${name})
  set_tests_properties(fuzz/${name} PROPERTIES LABELS fuzz TIMEOUT 900)
endfunction()
