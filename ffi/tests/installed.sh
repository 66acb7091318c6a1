#!/bin/bash
# The agent build, staged under DESTDIR as a packager does it: a consumer finds it there, and cannot call what it
# lacks, neither by its header nor by its library.
# usage: ffi/tests/installed.sh FOLDER
cd "$(dirname "$0")/../.."
. ffi/tests/loud.sh
staged=$1
rm -rf "$staged"
DESTDIR=$staged BUILD=agent ffi/install.sh /opt/laps > /dev/null
[ ! -e /opt/laps/include/laps.h ] || { echo "DESTDIR is not honoured"; exit 1; }
export PKG_CONFIG_SYSROOT_DIR="$staged" PKG_CONFIG_PATH="$staged/opt/laps/lib/pkgconfig"
flags="-std=c99 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags laps)"
libs=$(pkg-config --libs laps)
# shellcheck disable=SC2086
gcc $flags ffi/examples/generate.c $libs -o "$staged/generate"
printf '{"BackupDirectory":1,"PasswordLength":20}' > "$staged/policy.json"
length=$(LD_LIBRARY_PATH="$staged/opt/laps/lib" "$staged/generate" "$staged/policy.json" 2> /dev/null | tr -d '\n' | wc -c)
[ "$length" = 20 ] || { echo "the staged agent build: a password of $length characters, not 20"; exit 1; }

cat > "$staged/lacks.c" << 'END'
#include <laps.h>
int main(void) {
    laps_vault_free(NULL);
    return 0;
}
END
# shellcheck disable=SC2086
if gcc $flags -c "$staged/lacks.c" -o "$staged/lacks.o" 2> /dev/null; then
    echo "the agent build's header shows the vault"; exit 1
fi
# shellcheck disable=SC2086
gcc $flags -ULAPS_AGENT -c "$staged/lacks.c" -o "$staged/lacks.o"
for lib in "$libs" "$staged/opt/laps/lib/liblaps.a -lpthread -ldl -lm"; do
    # shellcheck disable=SC2086
    if gcc "$staged/lacks.o" $lib -o "$staged/lacks" 2> /dev/null; then
        echo "the agent build's library holds the vault"; exit 1
    fi
done
