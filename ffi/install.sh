#!/bin/sh
# Installs the library for C: shared and static library, headers, pkg-config file, CMake package.
# usage: ffi/install.sh PREFIX        (DESTDIR=… is put before it; BUILD=agent leaves private keys and the vault out;
#                                      PROFILE=debug takes the debug build)
set -eu
[ $# = 1 ] || { sed -n '2,4s/^# //p' "$0"; exit 2; }
case $1 in /*) prefix=$1 ;; *) prefix=$PWD/$1 ;; esac
cd "$(dirname "$0")/.."
build=${BUILD:-full}
defines=
[ "$build" = full ] || defines=-DLAPS_AGENT
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
if [ "${PROFILE:-}" = debug ]; then
    features=
    [ "$build" = full ] || features=--no-default-features
    # shellcheck disable=SC2086
    cargo build -q -p laps-ffi $features
    made=$target/debug
else
    made=$target/c-library/$build
    ffi/build.sh "$build" "$made"
fi
version=$(sed -n 's/^#define LAPS_VERSION "\(.*\)"/\1/p' ffi/include/laps.h)
soname=$(objdump -p "$made/liblaps.so" | awk '$1 == "SONAME" { print $2 }')

root=${DESTDIR:-}$prefix
mkdir -p "$root/lib/pkgconfig" "$root/lib/cmake/laps" "$root/include"
install -m 755 "$made/liblaps.so" "$root/lib/liblaps.so.$version"
ln -sf "liblaps.so.$version" "$root/lib/$soname"
ln -sf "$soname" "$root/lib/liblaps.so"
install -m 644 "$made/liblaps.a" "$root/lib/liblaps.a"
install -m 644 ffi/include/laps.h ffi/include/laps.hpp "$root/include"
cat > "$root/lib/pkgconfig/laps.pc" << END
prefix=$prefix
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: laps
Description: Passwords of local administrators: policy, generation, rotation, sealed records
Version: $version
Libs: -L\${libdir} -llaps
Libs.private: -lpthread -ldl -lm
Cflags: -I\${includedir} $defines
END
cat > "$root/lib/cmake/laps/laps-config.cmake" << END
get_filename_component(_laps "\${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET laps::laps)
    add_library(laps::laps SHARED IMPORTED)
    set_target_properties(laps::laps PROPERTIES
        IMPORTED_LOCATION "\${_laps}/lib/liblaps.so.$version"
        IMPORTED_SONAME "$soname"
        INTERFACE_COMPILE_OPTIONS "$defines"
        INTERFACE_INCLUDE_DIRECTORIES "\${_laps}/include")
    add_library(laps::static STATIC IMPORTED)
    set_target_properties(laps::static PROPERTIES
        IMPORTED_LOCATION "\${_laps}/lib/liblaps.a"
        INTERFACE_COMPILE_OPTIONS "$defines"
        INTERFACE_LINK_LIBRARIES "pthread;dl;m"
        INTERFACE_INCLUDE_DIRECTORIES "\${_laps}/include")
endif()
END
cat > "$root/lib/cmake/laps/laps-config-version.cmake" << END
set(PACKAGE_VERSION "$version")
if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)
    set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
    set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
END
echo "laps $version ($build) installed in $root"
