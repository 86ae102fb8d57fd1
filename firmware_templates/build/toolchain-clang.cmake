# clang compiles; GNU Arm Embedded has the C library, and links:
#   cmake -B build-clang -DCMAKE_TOOLCHAIN_FILE=toolchain-clang.cmake
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER clang)
set(CMAKE_C_COMPILER_TARGET arm-none-eabi)
set(CMAKE_AR arm-none-eabi-ar)
set(CMAKE_RANLIB arm-none-eabi-ranlib)
set(CMAKE_OBJCOPY arm-none-eabi-objcopy)
set(CMAKE_SIZE arm-none-eabi-size)
execute_process(COMMAND arm-none-eabi-gcc -print-file-name=libc.a
  OUTPUT_VARIABLE DD_LIBC OUTPUT_STRIP_TRAILING_WHITESPACE)
get_filename_component(DD_LIBC "${DD_LIBC}" REALPATH)
get_filename_component(DD_NEWLIB "${DD_LIBC}" DIRECTORY)
# Enumerations as small as those of the library that is linked.
set(CMAKE_C_FLAGS_INIT "-isystem ${DD_NEWLIB}/../include -fshort-enums")
set(CMAKE_C_LINK_EXECUTABLE
  "arm-none-eabi-gcc -Wl,-z,noexecstack <LINK_FLAGS> <OBJECTS> -o <TARGET> <LINK_LIBRARIES>")
# CMake's trial program has no linker script and would not link.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
