// Starting a child that is an interpreter: clone3 and a loop over fixed-size steps.
//
// The child shares the parent's memory (CLONE_VM) until its exec, so it may do nothing but raw system
// calls: no allocation, no lock, no libc function, no errno. Everything that decides is Swift; it hands
// over one `cspawn_launch` with all memory allocated, and reads the outcome from the same record.
//
// Invariants
// 1. The child writes nothing but its own stack, `fds`, and the `pidfd`, `child_tid` and `report_*` fields.
// 2. A failing step ends the child with its index and errno in `report_*`; no later step is run.
// 3. Descriptors of the parent are never changed: the first step of every program is CSPAWN_UNSHARE_FILES. What is
//    opened into slots before that step, the parent gets, too; nothing else may stand before it.
// Tests: Tests/SpawnTests.
#ifndef FORKLESS_CSPAWN_H
#define FORKLESS_CSPAWN_H

#include <stdint.h>
#include <stddef.h>

enum cspawn_op {
    // Descriptors. A slot is an index into `fds`; steps name slots, never descriptors, so that one program
    // serves many starts.
    CSPAWN_UNSHARE_FILES = 1,  // the child's own table: those below a and those in slots, nothing else
    CSPAWN_DUP,                // a: slot, b: the number that the program sees
    CSPAWN_MOVE_UP,            // a: slot: duplicate to b or above (close-on-exec), the slot follows
    CSPAWN_CLOSE_FROM,         // a: first descriptor to close at exec
    CSPAWN_OPEN,               // path, a: flags, b: mode, c: slot to fill
    CSPAWN_OPEN_AT,            // a: directory slot, path, b: flags | mode << 32, c: slot, d: resolve flags (openat2)
    CSPAWN_CLOSE,              // a: slot
    CSPAWN_WRITE,              // a: slot, s0: bytes, s1 holds the length
    CSPAWN_WRITE_OPTIONAL,     // the same, errors are ignored (oom_score_adj of the last resort)

    // Identity and limits.
    CSPAWN_SET_SESSION,
    CSPAWN_SET_GROUP,          // a: process group, 0 for its own
    CSPAWN_CONTROLLING_TERMINAL,  // a: slot
    CSPAWN_UMASK,              // a
    CSPAWN_LIMIT,              // a: resource, b: soft, c: hard
    CSPAWN_PRIORITY,           // a: nice value
    CSPAWN_AFFINITY,           // s0: mask bytes, s1 holds the length
    CSPAWN_ALL_PROCESSORS,     // whatever processors the cpuset has; errors are ignored: then the mask stays as it was
    CSPAWN_SCHEDULER,          // a: policy, b: priority
    CSPAWN_DEATH_SIGNAL,       // a: signal; fails with ESRCH when the parent (pid in b, 0: do not check) is gone
    CSPAWN_GIVE_STREAMS,       // a: user who gets descriptors 0 to 2; what cannot be given stays as it is
    CSPAWN_GROUPS,             // s0: gid_t array, s1 holds the count
    CSPAWN_GID,                // a
    CSPAWN_UID,                // a
    CSPAWN_KEEP_CAPABILITIES,  // a: 1 or 0
    CSPAWN_DROP_BOUNDING,      // a: mask of the capabilities to keep, b: the last capability the kernel knows
    CSPAWN_CAPABILITIES,       // a: effective, b: permitted, c: inheritable
    CSPAWN_AMBIENT,            // a: mask
    CSPAWN_NO_NEW_PRIVILEGES,
    CSPAWN_SECCOMP,            // s0: sock_filter array, s1 holds the count, a: flags
    CSPAWN_SECCOMP_LISTENER,   // the same with SECCOMP_FILTER_FLAG_NEW_LISTENER, b: slot to fill
    CSPAWN_DUMPABLE,           // a
    CSPAWN_SIGNALS_DEFAULT,    // a: mask of signals to reset to their default, b: of those to ignore
    CSPAWN_SIGNAL_MASK,        // a: mask
    CSPAWN_NEW_KEYRING,
    CSPAWN_PERSONALITY,        // a
    CSPAWN_IO_PRIORITY,        // a: class and level as ioprio_set(2) wants them
    CSPAWN_MEMORY_POLICY,      // a: mode and flags as set_mempolicy(2) wants them, s0: mask of nodes, s1 holds its length
    CSPAWN_SCHEDULING,         // s0: struct sched_attr, s1 holds the length

    // Files and directories.
    CSPAWN_CHDIR,              // path
    CSPAWN_FCHDIR,             // a: slot
    CSPAWN_MKDIR,              // a: directory slot or -1, path, b: mode; EEXIST is success
    CSPAWN_SYMLINK,            // a: directory slot or -1, path s0 is what it says, s1 where it is
    CSPAWN_MKNOD,              // a: directory slot or -1, path, b: mode, c: device; a regular file may exist already

