// Errno, ExitStatus, ResourceUsage, SharedFD, Users and Terminal.Size stand in Spawn's own declarations. Who uses
// the product says `import Spawn` and has them.
@_exported public import Linux
