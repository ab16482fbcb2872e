// CKernel is headers only; this file exists because the build system wants one source per C target.
#include "ckernel.h"