    // Namespaces and mounts.
    CSPAWN_SET_NAMESPACE,      // a: slot, b: CLONE_NEW* flags
    CSPAWN_UNSHARE,            // a: CLONE_NEW* flags
    CSPAWN_HOSTNAME,           // s0, s1 holds the length; or of `launch->hostname`
    CSPAWN_DOMAIN_NAME,        // s0, s1 holds the length
    CSPAWN_LOOPBACK_UP,
    CSPAWN_MOUNT,              // s0 source, s1 target, s2 type, s3 data, a: flags
    CSPAWN_UNMOUNT,            // path, a: flags
    CSPAWN_NEW_FILE_SYSTEM,    // s0 type, a: slot to fill (fsopen)
    CSPAWN_FILE_SYSTEM_OPTION, // a: slot, s0 key, s1 value (or a flag when absent)
    CSPAWN_FILE_SYSTEM_MOUNT,  // a: slot of fsopen, b: slot to fill, c: MOUNT_ATTR_*
    CSPAWN_OPEN_TREE,          // a: directory slot or -1, path, b: flags, c: slot to fill
    CSPAWN_MOVE_MOUNT,         // a: slot of the mount, b: directory slot or -1, path (empty: the slot itself)
    CSPAWN_MOUNT_ATTRIBUTES,   // a: directory slot or -1, path, b: attributes to set, c: to clear, d: flags | propagation << 32
    CSPAWN_PIVOT_ROOT,         // a: slot of the new root; the old one is unmounted
    CSPAWN_CHANGE_ROOT,        // a: slot of the new root, chroot(2): for roots that cannot be pivoted to
    CSPAWN_MASK_PATH,          // a: slot of the empty directory's mount, b: slot of the null device's mount, path; ENOENT is success
    CSPAWN_READ_ONLY_PATH,     // path; ENOENT is success

    // Control.
    CSPAWN_PARK,               // a: slot of a socket, b: first slot to fill, c: count. Sends one byte ("parked"), then
                               // waits for one byte with c descriptors (SCM_RIGHTS); end of file: leave
    CSPAWN_TELL,               // a: slot of a socket, b: slot of a descriptor to send along or -1: one byte ("told")
    CSPAWN_REPORT_TO,          // a: slot: from here on a failure is written there, too: index and errno, 32 bits each
    CSPAWN_AWAIT_WORD,         // a: slot: waits for one byte; end of file: leave
    CSPAWN_CHECK_PROGRAM,      // whether `launch->path` may be executed by who we are now
    CSPAWN_AWAIT_GO,           // wait until `phase` is CSPAWN_GO (identity maps are written by then)
    CSPAWN_EXEC,               // path in `launch->path`, or a: slot (execveat with AT_EMPTY_PATH) when a >= 0
};

#define CSPAWN_NONE 0xffffffffu

struct cspawn_step {
    uint32_t op;
    uint32_t flags;
    int64_t a, b, c, d;
    uint32_t s0, s1, s2, s3;  // offsets into the arena, or a length where the operation says so
};
_Static_assert(sizeof(struct cspawn_step) == 56, "the step record is part of the contract with StepProgram.swift");

// Flags of a step.
#define CSPAWN_PATH_FROM_LAUNCH 1u  // the path is `launch->directory`, per call; the step is skipped when that is null
#define CSPAWN_SKIP_IF_NO_SLOT 2u   // skip the step when its slot a holds -1
#define CSPAWN_NO_MAGIC_LINKS 8u    // no link of /proc to a descriptor or a root may be on the path
#define CSPAWN_NAME_FROM_LAUNCH 4u  // the name is `launch->hostname`, per call; the step is skipped when that is null

#define CSPAWN_PARK_LIMIT 16  // descriptors that one release can carry

enum cspawn_phase {
    CSPAWN_STARTING = 0,
    CSPAWN_GO = 1,
    CSPAWN_LEAVE = 2,  // the parent wants the child to end without running the program
    CSPAWN_CALLED = 3,  // the child has taken its call in CSPAWN_PARK
};

struct cspawn_launch {
    const struct cspawn_step *steps;
    const uint8_t *arena;
    int32_t *fds;
    const char *path;       // of the program
    char *const *arguments;
    char *const *environment;
    const char *directory;  // per-call working directory or null
    const char *hostname;   // per-call host name or null
    uint64_t clone_flags;
    int64_t cgroup;         // descriptor for CLONE_INTO_CGROUP or -1
    uint8_t *stack;
    uint64_t stack_size;
    uint32_t step_count;
    uint32_t slot_count;
    int32_t pidfd;          // out
    uint32_t phase;         // futex: enum cspawn_phase
    uint32_t child_tid;     // futex: cleared and woken when the child has exec'ed or ended
    int32_t report_step;    // out: index of the step that failed, -1 while none has
    int32_t report_errno;   // out
    int32_t nested;         // whether the child is made by a child, which is born where pid_for_children of the caller says
    uint32_t entry_count;   // namespaces that the maker of a nested child joins first
    const struct cspawn_entry *entries;
    int32_t refused_entry;  // out: index of the entry that could not be joined, -1 while there is none
};

/// Namespaces to join: what setns(2) takes.
struct cspawn_entry {
    int32_t fd;
    int32_t flags;  // CLONE_NEW*, several with a pidfd
};

/// Starts the child. With CLONE_VFORK it returns when the child has exec'ed or failed; without, at once.
/// Returns the pid as the parent sees it, or the negated errno of clone3.
long cspawn_start(struct cspawn_launch *launch);

/// Waits until the child of a start without CLONE_VFORK has exec'ed or ended. 0, or -ETIMEDOUT.
long cspawn_await(struct cspawn_launch *launch, int64_t timeout_nanoseconds);

/// Tells a child in CSPAWN_AWAIT_GO to go on (CSPAWN_GO) or to end (CSPAWN_LEAVE).
void cspawn_release(struct cspawn_launch *launch, uint32_t phase);

#endif
