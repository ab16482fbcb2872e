// libarchive for tar; zlib, zstd, bzip2 and lzma for its compression: libarchive-dev, zlib1g-dev, libzstd-dev,
// libbz2-dev and liblzma-dev of Debian.
#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>
#include <zstd.h>
#include <bzlib.h>
#include <lzma.h>
