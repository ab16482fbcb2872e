// libarchive for tar, zlib and zstd for its compression: libarchive-dev, zlib1g-dev and libzstd-dev of Debian.
#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>
#include <zstd.h>
