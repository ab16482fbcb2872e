// zlib for the header blocks of SPDY: zlib1g-dev of Debian.
#include <zlib.h>

// deflateInit2 and inflateInit are macros, which Swift does not see.
static inline int czlib_deflate_init(z_streamp stream) { return deflateInit(stream, Z_BEST_SPEED); }
static inline int czlib_inflate_init(z_streamp stream) { return inflateInit(stream); }
