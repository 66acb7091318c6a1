/* For the tests under Wine only: bcryptprimitives.dll with the one function that Rust's library asks for. */
#include <stddef.h>

typedef int BOOL;
__declspec(dllimport) unsigned char __stdcall SystemFunction036(void *buffer, unsigned long length); /* RtlGenRandom */

__declspec(dllexport) BOOL __stdcall ProcessPrng(unsigned char *data, size_t length);

BOOL __stdcall ProcessPrng(unsigned char *data, size_t length) {
    while (length > 0) {
        unsigned long part = length < 0x10000000 ? (unsigned long)length : 0x10000000;
        if (!SystemFunction036(data, part)) return 0;
        data += part;
        length -= part;
    }
    return 1;
}
