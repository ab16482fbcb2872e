import Glibc
import OCIRuntime

exit(RuntimeProgram.main(CommandLine.arguments))
