// libseccomp, whose filters ours must agree with (Debian: libseccomp-dev). Only SandboxTests imports it.
#include <seccomp.h>
