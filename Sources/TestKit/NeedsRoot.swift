internal import Glibc

/// Whether this process may do what only root may: for `.enabled(if: isRoot)` on a test or a suite.
package let isRoot = geteuid() == 0
